#pragma once
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

// What Swift's Glibc does not show: mallopt, and memfd_create, which stands behind _GNU_SOURCE.

/// Makes a file in memory that has no name in any folder and is closed on exec; -1 where there can be none.
static inline int clinux_memory_file(const char *label) { return (int)syscall(SYS_memfd_create, label, 1U); }
