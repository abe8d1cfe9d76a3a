"""Starts the real server on a free port and stops exactly that process."""

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable

from harness.wire import FramedConnection, TextConnection, deadline_s

PROGRAM = os.environ.get("PUBSUBSQLD", "build/release/pubsubsqld")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """A running server. Use it in a `with`; leaving it stops the server and checks that it stopped in order."""

    def __init__(
        self,
        *flags: str,
        program: str = PROGRAM,
        environment: dict[str, str] | None = None,
        before_start: Callable[[], None] | None = None,
        http: bool = False,
    ):
        """`before_start` runs in the server's process, before the program. With `http` it listens for HTTP as well."""
        self.program = program
        self.flags = flags
        self.environment = {**os.environ, **(environment or {})}
        self.before_start = before_start
        self.port = self.http_port = 0
        while not self._start(http):
            pass

    def _start(self, http: bool) -> bool:
        """Says whether it came to be; not when somebody else took the port that was free before."""
        self.http_port = free_port() if http else 0
        self.process = subprocess.Popen(
            [self.program, "--port", "0", "--http-port", str(self.http_port), *self.flags],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            preexec_fn=self.before_start,
        )
        self.killed = False
        self.log: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self.port = int(self.wait_for_log(r" listening on \S+:(\d+)", 120)[1])
            if http:
                self.wait_for_log(r"http listening on ", 120)
        except AssertionError:
            self.kill()
            if http and any(f":{self.http_port}: Address already in use" in line for line in self.log):
                return False
            raise
        return True

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.log.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for_log(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """The first log line that matches; fails when none comes in time."""
        found: re.Match[str] | None = None

        def matches() -> bool:
            nonlocal found
            found = next((m for m in (re.search(pattern, line) for line in self.log) if m), None)
            return found is not None or not self._reader.is_alive()

        with self._changed:
            self._changed.wait_for(matches, deadline_s(seconds))
        if found is None:
            raise AssertionError(f"the log has no line like {pattern!r}:\n" + "\n".join(self.log))
        return found

    def framed(self) -> FramedConnection:
        return FramedConnection(self.port)

    def text(self) -> TextConnection:
        return TextConnection(self.port)

    def resident_bytes(self, at_most: bool = False) -> int:
        """Now, or the most that it was."""
        field = "VmHWM" if at_most else "VmRSS"
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(field + r":\s+(\d+) kB", status.read())[1]) * 1024  # type: ignore[index]

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        self.killed = True
        self.process.kill()
        self.process.wait()
        self._reader.join(deadline_s(10))
        if self.process.stderr is not None:
            self.process.stderr.close()

    def wait(self) -> int:
        """The exit status, once the server has ended by itself."""
        status = self.process.wait(deadline_s(60))
        self._reader.join(deadline_s(10))
        return status

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.killed:
            return
        if self.process.poll() is None:
            self.signal()
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stderr is not None:
                self.process.stderr.close()
        if status != 0 and kind is None:
            raise AssertionError(f"the server ended with status {status}:\n" + "\n".join(self.log))


def refused_start(*flags: str, program: str = PROGRAM) -> str:
    """What a server logs that is expected not to start."""
    ended = subprocess.run(
        [program, "--port", "0", "--http-port", "0", *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=deadline_s(60),
    )
    if ended.returncode != 1:
        raise AssertionError(f"the server ended with status {ended.returncode}:\n{ended.stdout}")
    return ended.stdout
