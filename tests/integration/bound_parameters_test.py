"""Statements with values: in JSON, prepared, and executed at once; in both modes, over several workers, with users, in
transactions and for subscriptions; and what is hostile about them."""

import json
import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from access_test import WithUsers  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402

NASTY = ["", " ", "it's", "''", "null", "default", "now()", "b", "?", "x'); drop table t --", "a;b", "/* c */", "-- c",
         "a\nb\r\n\tc", "a\0b", "größe", "\U0001f600", '"quoted"', "\\", "`b`", "1e5", "-0", "(select 1)", "interval"]


def request(sql: str, values: list | None = None, **more: object) -> str:
    return json.dumps({"sql": sql, **({} if values is None else {"values": values}), **more})


def quoted(value: object) -> str:
    """As it stands behind `using`."""
    if value is None:
        return "null"
    return str(value) if isinstance(value, (int, float)) else "'" + value.replace("'", "''") + "'"


def immediate(sql: str, values: list) -> str:
    using = " using " + ", ".join(quoted(v) for v in values) if values else ""
    return f"execute immediate {quoted(sql)}{using}"


class Served(unittest.TestCase):
    flags: tuple[str, ...] = ("--threads", "4")

    def setUp(self) -> None:
        self.server = ServerProcess(*self.flags)
        self.addCleanup(self.server.__exit__, None)

    def connections(self):
        for connection in (self.server.framed(), self.server.text()):
            with connection:
                yield connection

    def ok(self, connection, statement: str) -> dict:
        reply = connection.ask(statement)
        self.assertEqual(reply["status"], "ok", (statement[:500], reply))
        return reply

    def refused(self, connection, statement: str) -> dict:
        reply = connection.ask(statement)
        self.assertEqual(reply["status"], "err", (statement[:500], reply))
        return reply


class Values(Served):
    def test_values_are_data_on_every_way(self) -> None:
        for number, connection in enumerate(self.connections()):
            table = f"t{number}"
            insert = f"insert into {table} (k, v) values (?, ?)"
            self.ok(connection, f"prepare put from '{insert}'")
            is_text_mode = number == 1
            for i, value in enumerate(NASTY):
                self.ok(connection, request(insert, [3 * i, value]))
                if is_text_mode and "\n" in value:
                    continue  # such a value is no part of a line
                self.ok(connection, immediate(insert, [3 * i + 1, value]))
                self.ok(connection, f"execute put using {3 * i + 2}, {quoted(value)}")
            for row_id, key, value in self.ok(connection, f"select * from {table}")["data"]:
                self.assertEqual(value, NASTY[int(key) // 3], (row_id, key))
            for value in NASTY:
                found = self.ok(connection, request(f"select k from {table} where v = ?", [value]))
                self.assertEqual({int(k) // 3 for (k,) in found["data"]}, {NASTY.index(value)}, value)

    def test_numbers_are_as_written(self) -> None:
        for number, connection in enumerate(self.connections()):
            table = f"n{number}"
            self.ok(connection, '{"sql":"insert into %s (a, b, c, d, e) values (?, ?, ?, ?, ?)",'
                                '"values":[1.10, -5, 123456789012345678901234567890, true, null]}' % table)
            row = self.ok(connection, f"select a, b, c, d, e from {table}")["data"]
            self.assertEqual(row, [["1.10", "-5", "123456789012345678901234567890", "1", None]])
            sums = self.ok(connection, request("select ? + ?, ? - ?, upper(?)", [1, 2.5, 3, -4, "x"]))["data"]
            self.assertEqual(sums, [["3.5", "7", "X"]])

    def test_numbers_of_requests_come_back(self) -> None:
        with self.server.text() as client:
            self.ok(client, "insert into many (a) values " + ", ".join(f"({i})" for i in range(250)))
            client.send(request("select a from many", id=9))
            for first in (1, 101, 201):
                batch = json.loads(client.read_reply())
                self.assertEqual((batch["requestid"], batch["fromrow"]), (9, first))
            client.send(request("select * from", id=10))
            self.assertEqual(json.loads(client.read_reply())["requestid"], 10)
            self.assertNotIn("requestid", self.ok(client, "status"))
            reply = self.ok(client, request("subscribe * from many where a = ?", [5], id=11))
            self.assertEqual((reply["requestid"], reply["action"]), (11, "subscribe"))
            self.assertNotIn("requestid", client.read_event())
        with self.server.framed() as client:
            number = client.send(request("status", id=12))
            got, text = client.read_message()
            self.assertEqual(got, number)
            self.assertNotIn("requestid", json.loads(text))

    def test_answers_keep_their_order(self) -> None:
        """Over several workers, with plain statements between."""
        with self.server.framed() as client:
            statements = []
            for i in range(300):
                statements.append(request(f"insert into t{i % 7} (a) values (?)", [i]))
                statements.append(f"insert into t{i % 5} (a) values ({i})")
                statements.append('{"sql"')
            numbers = [client.send(s) for s in statements]
            for number, statement in zip(numbers, statements):
                got, text = client.read_message()
                self.assertEqual(got, number)
                self.assertEqual(json.loads(text)["status"], "err" if statement == '{"sql"' else "ok")

    def test_the_same_as_plain_statements(self) -> None:
        """Random statements, again and again in the same forms, so that known forms are met as well."""
        choose = random.Random(5)
        with self.server.framed() as bound, self.server.framed() as plain:
            for client in (bound, plain):
                table = "bound" if client is bound else "plain"
                self.ok(client, f"key {table} k")
            self.ok(bound, "prepare up from 'update bound set v = ? where k = ?'")
            for _ in range(1500):
                key, value = choose.randrange(20), choose.choice([None, "x", "it's", "5", ""])
                kind = choose.randrange(4)
                if kind == 0:
                    template, values = "insert into {} (k, v) values (?, ?)", [key, value]
                elif kind == 1:
                    template, values = "update {} set v = ? where k = ?", [value, key]
                elif kind == 2:
                    template, values = "select k, v from {} where k > ? and v = ? order by k limit ?", [key, value, 5]
                else:
                    template, values = "delete from {} where k = ? and v = ?", [key, value]
                parts = template.format("plain").split("?")
                text = "".join(p + quoted(v) for p, v in zip(parts, values)) + parts[-1]
                expected = plain.ask(text)
                sql = template.format("bound")
                ways = [request(sql, values), immediate(sql, values)]
                if kind == 1:
                    ways.append("execute up using " + ", ".join(quoted(v) for v in values))
                got = bound.ask(choose.choice(ways))
                self.assertEqual({**got, "msg": ""}, {**expected, "msg": ""}, (text, got))


class Prepared(Served):
    flags = ("--threads", "4", "--max-prepared-statements", "3", "--max-prepared-bytes", "1000")

    def test_they_are_the_connections_own(self) -> None:
        with self.server.text() as one, self.server.text() as other:
            self.assertEqual(self.ok(one, "prepare p from 'select ? + ?'"),
                             {"status": "ok", "action": "prepare", "parameters": 2})
            self.assertEqual(self.ok(one, "execute p using 1, 2")["data"], [["3"]])
            self.assertEqual(self.refused(other, "execute p using 1, 2")["code"], 1243)
            self.ok(one, "prepare p from 'select ?'")
            self.assertEqual(self.ok(one, "execute p using 'x'")["data"], [["x"]])
            self.refused(one, "prepare p from 'selec ?'")
            self.assertEqual(self.ok(one, "execute p using 'y'")["data"], [["y"]])
            self.assertEqual(self.ok(one, "deallocate prepare p"), {"status": "ok", "action": "deallocate"})
            self.assertEqual(self.refused(one, "drop prepare p")["code"], 1243)

    def test_there_are_only_so_many(self) -> None:
        with self.server.framed() as client:
            for name in "abc":
                self.ok(client, f"prepare {name} from 'begin'")
            self.assertIn("--max-prepared-statements", self.refused(client, "prepare d from 'begin'")["msg"])
            self.assertIn("--max-prepared-bytes", self.refused(client, f"prepare a from 'select ''{'x' * 1000}'''")["msg"])
            self.ok(client, "drop prepare b")
            self.ok(client, "prepare d from 'commit'")
            limits = {row[0]: row[4] for row in self.ok(client, "show limits")["data"]}
            self.assertEqual((limits["max-prepared-statements"], limits["max-prepared-bytes"]), ("1", "1"))

    def test_mistakes(self) -> None:
        with self.server.text() as client:
            for statement, words, offset in (
                (request("select * from t where a = ? and b = ?", [1]), "expected 2 values", 36),
                (request("select * from t where a = ?"), "`?` without a value", 26),
                (request("select * from t where a = b?", [1]), "needs quotes", 26),
                ("execute immediate 'select ?'", "expected 1 value, one for each `?`, found 0", 7),
                (request("execute immediate 'begin'", [1]), "other than prepare, execute and deallocate", 18),
                (request("select 1; select 2"), "expected `,` or `from`", 8),
            ):
                reply = self.refused(client, statement)
                self.assertIn(words, reply["msg"])
                self.assertEqual(reply["offset"], offset, reply)


class Together(Served):
    def test_transactions(self) -> None:
        with self.server.framed() as client, self.server.framed() as other:
            self.ok(client, "insert into a (n) values (1)")
            self.ok(client, "insert into b (n) values (1)")
            self.ok(client, "prepare up from 'update b set n = n + ?'")
            self.ok(client, request("begin"))
            self.ok(client, request("update a set n = n + ?", [10]))
            self.ok(client, "execute up using 10")
            self.assertEqual(self.ok(client, immediate("select n from a where n > ?", [5]))["data"], [["11"]])
            self.ok(client, "execute immediate 'rollback'")
            self.assertEqual(self.ok(other, "select n from a")["data"], [["1"]])
            self.ok(client, "begin")
            self.ok(client, "execute up using 5")
            self.ok(client, "commit")
            self.assertEqual(self.ok(other, "select n from b")["data"], [["6"]])

    def test_several_tables(self) -> None:
        with self.server.framed() as client:
            for i in range(6):
                self.ok(client, f"insert into t{i} (n) values ({i})")
            for i in range(6):
                sql = f"select n from t{i} where n < (select max(n) + ? from t{5 - i}) and n <> ?"
                expected = self.ok(client, f"select n from t{i} where n < (select max(n) + 3 from t{5 - i}) and n <> 9")
                self.assertEqual(self.ok(client, request(sql, [3, 9]))["data"], expected["data"])
            self.ok(client, request("insert into t0 (n) select n from t5 where n = ?", [5]))
            self.assertEqual(self.ok(client, "select n from t0")["data"], [["0"], ["5"]])

    def test_subscriptions(self) -> None:
        for number, (watcher, writer) in enumerate(
            ((self.server.framed(), self.server.text()), (self.server.text(), self.server.framed()))
        ):
            with watcher, writer:
                table = f"stocks{number}"
                self.ok(writer, request(f"insert into {table} (ticker, bid) values (?, ?)", ["IBM", 5]))
                first = self.ok(watcher, request(f"subscribe * from {table} where bid > ? and ticker <> ?", [3, "b"]))
                self.assertEqual(watcher.read_event()["data"], [["0", "IBM", "5"]])
                self.ok(watcher, "prepare w from 'subscribe skip * from " + table + " where ticker = ?'")
                self.ok(watcher, "execute w using 'SAP'")
                self.ok(writer, request(f"insert into {table} (ticker, bid) values (?, ?)", ["SAP", 1]))
                self.assertEqual(watcher.read_event()["data"], [["1", "SAP", "1"]])
                # The filter holds when columns come.
                self.ok(writer, request(f"update {table} set venue = ?, bid = ? where ticker = ?", ["X", 9, "IBM"]))
                event = watcher.read_event()
                self.assertEqual((event["pubsubid"], event["action"]), (first["pubsubid"], "update"))

    def test_streams_answer_only_when_they_fail(self) -> None:
        with self.server.framed() as client:
            self.ok(client, "prepare s from 'insert into s (a) values (?)'")
            client.send(request("stream insert into s (a) values (?)", [1]))
            client.send("stream execute s using 2")
            client.send("stream execute immediate 'insert into s (a) values (?)' using 3")
            failing = client.send("stream execute s using 1, 2")
            client.send("select a from s")
            got, text = client.read_message()
            self.assertEqual((got, json.loads(text)["status"]), (failing, "err"))
            self.assertEqual(json.loads(client.read_message()[1])["data"], [["1"], ["2"], ["3"]])


class Hostile(Served):
    flags = ("--threads", "2", "--max-statement-bytes", str(4 << 20))

    def test_many_values(self) -> None:
        with self.server.framed() as client:
            sql = "insert into t (a) values " + ",".join(["(?)"] * 100_000)
            self.assertEqual(self.ok(client, request(sql, list(range(100_000))))["rows"], 100_000)
            self.assertIn("expected 100000 values", self.refused(client, request(sql, [1] * 99_999))["msg"])

    def test_large_values(self) -> None:
        with self.server.framed() as client:
            large = "x" * (3 << 20)
            self.ok(client, request("insert into t (a) values (?)", [large]))
            self.assertEqual(self.ok(client, "select length(a) from t")["data"], [[str(3 << 20)]])
            self.assertIn("--max-statement-bytes",
                          self.refused(client, request("insert into t (a) values (?)", ["'" * (3 << 20)]))["msg"])
            self.ok(client, "prepare p from 'insert into t (b, a) values (''" + "y" * (2 << 20) + "'', ?)'")
            self.assertIn("--max-statement-bytes", self.refused(client, f"execute p using '{large}'")["msg"])
            self.ok(client, "execute p using 'x'")

    def test_what_is_no_request(self) -> None:
        with self.server.framed() as client:
            for payload in ("{", "{}", '{"sql"', '{"sql":' + "[" * 1_000_000, '{"sql":"x","values":' + '[{"a":' * 100_000,
                            '{"sql":"status"} x', '{"sql":"status","sql":"status"}', '{"sql":"status","more":1}',
                            '{"sql":"select ?","values":[1e400]}', '{"sql":"select ?","values":["\\ud800"]}'):
                self.assertNotIn("offset", self.refused(client, payload))
            client.socket.sendall(b"\0\0\0\x0a\0\0\0\x63" + b'{"sql":"\xff"')
            self.assertIn("no valid JSON at byte 9", client.read_reply())
            self.ok(client, "status")


class Users(WithUsers):
    def test_rights_are_asked_about_what_is_executed(self) -> None:
        with self.server() as server:
            root = self.login(server, "root")
            self.done(root, "insert into orders (owner, item) values ('web', 'pen'), ('root', 'desk')")
            self.done(root, "insert into stocks (ticker) values (IBM)")
            web = self.login(server, "web", framed=False)
            self.assertEqual(self.done(web, request("select item from orders where item > ?", ["a"]))["data"], [["pen"]])
            self.done(web, "prepare put from 'insert into stocks (ticker) values (?)'")
            for _ in range(3):
                self.refused(web, "execute put using 'SAP'", 1142)
                self.refused(web, request("insert into stocks (ticker) values (?)", ["SAP"]), 1142)
                self.refused(web, "execute immediate 'delete from stocks'", 1142)
            self.refused(web, request("insert into orders (owner, item) values (?, ?)", ["root", "lamp"]), 1369)
            self.done(root, "grant insert on stocks to 'web'")
            self.done(web, "execute put using 'SAP'")

    def test_nobody_prepares_anything_before_it_is_known_who_they_are(self) -> None:
        with self.server() as server, server.text() as stranger:
            for statement in ("prepare p from 'begin'", "execute p", "deallocate prepare p",
                              "execute immediate 'select 1'", request("select ?", [1])):
                self.refused(stranger, statement, 1045)
            self.assertNotIn("sesame", json.dumps(stranger.ask("execute immediate 'auth web ?' using sesame")))
            self.assertNotIn("sesame", json.dumps(stranger.ask("prepare p from 'auth web sesame' sesame")))
            self.done(stranger, request("auth ? ?", ["web", "web-secret"]))
            self.assertEqual(self.done(stranger, "select current_user() as u")["data"], [["web"]])


if __name__ == "__main__":
    unittest.main()
