"""Threads that are at work from entering to leaving."""

import threading
from collections.abc import Callable
from typing import Any, Self


class Threads:
    """Runs `work(argument)` in a thread for each argument; it is to return soon after `stopping` is set."""

    def __init__(self, work: Callable[[Any], None], arguments: list[Any]):
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=work, args=(a,)) for a in arguments]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()
