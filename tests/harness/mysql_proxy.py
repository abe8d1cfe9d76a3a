"""Stands between pubsubsqld and MariaDB and loses what it is told to lose, at the very moment it hurts."""

import contextlib
import socket
import struct
import threading

COM_QUERY = b"\x03"


class MysqlProxy:
    """Use it in a `with`. Connections must be in the clear.

    `lose_commit()` arms it for the next COMMIT of any connection: the request is lost, or it is carried out and the
    answer is lost. From that moment on the proxy is closed: nobody comes through until `open()`.
    """

    def __init__(self, port: int):
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._changed = threading.Condition()
        self._armed: str | None = None
        self._skip = 0
        self._any = False
        self._closed = False
        self._ended = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def lose_commit(self, what: str, after: int = 0) -> None:
        """`what`: "request" or "answer", or "both ways" to hang from then on instead of closing. `after`: COMMITs
        that go through before."""
        with self._changed:
            self._armed = what
            self._skip = after

    def lose_request(self, after: int) -> None:
        """The same for any request, whatever it asks; `after`: requests that go through before. Until disarm()."""
        with self._changed:
            self._armed = "request"
            self._skip = after
            self._any = True

    def is_armed(self) -> bool:
        with self._changed:
            return self._armed is not None

    def disarm(self) -> bool:
        """Loses nothing any more. Whether nothing has been lost."""
        with self._changed:
            armed, self._armed = self._armed, None
            self._any = False
            return armed is not None

    def wait_until_lost(self, timeout_s: float) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._armed is None, timeout_s):
                raise AssertionError("no COMMIT came")

    def close(self) -> None:
        """Cuts all connections and lets none in."""
        with self._changed:
            self._closed = True
        self._cut_all()

    def _cut_all(self) -> None:
        """Whether others come through is left as it is: somebody may have opened the proxy again by now."""
        with self._changed:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            self._cut(*pair)

    def open(self) -> None:
        with self._changed:
            self._closed = False

    @staticmethod
    def _cut(*sockets: socket.socket) -> None:
        for s in sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                if self._closed:
                    client.close()
                    continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._pairs.append((client, server))
            lost = threading.Event()
            threading.Thread(target=self._carry_requests, args=(client, server, lost), daemon=True).start()
            threading.Thread(target=self._carry_answers, args=(client, server, lost), daemon=True).start()

    def _takes_commit(self) -> str | None:
        with self._changed:
            if self._armed is None:
                return None
            if self._skip > 0:
                self._skip -= 1
                return None
            self._closed = True
            return self._armed

    def _was_lost(self) -> None:
        with self._changed:
            self._armed = None
            self._changed.notify_all()

    def _carry_requests(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        buffer = b""
        try:
            while data := client.recv(1 << 16):
                buffer += data
                while len(buffer) >= 4:
                    size = 4 + struct.unpack("<I", buffer[:3] + b"\0")[0]
                    if len(buffer) < size:
                        break
                    packet, buffer = buffer[:size], buffer[size:]
                    what = self._takes_commit() if self._any or packet[4:] == COM_QUERY + b"COMMIT" else None
                    if what is not None:
                        lost.set()
                    if what != "request":
                        server.sendall(packet)
                    if what == "request":
                        self._was_lost()
                        self._cut_all()
        except OSError:
            pass
        finally:
            self._cut(client, server)

    def _carry_answers(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        try:
            while data := server.recv(1 << 16):
                if lost.is_set():
                    with self._changed:
                        hangs = self._armed == "both ways"
                    self._was_lost()
                    if not hangs:
                        self._cut_all()
                else:
                    client.sendall(data)
        except OSError:
            pass
        finally:
            if not lost.is_set():
                self._cut(client, server)

    def __enter__(self) -> "MysqlProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.close()
