#!/usr/bin/env python3
"""Plays a .test file against the real server. README.md beside this file describes the format.

Usage: run_script.py [--text] [--threads N] [--store STORE] FILE...
"""

import argparse
import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Connection  # noqa: E402



@contextlib.contextmanager
def memory() -> Iterator[list[str]]:
    yield []


@contextlib.contextmanager
def sqlite(*flags: str) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory(prefix="pubsubsql-script-") as directory:
        yield ["--data", directory, *flags]


@contextlib.contextmanager
def mysql(*flags: str) -> Iterator[list[str]]:
    from harness.mariadb import MariadbServer  # most runs need none

    with MariadbServer() as server:
        server.create_database("scripts", "app", "secret")
        yield ["--mysql", server.url("scripts", "app", "secret"), *flags]


@contextlib.contextmanager
def mysql_and_sqlite() -> Iterator[list[str]]:
    with sqlite() as below, mysql(*below) as flags:
        yield flags


# What a server is started with so that it keeps its tables there, fresh each time. Replies are the same with every store.
STORES = {
    "memory": memory,
    "sqlite": sqlite,
    "sqlite-memory-ack": lambda: sqlite("--ack", "memory"),
    "mysql": mysql,
    "mysql-memory-ack": lambda: mysql("--ack", "memory"),
    "mysql-sqlite": mysql_and_sqlite,
}

ESCAPES = {"\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\"}


class Failure(Exception):
    pass


class Player:
    """Plays the steps of one file."""

    def __init__(self, server: ServerProcess, text_mode: bool):
        self.server = server
        self.text_mode = text_mode
        self.clients: dict[str, Connection] = {}
        self.names: dict[str, str] = {}
        self.subscribed: dict[str, set[str]] = {}
        self.pending_rows: dict[str, list[tuple[str, str, str, str]]] = {}

    def client(self, name: str) -> Connection:
        if name not in self.clients:
            self.clients[name] = self.server.text() if self.text_mode else self.server.framed()
            self.subscribed[name] = set()
            self.pending_rows[name] = []
        return self.clients[name]

    def play(self, line: str) -> None:
        if line == "quiet":
            return self.expect_quiet()
        if repeated := re.fullmatch(r"repeat (\d+) (.+)", line):
            for i in range(int(repeated[1])):
                self.play(repeated[2].replace("{i}", str(i)))
            return
        step = re.fullmatch(r"(\w+)(>>|>|<rows|<|!!|!) ?(.*)", line)
        if not step:
            raise Failure("this is no step; see tests/script/README.md")
        name, kind, text = step.groups()
        if kind in (">", ">>"):
            self.send(name, text)
        elif kind == "<":
            self.expect_text(text, self.client(name).read_reply())
        elif kind == "!!":
            self.expect_text(text, json.dumps(self.client(name).read_event(), separators=(",", ":"), ensure_ascii=False))
        elif kind == "<rows":
            self.expect_batches(name, text)
        else:
            self.expect_event(name, text)

    def send(self, name: str, text: str) -> None:
        statement = re.sub(r"\\[nt0\\]", lambda m: ESCAPES[m[0]], text)
        for known, value in self.names.items():
            statement = statement.replace("$" + known, value)
        if subscribed := re.match(r"(?i)subscribe (?:skip )?\* from (\w+)", statement):
            self.client(name)
            self.subscribed[name].add(subscribed[1])
        self.client(name).send(statement)

    def expect_text(self, expected: str, got: str) -> None:
        """`$name` in what is expected takes or compares digits; all else is compared as it is."""
        pattern = ""
        taken = []
        for part in re.split(r"(\$[a-z]\w*)", expected):
            if not part.startswith("$"):
                pattern += re.escape(part)
            elif part[1:] in self.names:
                pattern += re.escape(self.names[part[1:]])
            else:
                taken.append(part[1:])
                pattern += r"(\d+)"
        match = re.fullmatch(pattern, got, re.DOTALL)
        if not match:
            raise Failure(f"expected  {expected}\ngot       {got}")
        self.names.update(zip(taken, match.groups()))

    def expect_batches(self, name: str, text: str) -> None:
        count, action, columns = text.split()
        seen = 0
        while seen < int(count):
            batch = json.loads(self.client(name).read_reply())
            last = min(seen + 100, int(count))
            expected = {"status": "ok", "action": action, "columns": columns.split(","), "rows": int(count),
                        "fromrow": seen + 1, "torow": last}
            rows = batch.pop("data", [])
            if batch != expected or len(rows) != last - seen:
                raise Failure(f"expected  {expected} and {last - seen} rows\ngot       {batch} and {len(rows)} rows")
            seen = last

    def expect_event(self, name: str, text: str) -> None:
        match = re.fullmatch(r"(\w+) \$(\w+) (\S+):((?: \[.*?\])+)", text)
        if not match:
            raise Failure("an event is told as: client! action $name column,...: [values] ...")
        action, subscription, columns, rows = match.groups()
        if subscription not in self.names:
            raise Failure(f"${subscription} has no value yet")
        for row in json.JSONDecoder().decode("[" + re.sub(r"\] \[", "],[", rows.strip()) + "]"):
            expected = (action, self.names[subscription], columns, json.dumps(row))
            got = self.next_event_row(name)
            if got != expected:
                raise Failure(f"expected the event  {expected}\ngot                 {got}")

    def next_event_row(self, name: str) -> tuple[str, str, str, str]:
        rows = self.pending_rows[name]
        if not rows:
            event = self.client(name).read_event()
            count = len(event["data"])
            if not 1 <= count <= 100 or (event["rows"], event["fromrow"], event["torow"]) != (count, 1, count):
                raise Failure(f"an event that does not count its rows right: {event}")
            for values in event["data"]:
                columns = ",".join(event["columns"])
                rows.append((event["action"], event["pubsubid"], columns, json.dumps(values)))
        return rows.pop(0)

    def expect_quiet(self) -> None:
        """A table's events come before the reply to a statement about it sent later: so what is to come has come."""
        for name, client in self.clients.items():
            for table in sorted(self.subscribed[name]) or [""]:
                client.send(f"describe {table}" if table else "status")
                reply = client.read_reply()
                if '"action":"describe"' not in reply and '"action":"status"' not in reply:
                    raise Failure(f"client {name} had a reply that was not expected: {reply}")
            if self.pending_rows[name] or client.events:
                raise Failure(f"client {name} had events that were not expected: "
                              f"{self.pending_rows[name]} {client.events}")


def play_file(path: Path, text_mode: bool, threads: int, store: str) -> None:
    lines = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
    flags = [flag for line in lines if line.startswith("server:") for flag in line.split()[1:]]
    with (
        STORES[store]() as store_flags,
        ServerProcess("--threads", str(threads), "--log-level", "warning", *store_flags, *flags) as server,
    ):
        player = Player(server, text_mode)
        try:
            for number, line in enumerate(lines, 1):
                if line and not line.startswith(("#", "server:")):
                    player.play(line)
            number, line = len(lines) + 1, "(the end of the file)"
            player.expect_quiet()
        except Exception as problem:
            raise Failure(f"{path}:{number}: {line}\n{type(problem).__name__}: {problem}") from problem
        finally:
            for client in player.clients.values():
                client.close()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--text", action="store_true", help="use text mode instead of frames")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--store", choices=STORES, default="memory", help="where the server keeps its tables")
    arguments.add_argument("files", nargs="+", type=Path)
    wanted = arguments.parse_args()
    try:
        for path in wanted.files:
            play_file(path, wanted.text, wanted.threads, wanted.store)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
