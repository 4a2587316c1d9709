import CLinux

/// Memory of payloads and of bodies that are sent.
enum LargeBlocks {
    /// Gives blocks of 1 MiB and more back to the system as soon as they are free.
    ///
    /// The C library would keep blocks of up to 32 MiB after it has seen some, and the daemon holds few of them at a time.
    static func returnAtOnce() { _ = mallopt(M_MMAP_THRESHOLD, 1 << 20) }
}
