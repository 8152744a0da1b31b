"""Learn that the process is asked to end, before the server begins to wait for its open connections."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def called_on_termination(call: Callable[[], object]) -> Iterator[None]:
    """Within the block, call this on the running loop when the process is asked to end; the server's handler follows.

    A server ends the lifespan only after all connections are closed, and a stream never closes by itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may look at signals; whoever runs a loop elsewhere ends it by other means
        return
    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in SIGNALS}

    def pass_on(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)
        handler = former[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    # A signal that nobody handles ends the process at once, which ends the streams too.
    handled = [number for number, handler in former.items() if callable(handler)]
    for number in handled:
        signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, former[number])
