"""What belongs to a process: the threads on which async functions wait for Rust, and what a fork and the interpreter's end need."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Optional, TypeVar

from . import _plannt

T = TypeVar("T")

#: Each waits for a disk, a node or a store, and none computes: so there may be many.
_MAX_THREADS = 64

_executor: Optional[ThreadPoolExecutor] = None


async def in_thread(work: Callable[[], T]) -> T:
    """Waits for blocking work beside the event loop. What was begun ends by itself, also when nobody waits any more."""
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="plannt")
    return await asyncio.get_running_loop().run_in_executor(_executor, work)


def _in_child() -> None:
    # The parent's threads are not here.
    global _executor
    _executor = None
    _plannt._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
atexit.register(_plannt._shutdown)
# The executor's threads are waited for before any function of `atexit` is called. Without this hook, which Python keeps to itself, the end
# would wait for a wallet as long as the wallet takes.
_before_threads: Optional[Callable[[Callable[[], None]], None]] = getattr(threading, "_register_atexit", None)
if _before_threads is not None:
    _before_threads(_plannt._ending)
