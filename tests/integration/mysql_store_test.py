"""Runs the tests of MySQL as a store, which need no server of ours, against a MariaDB of their own."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbError, MariadbServer  # noqa: E402


class Answers:
    """What the tests ask for, a line each, and the answer in a line."""

    def __init__(self, mariadb: MariadbServer):
        self.mariadb = mariadb
        self.databases = 0

    def to(self, line: str) -> str | None:
        """None: the line was no question."""
        word, _, rest = line.partition(" ")
        if line == "database":
            self.databases += 1
            self.mariadb.create_database(self.name(), "tester", "secret")
            return self.mariadb.url(self.name(), "tester", "secret")
        if line == "stop":
            self.mariadb.kill()
            return "stopped"
        if line == "start":
            self.mariadb.start()
            return "started"
        if line == "pause":
            self.mariadb.pause()
            return "paused"
        if line == "resume":
            self.mariadb.resume()
            return "resumed"
        if line == "running":
            return "no" if self.mariadb.process is None else "yes"
        if word == "sql":
            try:
                rows = self.mariadb.sql(rest, self.name())
            except MariadbError as e:
                return str(e).replace("\n", " ")
            return ";".join("|".join("NULL" if v is None else v for v in row) for row in rows)
        return None

    def name(self) -> str:
        return f"store{self.databases}"


def main() -> int:
    command = [os.environ["PUBSUBSQL_MYSQL_STORE_TESTS"], *sys.argv[1:]]
    with MariadbServer() as mariadb:
        answers = Answers(mariadb)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as tests:
            assert tests.stdin is not None and tests.stdout is not None
            for line in tests.stdout:
                answer = answers.to(line.rstrip("\n"))
                if answer is None:
                    print(line, end="", flush=True)
                    continue
                tests.stdin.write(answer + "\n")
                tests.stdin.flush()
        return tests.returncode


if __name__ == "__main__":
    sys.exit(main())
