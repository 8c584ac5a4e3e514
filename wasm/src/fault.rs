//! What JavaScript hears about a panic or a failed allocation, both of which end in a trap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasm_bindgen::prelude::*;

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

static REFUSED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    /// What has to run once before anything else: Burn's GPU compiler registers its operations so.
    fn __wasm_call_ctors();
}

#[wasm_bindgen(start)]
fn start() {
    // SAFETY: the linker writes this function, and it is called once. Were it never called from here, the linker would
    // wrap each export in a call of it.
    unsafe { __wasm_call_ctors() };
    std::panic::set_hook(Box::new(|info| PANIC.set(info.to_string())));
}

/// The message of the panic, or nothing. It can be asked for after a trap.
#[wasm_bindgen(js_name = panicMessage)]
pub fn panic_message() -> String {
    PANIC.take()
}

/// The model's file that was being read with a library that panics on damaged ones, or nothing.
#[wasm_bindgen(js_name = guardedFile)]
pub fn guarded_file() -> Option<String> {
    innerspan::text::guarded_file()
}

/// Bytes of the last allocation that was refused, or 0. It can be asked for after a trap.
#[wasm_bindgen(js_name = refusedBytes)]
pub fn refused_bytes() -> usize {
    REFUSED.load(Ordering::Relaxed)
}

#[global_allocator]
static ALLOCATOR: Noting = Noting;

/// The system's allocator; it notes what it refuses.
struct Noting;

fn note(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() {
        REFUSED.store(size, Ordering::Relaxed);
    }
    pointer
}

// SAFETY: everything is handed on to `System` as it is.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for; below too.
        note(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see `alloc`.
        note(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: see `alloc`.
        note(unsafe { System.realloc(pointer, layout, size) }, size)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: see `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}
