"""A TCP proxy of one thread, between clients and the server or between the server and MariaDB, that fails on demand."""

import contextlib
import random
import select
import socket
import struct
import threading
from collections.abc import Callable

PIECE = 1 << 16
TICK_MS = 20  # after which a new way to fail is obeyed at the latest


class _Pair:
    """A connection and its continuation. `waiting[s]`: bytes to be sent to the socket s."""

    def __init__(self, near: socket.socket, far: socket.socket):
        self.near = near
        self.far = far
        self.waiting: dict[socket.socket, bytes] = {near: b"", far: b""}
        self.stalled: set[socket.socket] = set()  # nothing is read from these
        self.doomed = False

    def other(self, s: socket.socket) -> socket.socket:
        return self.far if s is self.near else self.near


class Link:
    """Listens on a port of its own and leads to `target()`, asked at each connection; None refuses it."""

    def __init__(self, target: Callable[[], int | None], seed: int):
        self._target = target
        self._choose = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._refusing = False
        self._piece = PIECE
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # How it fails. Each returns how many connections are concerned.

    def cut(self, share: float = 1.0) -> int:
        """Ends connections, some with a reset."""
        with self._lock:
            chosen = [p for p in self._pairs if self._choose.random() < share]
            for pair in chosen:
                pair.doomed = True
            return len(chosen)

    def stall(self, share: float, ways: str) -> int:
        """Half-open: nothing moves on connections any more, one way (`requests`, `answers`) or `both`."""
        with self._lock:
            chosen = [p for p in self._pairs if self._choose.random() < share]
            for pair in chosen:
                pair.stalled = {"requests": {pair.near}, "answers": {pair.far}, "both": {pair.near, pair.far}}[ways]
            return len(chosen)

    def refuse(self) -> None:
        """Lets nobody in, and cuts all who are."""
        self._refusing = True
        self.cut()

    def trickle(self, size: int) -> None:
        """Carries so many bytes at a time."""
        self._piece = size

    def heal(self) -> None:
        """Stalled connections are cut: what they are owed has been late for too long."""
        with self._lock:
            for pair in self._pairs:
                pair.doomed = pair.doomed or bool(pair.stalled)
        self._refusing = False
        self._piece = PIECE

    def flow_again(self) -> None:
        """Stalled connections go on as if nothing had been."""
        with self._lock:
            for pair in self._pairs:
                pair.stalled = set()

    def close(self) -> None:
        self._ended = True
        self._thread.join()

    # The loop

    def _run(self) -> None:
        while not self._ended:
            sockets = self._interests()
            poll = select.poll()
            for s, mask in sockets.values():
                poll.register(s, mask[0])
            for number, _ in poll.poll(TICK_MS):
                s, mask = sockets[number]
                if s is self._listener:
                    self._accept()
                else:
                    self._move(s, mask[1])
            self._bury()
        for pair in self._pairs:
            self._end(pair)
        self._listener.close()

    def _interests(self) -> dict[int, tuple[socket.socket, tuple[int, _Pair | None]]]:
        found: dict[int, tuple[socket.socket, tuple[int, _Pair | None]]] = {
            self._listener.fileno(): (self._listener, (select.POLLIN, None))
        }
        with self._lock:
            for pair in self._pairs:
                for s in (pair.near, pair.far):
                    mask = select.POLLOUT if pair.waiting[s] else 0
                    if not pair.waiting[pair.other(s)] and s not in pair.stalled:
                        mask |= select.POLLIN
                    if mask:
                        found[s.fileno()] = (s, (mask, pair))
        return found

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        port = None if self._refusing else self._target()
        try:
            if port is None:
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", port), 5)
        except OSError:
            near.close()
            return
        for s in (near, far):
            s.setblocking(False)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._pairs.append(_Pair(near, far))

    def _move(self, s: socket.socket, pair: _Pair | None) -> None:
        if pair is None or pair.doomed:
            return
        other = pair.other(s)
        try:
            if pair.waiting[s]:
                sent = s.send(pair.waiting[s][: self._piece])
                pair.waiting[s] = pair.waiting[s][sent:]
            if not pair.waiting[other] and s not in pair.stalled:
                pair.waiting[other] = s.recv(self._piece)
                pair.doomed = not pair.waiting[other]
        except BlockingIOError:
            pass
        except OSError:
            pair.doomed = True

    def _bury(self) -> None:
        with self._lock:
            doomed = [p for p in self._pairs if p.doomed]
            self._pairs = [p for p in self._pairs if not p.doomed]
        for pair in doomed:
            self._end(pair)

    def _end(self, pair: _Pair) -> None:
        for s in (pair.near, pair.far):
            with contextlib.suppress(OSError):
                if self._choose.random() < 0.5:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
