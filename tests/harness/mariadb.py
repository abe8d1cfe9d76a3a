"""A private MariaDB server: its own data directory, port and socket, gone when the test ends."""

import atexit
import contextlib
import fcntl
import hashlib
import html
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote

from harness.wire import deadline_s

PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"

# Without what would let the client or the server of a developer's machine answer instead of ours.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("MYSQL_", "MARIADB_"))},
    "PATH": PATH,
    "LC_ALL": "C.UTF-8",
}

USER = ["--user=root"] if os.geteuid() == 0 else []

# Given when the data directory is made and at every start: the sizes of the files on disk must agree.
STORAGE = ["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"]

# Below the ports Linux gives to outgoing connections: while the server is down, no client's own end, not even that of a
# client trying to reach the server again, can take its port.
PORTS = range(15000, 32768)

_template_lock = threading.Lock()
_template: pathlib.Path | None = None


class MariadbError(Exception):
    """The server did not start or stop as it should, or refused a statement."""


def _run(command: list[str], directory: pathlib.Path | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=directory,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=deadline_s(120),
        check=False,
    )
    if done.returncode != 0:
        raise MariadbError(f"{command[0]} ended with status {done.returncode}:\n{done.stdout}")
    return done.stdout


def _make_template(target: pathlib.Path) -> None:
    """A fresh data directory at `target`, whole or not at all. Only for one caller at a time."""
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
    command += ["--skip-name-resolve", "--force"]  # a machine may not be able to look up its own name
    _run([*command, f"--datadir={unfinished}", *USER, *STORAGE])
    unfinished.rename(target)


def _template_directory() -> pathlib.Path:
    """The data directory that new servers copy: kept in PUBSUBSQL_TEST_TMP if set, else one per process."""
    global _template
    with _template_lock:
        if _template is None:
            kept = os.environ.get("PUBSUBSQL_TEST_TMP")
            if kept:
                parts = [_run(["mariadbd", "--no-defaults", "--version"]), *USER, *STORAGE]
                key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
                target = pathlib.Path(kept).resolve() / f"mariadb-{key}"
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target.with_name(target.name + ".lock"), "w", encoding="ascii") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if not target.exists():
                        _make_template(target)
            else:
                parent = tempfile.mkdtemp(prefix="mariadb-template-")
                atexit.register(shutil.rmtree, parent, ignore_errors=True)
                target = pathlib.Path(parent) / "data"
                _make_template(target)
            _template = target
        return _template


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def _make_certificates(directory: pathlib.Path) -> None:
    """ca.pem, and server.pem with server.key signed by it for 127.0.0.1 and localhost."""
    (directory / "openssl.cnf").write_text(
        "[req]\ndistinguished_name = name\nprompt = no\n[name]\n"
        "[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n"
        "subjectKeyIdentifier = hash\n"
        "[server]\nbasicConstraints = critical, CA:FALSE\nextendedKeyUsage = serverAuth\n"
        "subjectAltName = IP:127.0.0.1, DNS:localhost\nauthorityKeyIdentifier = keyid\n",
        encoding="ascii",
    )
    request = ["openssl", "req", "-x509", "-config", "openssl.cnf", "-days", "30", "-noenc"]
    request += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    _run([*request, "-extensions", "ca", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem"], directory)
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-extensions", "server", "-subj", "/CN=localhost"]
    _run([*request, *signed, "-keyout", "server.key", "-out", "server.pem"], directory)


def _identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _string(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _rows(xml: bytes) -> Iterator[list[str | None]]:
    """The rows of all result sets in what `mariadb --xml` wrote.

    No XML parser: it would refuse control characters and turn \\r into \\n. Every `<` and `"` of a value is escaped.
    """
    for row in re.findall(rb"<row>(.*?)</row>", xml, re.DOTALL):
        fields = re.finditer(rb'<field name="[^"]*"(?: xsi:nil="true" /|>([^<]*)</field)>', row)
        yield [None if m[1] is None else html.unescape(m[1].decode(errors="surrogateescape")) for m in fields]


class MariadbServer:
    """A MariaDB server on 127.0.0.1. Use it in a `with`: entering starts it, leaving kills it and clears its directory.

    Between the two it may be stopped, killed and started again with the same port and data. The user root has no
    password and comes in by the socket. `extra_args` are given to mariadbd last, so they win.
    """

    def __init__(self, *, tls: bool = False, extra_args: list[str] | None = None):
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.extra_args = list(extra_args or [])
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mariadb-"))
        atexit.register(self.close)
        self.socket = str(self.directory / "s")
        self.log_path = self.directory / "error.log"
        self.ca_path: str | None = None
        try:
            shutil.copytree(_template_directory(), self.directory / "data")
            (self.directory / "tmp").mkdir()
            if tls:
                _make_certificates(self.directory)
                self.ca_path = str(self.directory / "ca.pem")
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Starts the server and returns once it answers; when it does not, raises with the end of its log."""
        if self.process is not None:
            raise MariadbError("the server is already running")
        if self.port:
            # The port is promised by now: wait for it should somebody hold it for a moment.
            self._start_on(self.port, int(deadline_s(20)))
            return
        for _ in range(10):
            port = _free_port()
            logged = self.log_path.stat().st_size if self.log_path.exists() else 0
            try:
                self._start_on(port, 0)
            except MariadbError:
                if b"Address already in use" not in self.log_path.read_bytes()[logged:]:
                    raise
            else:
                self.port = port
                return
        raise MariadbError("no free port found:\n" + self.log_tail())

    def _start_on(self, port: int, port_wait_s: int) -> None:
        command = ["mariadbd", "--no-defaults", f"--datadir={self.directory / 'data'}", *USER, *STORAGE]
        command += [f"--port={port}", "--bind-address=127.0.0.1", f"--port-open-timeout={port_wait_s}"]
        command += [f"--socket={self.socket}", f"--pid-file={self.directory / 'pid'}", "--skip-name-resolve"]
        # A server that starts clears its tmpdir of what it takes for left-overs, also those of servers that run.
        command += [f"--tmpdir={self.directory / 'tmp'}"]
        command += ["--innodb-flush-log-at-trx-commit=1"]
        command += ["--innodb-buffer-pool-dump-at-shutdown=0", "--innodb-buffer-pool-load-at-startup=0"]
        command += ["--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M"]
        if self.ca_path is not None:
            command += [f"--ssl-ca={self.ca_path}", f"--ssl-cert={self.directory / 'server.pem'}"]
            command += [f"--ssl-key={self.directory / 'server.key'}"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.extra_args], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._wait_until_ready(self.process)
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Until the server greets. It does so only when it listens on both the socket and the port."""
        deadline = time.monotonic() + deadline_s(60)
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise MariadbError(f"mariadbd ended with status {process.returncode}:\n{self.log_tail()}")
            with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
                probe.settimeout(max(deadline - time.monotonic(), 0.001))
                probe.connect(self.socket)
                if probe.recv(5)[4:] == b"\x0a":
                    return
            time.sleep(0.01)
        raise MariadbError(f"mariadbd does not answer:\n{self.log_tail()}")

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise MariadbError("the server is not running")
        return self.process

    def stop(self) -> None:
        """Stops the server in order."""
        process = self._running()
        process.terminate()
        process.send_signal(signal.SIGCONT)
        try:
            status = process.wait(deadline_s(60))
        except subprocess.TimeoutExpired:
            self.kill()
            raise MariadbError(f"mariadbd does not stop:\n{self.log_tail()}") from None
        self.process = None
        if status != 0:
            raise MariadbError(f"mariadbd ended with status {status}:\n{self.log_tail()}")

    def kill(self) -> None:
        """Ends the server as a crash would."""
        process = self._running()
        process.kill()
        process.wait()
        self.process = None

    def pause(self) -> None:
        """Stops the server where it is, connections open; returns when it stands still."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kills the server if it runs and removes its directory. Leaving the `with` does this, or the exit."""
        atexit.unregister(self.close)
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log_tail(self, lines: int = 40) -> str:
        try:
            return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def sql(self, statement: str, database: str | None = None) -> list[list[str | None]]:
        """Runs the statement, or several with `;` between, as root; all rows of all results.

        NULL is None, and text comes back exactly, save that a zero byte becomes a space: ask for HEX() of such values.
        Bytes that are no UTF-8 come as Python's surrogate escapes, and go in the same way.
        """
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--protocol=socket", "--user=root"]
        command += ["--skip-password", "--xml", "--binary-mode", "--default-character-set=utf8mb4"]
        if database is not None:
            command.append(f"--database={database}")
        done = subprocess.run(
            command,
            env=ENVIRONMENT,
            input=statement.encode(errors="surrogateescape"),
            capture_output=True,
            timeout=deadline_s(60),
            check=False,
        )
        if done.returncode != 0:
            raise MariadbError(done.stderr.decode(errors="replace").strip())
        return list(_rows(done.stdout))

    def create_database(self, name: str, user: str, password: str) -> None:
        """A utf8mb4 database on which the user, made if need be, may do everything."""
        pattern = name.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
        statements = [f"CREATE DATABASE {_identifier(name)} CHARACTER SET utf8mb4"]
        for host in "127.0.0.1", "localhost":
            account = f"{_string(user)}@{_string(host)} IDENTIFIED BY {_string(password)}"
            statements.append(f"GRANT ALL ON {_identifier(pattern)}.* TO {account}")
        self.sql(";\n".join(statements))

    def url(self, database: str, user: str, password: str) -> str:
        user, password, database = (quote(part, safe="") for part in (user, password, database))
        return f"mysql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> "MariadbServer":
        try:
            if self.process is None:
                self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
