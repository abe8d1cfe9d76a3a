"""What the tests share: the real server, on a port that it keeps when it is started again."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, List

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "client" / "python"))

PROGRAM = os.environ.get("PUBSUBSQLD", str(ROOT / "build/release/pubsubsqld"))
CLI = os.environ.get("PUBSUBSQL_CLI", os.path.join(os.path.dirname(PROGRAM), "pubsubsql"))
SLOWDOWN = float(os.environ.get("PUBSUBSQL_TEST_SLOWDOWN", "1"))


class Server:
    """A running server. Leaving a `with` stops it, and checks that it stopped in order."""

    def __init__(self, *flags: str) -> None:
        self._flags = flags
        self.port = 0
        self.start()

    def start(self) -> None:
        """On the port that it had."""
        command = [PROGRAM, "--port", str(self.port), "--http-port", "0", *self._flags]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self._process.stderr is not None
        log: List[str] = []
        for line in self._process.stderr:
            log.append(line)
            found = re.search(r" listening on \S+:(\d+)", line)
            if found:
                self.port = int(found[1])
                return
        raise AssertionError("the server did not start:\n" + "".join(log))

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        self._process.kill()
        self._process.communicate()

    def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            self.wait()

    def wait(self) -> None:
        """Until it has ended by itself."""
        _, log = self._process.communicate(timeout=60 * SLOWDOWN)
        assert self._process.returncode == 0, log

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Link:
    """A network between a client and a server that a test can interrupt."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._is_cut = False
        self._sockets: List[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends all connections, and lets none through until mend()."""
        self._is_cut = True
        for end in self._sockets:
            _shut(end)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        _shut(self._listener)
        for end in [self._listener, *self._sockets]:
            end.close()

    def _accept(self) -> None:
        try:
            while True:
                near = self._listener.accept()[0]
                self._sockets.append(near)
                if self._is_cut or not self._connect(near):
                    _shut(near)
        except OSError:
            pass  # closed

    def _connect(self, near: socket.socket) -> bool:
        try:
            far = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            return False  # the server is down
        self._sockets.append(far)
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()
        return True


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while True:
            data = source.recv(1 << 16)
            if not data:
                break
            target.sendall(data)
    except OSError:
        pass  # cut
    _shut(target)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side was first


def wait_for(condition: Callable[[], Any], what: str = "") -> None:
    """Until it holds; fails when that takes too long."""
    deadline = time.monotonic() + 60 * SLOWDOWN
    while not condition():
        assert time.monotonic() < deadline, what or "what was waited for did not come"
        time.sleep(0.005)


def run_user_command(*arguments: str, password: str) -> None:
    subprocess.run([CLI, "user", *arguments], input=password + "\n", check=True, capture_output=True, text=True)
