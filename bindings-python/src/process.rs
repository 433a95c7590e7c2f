//! What belongs to one process: made anew after a fork, on first use in the child.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::raise_as;

/// How often this process's line has forked; raised by the package's own hook in the child.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Whether the interpreter is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);

static RUNTIME: PerProcess<Shared> = PerProcess::new();

/// How long the interpreter's end waits for what still runs.
const SHUTDOWN: Duration = Duration::from_secs(2);

/// How often a thread that waits looks up.
const SLICE: Duration = Duration::from_millis(100);

pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// A value for each process. The parent's is never used in a child, nor dropped there: its threads are gone, its locks
/// may be held for ever, and its files are the parent's.
pub(crate) struct PerProcess<T> {
    first: OnceLock<Box<Slot<T>>>,
}

struct Slot<T> {
    generation: u64,
    value: mem::ManuallyDrop<T>,
    next: OnceLock<Box<Slot<T>>>,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { first: OnceLock::new() }
    }

    /// This process's value, made by `make` where there is none yet. It may be called by several threads at once, of
    /// which one's value is kept.
    pub(crate) fn get_or_try<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        let generation = generation();
        let mut cell = &self.first;
        while let Some(slot) = cell.get() {
            if slot.generation == generation {
                return Ok(&slot.value);
            }
            cell = &slot.next;
        }
        let value = mem::ManuallyDrop::new(make()?);
        let mut slot = Box::new(Slot { generation, value, next: OnceLock::new() });
        loop {
            match cell.set(slot) {
                Ok(()) => return Ok(&cell.get().expect("it was just set").value),
                Err(late) => slot = late,
            }
            let faster = cell.get().expect("another thread has set it");
            if faster.generation == generation {
                mem::ManuallyDrop::into_inner(slot.value);
                return Ok(&faster.value);
            }
            cell = &faster.next;
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let generation = generation();
        let mut next = self.first.take();
        while let Some(mut slot) = next {
            next = slot.next.take();
            if slot.generation == generation {
                drop(mem::ManuallyDrop::into_inner(slot.value));
            }
        }
    }
}

/// The threads on which Rust's own futures run. No Python runs on them, so that the interpreter's end has nothing to wait
/// for but the network.
struct Shared {
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

fn shared() -> PyResult<&'static Shared> {
    RUNTIME.get_or_try(|| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("plannt")
            .enable_all()
            .build()
            .map_err(|error| raise_as("InternalError", "internal", &error.to_string()))?;
        let handle = runtime.handle().clone();
        Ok(Shared { handle, runtime: Mutex::new(Some(runtime)) })
    })
}

/// Waits for a future without Python's global lock. Python's own signals, Ctrl-C above all, end the waiting; so does the
/// interpreter's end, for a thread that it would wait for.
pub(crate) fn block_on<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    let shared = shared()?;
    if shared.runtime.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
        return Err(exiting());
    }
    let mut future = std::pin::pin!(future);
    let mut left_behind = None;
    loop {
        let slice = async { tokio::time::timeout(SLICE, future.as_mut()).await };
        if let Ok(output) = py.detach(|| shared.handle.block_on(slice)) {
            return Ok(output);
        }
        py.check_signals()?;
        if is_left_behind(py)? && left_behind.get_or_insert_with(Instant::now).elapsed() >= SHUTDOWN
        {
            return Err(exiting());
        }
    }
}

/// Whether this is a thread of its own, which the interpreter waits for in order to end.
fn is_left_behind(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?;
    if threading.call_method0("current_thread")?.is(&main) {
        return Ok(false);
    }
    Ok(ENDING.load(Ordering::Relaxed) || !main.call_method0("is_alive")?.extract::<bool>()?)
}

fn exiting() -> PyErr {
    raise_as("ConfigError", "shut_down", "the interpreter is exiting")
}

/// Runs within the runtime, for what needs its clock and its sockets, without Python's global lock.
pub(crate) fn enter<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let shared = shared()?;
    Ok(py.detach(|| {
        let _entered = shared.handle.enter();
        work()
    }))
}

/// After a fork, in the child.
#[pyfunction]
fn _forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    ENDING.store(false, Ordering::Relaxed);
}

/// Before the interpreter waits for its threads.
#[pyfunction]
fn _ending() {
    ENDING.store(true, Ordering::Relaxed);
}

/// At the interpreter's end.
#[pyfunction]
fn _shutdown(py: Python<'_>) {
    // A runtime that was never started is not started now.
    let Some(slot) = RUNTIME.first.get().filter(|slot| slot.generation == generation()) else {
        return;
    };
    let runtime = slot.value.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(runtime) = runtime {
        py.detach(|| runtime.shutdown_timeout(SHUTDOWN));
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_forked, module)?)?;
    module.add_function(wrap_pyfunction!(_ending, module)?)?;
    module.add_function(wrap_pyfunction!(_shutdown, module)?)
}
