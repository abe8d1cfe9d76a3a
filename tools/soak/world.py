"""What all parts of a run share: whether it goes on, what was counted, what was found, and what was done to the server."""

import collections
import threading
import time
from collections.abc import Iterable


class Violation(Exception):
    """A promise of the server's that was not kept."""


class World:
    """Safe to use from any thread. The first violation ends the run."""

    def __init__(self, seed: int, stores: str):
        self.seed = seed
        self.stores = stores
        self.stopping = threading.Event()
        self.began = time.monotonic()
        self.counts: collections.Counter[str] = collections.Counter()
        self.schedule: list[str] = []
        self.violations: list[str] = []
        self.incarnation = 0
        """How many servers were started; what is in doubt may be kept differently by the next one."""
        self._lock = threading.Lock()
        self._pause = threading.Condition()
        self._pausing = False
        self._parked = 0

    def elapsed_s(self) -> float:
        return time.monotonic() - self.began

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def note(self, text: str) -> None:
        """A line of the fault schedule."""
        self.schedule.append(f"{self.elapsed_s():9.3f} {text}")

    def violate(self, text: str, history: Iterable[str] = ()) -> None:
        with self._lock:
            self.violations.append("\n".join([f"{self.elapsed_s():9.3f} {text}", *(f"    {line}" for line in history)]))
        self.stopping.set()
        with self._pause:
            self._pause.notify_all()

    def check(self) -> None:
        """Raises when a violation was found."""
        if self.violations:
            raise Violation(self.violations[0])

    # Quiet points: clients that change something stand still between `pause` and `resume`.

    def checkpoint(self) -> None:
        """Called by such a client where it has nothing under way; returns when it may go on."""
        with self._pause:
            if not self._pausing:
                return
            self._parked += 1
            self._pause.notify_all()
            self._pause.wait_for(lambda: not self._pausing or self.stopping.is_set())
            self._parked -= 1
            self._pause.notify_all()

    def pausing(self) -> bool:
        return self._pausing or self.stopping.is_set()

    def pause(self, clients: int, seconds: float) -> None:
        """Waits until so many clients stand still."""
        with self._pause:
            self._pausing = True
            if not self._pause.wait_for(lambda: self._parked >= clients or self.stopping.is_set(), seconds):
                raise Violation(f"{clients - self._parked} clients wait for replies that do not come")
        self.check()

    def resume(self) -> None:
        """Waits until all have gone on, so that none is counted twice."""
        with self._pause:
            self._pausing = False
            self._pause.notify_all()
            self._pause.wait_for(lambda: self._parked == 0 or self.stopping.is_set())
