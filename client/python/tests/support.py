"""What the tests share: the real server, on a port that it keeps when it is started again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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


def wait_for(condition: Callable[[], Any], what: str = "") -> None:
    """Until it holds; fails when that takes too long."""
    deadline = time.monotonic() + 60 * SLOWDOWN
    while not condition():
        assert time.monotonic() < deadline, what or "what was waited for did not come"
        time.sleep(0.005)


def run_user_command(*arguments: str, password: str) -> None:
    subprocess.run([CLI, "user", *arguments], input=password + "\n", check=True, capture_output=True, text=True)
