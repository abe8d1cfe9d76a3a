"""The same random statements on PubSubSQL and on MariaDB: the same rows, the same errors."""

import os
import random
import re
import sys
import unittest
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mysql_client import Answer, MysqlClient  # noqa: E402
from harness.random_sql import Generator, Table  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection  # noqa: E402

SEED = int(os.environ.get("PUBSUBSQL_DIFFERENTIAL_SEED", "1"))
STATEMENTS = int(os.environ.get("PUBSUBSQL_DIFFERENTIAL_STATEMENTS", "4000"))
STATEMENTS_PER_SCHEMA = 250

SQL_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,PIPES_AS_CONCAT"
)

mariadb = MariadbServer(extra_args=["--innodb-flush-log-at-trx-commit=0"])
setUpModule, tearDownModule = mariadb.start, mariadb.close


class KnownDifference(NamedTuple):
    statement: str
    theirs: str
    ours: str
    reason: str


ANY = ""
CHANGE = "^(insert|replace|update|delete)"

# Patterns of the statement, of MariaDB's answer and of ours; an answer is its code and message, or its rows.
KNOWN = [
    KnownDifference(CHANGE, "error (1292|1365)", ANY, "which rows and branches MariaDB converts before it knows the answer"),
    KnownDifference(CHANGE, ANY, "error (1292|1365)", "the same: MariaDB has converted a constant before, or not looked"),
    KnownDifference(CHANGE, "error 1367", "error 1264", "a number too large for a double is no syntax error"),
    KnownDifference("(round|truncate|floor|ceil)\\(", ANY, ANY, "times are rounded as numbers; doubles keep no fixed digits"),
    KnownDifference("(second|minute|hour|microsecond)\\(", ANY, ANY, "a text that is a date is no time of 00:20:26"),
    KnownDifference("(greatest|least)\\(", ANY, ANY, "what is no date is NULL beside one, not a date of zeros; digits of a second"),
    KnownDifference("from_unixtime|interval", "\\.\\d", "\\.\\d", "digits of a second follow the value, not its type"),
    KnownDifference("insert .* select ", ANY, ANY, "the query inside is not in strict mode"),
    KnownDifference("avg\\(", ANY, ANY, "averages of doubles keep no fixed digits, those of integers do"),
    KnownDifference("month\\(", ANY, ANY, "a time has no day here, in MariaDB that of today"),
    KnownDifference(ANY, "0\\.1|16777200|3e38|0000", ANY, "floats and years as texts: not in the column's own form"),
    KnownDifference(ANY, "error 1690", ANY, "overflows in what need not be computed"),
    KnownDifference("/|avg", ANY, ANY, "MariaDB reckons on with more digits of a quotient than it shows"),
    KnownDifference("(order|group) by \\(- [\\d.e]+\\)", "error 1054", ANY, "a negative number is no place in the list"),
    KnownDifference("last_day", ANY, ANY, "a date and a datetime keep their own digits of a second"),
    KnownDifference(CHANGE, "error 1441", ANY, "beyond the dates there are, NULL"),
    KnownDifference("insert ignore", ANY, "error", "ignore leaves out duplicates and forgives nothing else"),
    KnownDifference(CHANGE, "rows", "error 1048", "a NULL that an expression gives is refused, too"),
    KnownDifference("date_(add|sub)|nullif|coalesce", "\\d\\d:\\d\\d", ANY, "a number of years too large gives NULL; digits of a second"),
    KnownDifference("not in \\(select", ANY, ANY, "texts beside numbers are looked up otherwise"),
    KnownDifference("`c\\d` [<>=]+ \\(?\\d|[<>=]+ \\(`c\\d`\\)", ANY, ANY, "years below 100, labels and dates beside numbers"),
    KnownDifference("between|'[^']*' (=|<|>|<=|>=|<=>|<>|!=) ", ANY, ANY, "more than two types in one comparison"),
]


def shown(answer: Answer) -> str:
    if answer.code:
        return f"error {answer.code}: {answer.message}"
    return f"{answer.rows}" if answer.rows is not None else f"{answer.count} rows"


class Differential(unittest.TestCase):
    def ask_ours(self, client: FramedConnection, statement: str) -> Answer:
        reply = client.ask(statement)
        if reply["status"] != "ok":
            return Answer(reply.get("code", -1), reply["msg"], None, 0)
        if "data" in reply:
            return Answer(0, "", reply["data"], len(reply["data"]))
        return Answer(0, "", [] if statement.startswith("select") else None, reply.get("rows", 0))

    def same(self, statement: str, ours: Answer, theirs: Answer) -> bool:
        if ours.code != theirs.code:
            return False
        if theirs.code or theirs.rows is None:
            return True
        if " order by " in statement:
            return ours.rows == theirs.rows
        key = lambda row: [(v is not None, v or "") for v in row]  # noqa: E731
        return sorted(ours.rows or [], key=key) == sorted(theirs.rows, key=key)

    def is_known(self, statement: str, ours: Answer, theirs: Answer) -> bool:
        return any(
            re.search(k.statement, statement) and re.search(k.theirs, shown(theirs)) and re.search(k.ours, shown(ours))
            for k in KNOWN
        )

    def make_equal(self, client: FramedConnection, table: Table, rows: list[list[str | None]]) -> None:
        """Gives our table MariaDB's rows, so that what follows is compared again."""
        self.assertEqual(self.ask_ours(client, f"delete from `{table.name}`").code, 0)
        for row in rows:
            values = ", ".join("null" if v is None else "'" + v.replace("'", "''") + "'" for v in row)
            answer = self.ask_ours(client, f"insert into `{table.name}` ({table.names()}) values ({values})")
            self.assertEqual(answer.code, 0, answer.message)

    def compare(self, schema: int, statements: int, client: FramedConnection, theirs: MysqlClient) -> list[str]:
        r = random.Random(SEED * 1000 + schema)
        tables = [Table(f"t{schema}_{i}", r) for i in range(2)]
        found = []
        for t in tables:
            self.assertEqual(theirs.ask(t.create()).code, 0, t.create())
            answer = self.ask_ours(client, t.create())
            self.assertEqual(answer.code, 0, f"{t.create()}: {answer.message}")
        generator = Generator(r.getrandbits(32), tables)
        for _ in range(statements):
            statement = generator.statement()
            expected = theirs.ask(statement)
            answer = self.ask_ours(client, statement)
            if not self.same(statement, answer, expected) and not self.is_known(statement, answer, expected):
                found.append(f"{statement}\n  MariaDB: {shown(expected)}\n  ours:    {shown(answer)}")
            if statement.startswith("select"):
                continue
            whole = f"select {generator.table.names()} from `{generator.table.name}` order by `n`"
            rows, our_rows = theirs.run(whole).rows or [], self.ask_ours(client, whole).rows
            if rows != our_rows:
                if answer.code == expected.code:
                    left = [row for row in rows if row not in (our_rows or [])]
                    right = [row for row in our_rows or [] if row not in rows]
                    if not self.is_known(statement, answer._replace(rows=right), expected._replace(rows=left)):
                        found.append(f"{statement}\n  MariaDB has: {left}\n  we have:     {right}")
                self.make_equal(client, generator.table, rows)
        return found

    def test_random_statements(self) -> None:
        mariadb.sql("create database d character set utf8mb4 collate utf8mb4_nopad_bin")
        theirs = MysqlClient(mariadb.socket, "d")
        self.addCleanup(theirs.close)
        theirs.run("set names utf8mb4 collate utf8mb4_nopad_bin")
        theirs.run(f"set sql_mode = '{SQL_MODE}', time_zone = '+00:00'")
        found = []
        with ServerProcess() as server, server.framed() as client:
            for schema in range(-(-STATEMENTS // STATEMENTS_PER_SCHEMA)):
                done = schema * STATEMENTS_PER_SCHEMA
                found += self.compare(schema, min(STATEMENTS_PER_SCHEMA, STATEMENTS - done), client, theirs)
        self.assertEqual(len(found), 0, f"{len(found)} differences, seed {SEED}:\n" + "\n".join(found[:60]))


if __name__ == "__main__":
    unittest.main()
