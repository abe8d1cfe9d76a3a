"""The server and its MariaDB, which are started, stopped and killed, and the links that lead to them."""

import pathlib
import shutil
import subprocess
import threading

from harness.mariadb import MariadbServer
from harness.mirror import Mirror
from harness.mysql_client import MysqlClient
from harness.mysql_proxy import MysqlProxy
from harness.server_process import PROGRAM, ServerProcess
from link import Link
from world import Violation, World

FLAGS = ["--log-level", "info", "--max-backlog-bytes", "512KiB", "--max-transaction-seconds", "5"]
MYSQL_FLAGS = ["--mysql-timeout-ms", "2000"]


class Machines:
    """Only the thread of the schedule and of the checks starts and ends processes; any may ask for `port`.

    Clients reach the server at `port`, or at `clients.port` through a link. The server reaches MariaDB through
    `to_mysql`, and behind it `commits`, which loses COMMITs.
    """

    def __init__(self, world: World, directory: pathlib.Path, threads: int, keep: bool):
        self.world = world
        self.directory = directory
        self.threads = threads
        self.keep = keep
        self.program = PROGRAM
        self.data = world.stores in ("sqlite", "both")
        self.mysql = world.stores in ("mysql", "both")
        self.server: ServerProcess | None = None
        self.port: int | None = None
        self.log_lock = threading.Lock()
        self.clients = Link(lambda: self.port, world.seed)
        if self.mysql:
            self.mariadb = MariadbServer()
            self.mariadb.start()
            self.db = Mirror(self.mariadb, "soak")
            self.commits = MysqlProxy(self.mariadb.port)
            self.to_mysql = Link(lambda: self.commits.port, world.seed + 1)

    def flags(self) -> list[str]:
        found = [*FLAGS, "--threads", str(self.threads)]
        if self.data:
            found += ["--data", str(self.directory / "data")]
        if self.mysql:
            found += [*MYSQL_FLAGS, "--mysql", self.db.url.replace(f":{self.mariadb.port}/", f":{self.to_mysql.port}/")]
        return found

    def start(self) -> None:
        self.world.incarnation += 1
        try:
            self.server = ServerProcess(*self.flags())
        except AssertionError as failure:
            raise Violation(f"the server does not start: {failure}") from None
        self.port = self.server.port

    def kill(self) -> None:
        server = self._gone()
        server.kill()
        self._keep_log(server, "killed")
        self.world.count("kills")

    def stop(self) -> None:
        """In order; it has to end with status 0."""
        server = self._gone()
        server.signal()
        try:
            status = server.wait()
        except subprocess.TimeoutExpired:
            self._keep_log(server, "does not stop")
            server.kill()
            raise Violation("the server does not stop") from None
        self._keep_log(server, f"ended with status {status}")
        assert server.process.stderr is not None
        server.process.stderr.close()
        if status != 0:
            raise Violation(f"the server stopped with status {status}")
        self.world.count("restarts")

    def ended_by_itself(self) -> int | None:
        """The status of a server that ended without being told to."""
        server = self.server
        return None if server is None or self.port is None else server.process.poll()

    def _gone(self) -> ServerProcess:
        assert self.server is not None
        self.port = None
        return self.server

    def _keep_log(self, server: ServerProcess, end: str) -> None:
        with self.log_lock, open(self.directory / "server.log", "a", encoding="utf-8") as log:
            log.write("\n".join([f"== server {self.world.incarnation}", *server.log, f"== {end}", ""]))

    def mysql_rows(self, table: str, columns: list[str]) -> list[list[str | None]]:
        client = MysqlClient(self.mariadb.socket, "soak")
        try:
            listed = ", ".join(f"`{c}`" for c in columns)
            return client.run(f"SELECT {listed} FROM `{table}` ORDER BY id").rows or []
        finally:
            client.close()

    def close(self) -> None:
        if self.port is not None and self.server is not None:
            self.kill()
        self.clients.close()
        if self.mysql:
            self.to_mysql.close()
            self.commits.__exit__()
            if self.keep or self.world.violations:
                if self.mariadb.process is not None:
                    self.mariadb.kill()
                shutil.copytree(self.mariadb.directory / "data", self.directory / "mariadb", dirs_exist_ok=True)
                shutil.copy(self.mariadb.log_path, self.directory / "mariadb.log")
            self.mariadb.close()
