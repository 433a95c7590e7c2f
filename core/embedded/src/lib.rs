//! The frame of a firmware: where it starts, how it ends, and memory for those who ask.
//!
//! There is no operating system and no `std` to link: what builds here needs neither.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::asm;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The vector table's second entry; the first is the stack, which the linker script writes.
#[macro_export]
macro_rules! firmware {
    ($main:path) => {
        #[unsafe(link_section = ".vectors")]
        #[used]
        static RESET: extern "C" fn() -> ! = reset;

        #[unsafe(no_mangle)]
        extern "C" fn reset() -> ! {
            $main();
            $crate::exit(true)
        }
    };
}

/// Ends the emulation, well or not; on a board without debugger this stops.
pub fn exit(well: bool) -> ! {
    const SYS_EXIT: usize = 0x18;
    const APPLICATION_EXIT: usize = 0x2_0026;
    const RUN_TIME_ERROR: usize = 0x2_0023;
    semihost(SYS_EXIT, if well { APPLICATION_EXIT } else { RUN_TIME_ERROR });
    loop {
        core::hint::spin_loop();
    }
}

/// Writes a text that ends in a zero byte to the emulator's terminal.
pub fn print(text: &core::ffi::CStr) {
    const SYS_WRITE0: usize = 4;
    semihost(SYS_WRITE0, text.as_ptr() as usize);
}

/// Asks the debugger, or the emulator, for a service.
fn semihost(operation: usize, argument: usize) {
    // SAFETY: the operations used read at most a text that lives on, and write no memory.
    unsafe {
        asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument, options(nostack));
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(false)
}

/// Memory that is handed out and never taken back.
struct Bump {
    next: AtomicUsize,
}

const HEAP: usize = 128 * 1024;

#[repr(align(16))]
struct Heap(core::cell::UnsafeCell<[u8; HEAP]>);

// SAFETY: it is reached only through `Bump`, which hands out each byte once.
unsafe impl Sync for Heap {}

static MEMORY: Heap = Heap(core::cell::UnsafeCell::new([0; HEAP]));

#[global_allocator]
static ALLOCATOR: Bump = Bump { next: AtomicUsize::new(0) };

// SAFETY: each range is handed out once, aligned as asked, and within `MEMORY`.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            let start = next.checked_next_multiple_of(layout.align())?;
            start.checked_add(layout.size()).filter(|end| *end <= HEAP)
        });
        match taken {
            Ok(next) => {
                let start = next.next_multiple_of(layout.align());
                // SAFETY: `start` and the `size` bytes after it are within the array.
                unsafe { MEMORY.0.get().cast::<u8>().add(start) }
            }
            Err(_) => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

/// Bytes that were asked for so far.
pub fn allocated() -> usize {
    ALLOCATOR.next.load(Ordering::Relaxed)
}
