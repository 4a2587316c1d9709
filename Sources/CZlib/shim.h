// Says that zlib does not write to its input, which its declarations leave open otherwise.
#define ZLIB_CONST
#include <zlib.h>
