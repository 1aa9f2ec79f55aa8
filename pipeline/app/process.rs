//! The process itself: how the C library hands out memory, and how it ends.

#![expect(unsafe_code, reason = "mallopt and _exit have no safe wrapper")]

use std::io::Write;

/// Blocks up to this size are taken from memory that the process holds already. The largest value that glibc accepts; a
/// tensor of 16 channels over a tile lies below it.
const HELD_UP_TO_BYTES: libc::c_int = 32 << 20;

/// Settles glibc's allocator for work that takes and frees the same few large buffers all the time, as libtorch and the
/// units of a run do.
///
/// By default such buffers go back to the kernel each time, and clearing new pages then costs a tenth of a forward pass;
/// and every thread keeps free memory of its own, which no other can use. Memory that was once held stays with the process.
pub fn settle_allocator() {
    let settings = [
        (libc::M_ARENA_MAX, 1),
        (libc::M_MMAP_THRESHOLD, HELD_UP_TO_BYTES),
        (libc::M_TRIM_THRESHOLD, libc::c_int::MAX),
    ];
    for (parameter, value) in settings {
        // SAFETY: sets a number of the C library under its own lock; takes no pointer.
        if unsafe { libc::mallopt(parameter, value) } == 0 {
            tracing::debug!(parameter, value, "the C library refused a setting of its allocator");
        }
    }
}

/// Ends the process at once.
///
/// When a process ends in the ordinary way, libtorch takes every operator that it knows out of its tables again, one by one:
/// a fourth of the time of a run with nothing to do. Whatever matters is on disk by then.
pub fn leave(code: u8) -> ! {
    // nobody is left who could be told that these are closed
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().flush();
    // SAFETY: ends the process without running destructors of C++ libraries; our own have run, since `main` holds nothing.
    unsafe { libc::_exit(i32::from(code)) }
}
