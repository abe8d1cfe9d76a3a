"""Statements over HTTP: POST /sql, GET /tables/T, GET /events."""

import resource
import socket
import sys
import time
import unittest
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.http import EventStream, HttpConnection  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import deadline_s  # noqa: E402


def subscribe(sql: str) -> str:
    return "/events?sql=" + quote(sql)


class Case(unittest.TestCase):
    flags: tuple[str, ...] = ("--threads", "2")

    def setUp(self) -> None:
        self.server = ServerProcess(*self.flags, http=True)
        self.addCleanup(self.server.__exit__, None)
        self.http = self.connect()

    def connect(self) -> HttpConnection:
        connection = HttpConnection(self.server.http_port)
        self.addCleanup(connection.close)
        return connection

    def events(self, sql: str, **more) -> EventStream:
        stream = EventStream(self.server.http_port, subscribe(sql), **more)
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200, stream.body)
        return stream

    def done(self, sql: str):
        answer = self.http.sql(sql)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def refused(self, answer, status: int, text: str) -> dict:
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        error = answer.json()
        self.assertEqual(error["status"], "err")
        self.assertIn(text, error["msg"])
        return error


class Sql(Case):
    def test_one_statement_has_one_reply(self) -> None:
        self.assertEqual(self.done("insert into t (a) values (1)"), {"status": "ok", "action": "insert", "rows": 1})
        reply = self.done("select * from t;")
        self.assertEqual(reply["data"], [["0", "1"]])
        self.assertNotIn("requestid", reply)

    def test_all_rows_come_in_one(self) -> None:
        self.done("insert into t (a) values " + ", ".join(f"({i})" for i in range(1000)))
        reply = self.done("select a from t")
        self.assertEqual([row[0] for row in reply["data"]], [str(i) for i in range(1000)])
        self.assertEqual((reply["rows"], reply["fromrow"], reply["torow"]), (1000, 1, 1000))

    def test_a_script_has_a_list_of_replies(self) -> None:
        replies = self.done("insert into t (a) values ('x;y'); -- a comment\n select a from t; select 1 as b")
        self.assertEqual([reply["action"] for reply in replies], ["insert", "select", "select"])
        self.assertEqual(replies[1]["data"], [["x;y"]])

    def test_a_script_ends_at_its_first_error(self) -> None:
        answer = self.http.sql("insert into t (a) values (1); select nonsense from; insert into t (a) values (2)")
        self.assertEqual(answer.status, 400)
        replies = answer.json()
        self.assertEqual([reply["status"] for reply in replies], ["ok", "err"])
        self.assertIn("offset", replies[1])
        self.assertEqual(self.done("select a from t")["data"], [["1"]])

    def test_errors_are_those_of_every_protocol(self) -> None:
        with self.server.framed() as framed:
            for statement in ("select * from nothing", "selct", "drop table t", "auth web secret", "select 1 +"):
                expected = framed.ask(statement)
                self.assertEqual(expected["status"], "err", statement)
                answer = self.http.sql(statement)
                self.assertEqual((answer.status, answer.json()), (400, expected))

    def test_streamed_statements_have_no_reply(self) -> None:
        answer = self.http.sql("stream insert into t (a) values (1)")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(self.http.sql("stream insert into t (a) values (1); stream insert into u (a) values (2)").status, 204)
        replies = self.done("stream insert into t (a) values (1); select count(*) as n from t; stream update t set a = 2")
        self.assertEqual([reply["data"] for reply in replies], [[["3"]]])
        self.refused(self.http.sql("stream insert into t (a, a) values (1)"), 400, "a")
        self.assertEqual(self.http.sql("stream status; stream show tables; stream begin; stream rollback").status, 200)

    def test_a_transaction_that_is_left_is_rolled_back(self) -> None:
        self.done("insert into t (a) values (1)")
        self.done("begin; update t set a = 2")
        self.assertEqual(self.done("select a from t")["data"], [["1"]])
        self.done("begin; update t set a = 3; commit")
        self.assertEqual(self.done("select a from t")["data"], [["3"]])

    def test_statements_without_an_answer(self) -> None:
        self.assertEqual(self.http.sql("close").status, 204)
        self.assertEqual(len(self.done("select 1 as a; close; select 2 as a")), 1)

    def test_subscriptions_are_elsewhere(self) -> None:
        self.refused(self.http.sql("subscribe * from t"), 400, "/events")

    def test_json(self) -> None:
        self.assertEqual(self.http.json_sql({"sql": "select 1 as a"}).json()["data"], [["1"]])
        replies = self.http.json_sql([{"sql": "select 1 as a"}, {"sql": "select 2 as a"}]).json()
        self.assertEqual([reply["data"] for reply in replies], [[["1"]], [["2"]]])
        self.assertEqual(len(self.http.json_sql([{"sql": "select 1 as a"}]).json()), 1)

    def test_values_are_data(self) -> None:
        evil = "'; drop table t; --"
        inserted = self.http.json_sql({"sql": "insert into t (a, b) values (?, ?)", "values": [evil, None]})
        self.assertEqual(inserted.status, 200, inserted.body)
        found = self.http.json_sql({"sql": "select a, b from t where a = ?", "values": [evil]}).json()
        self.assertEqual(found["data"], [[evil, None]])
        self.refused(self.http.json_sql({"sql": "select a from t where a = ?", "values": []}), 400, "?")

    def test_csv(self) -> None:
        self.done("""insert into t (a, b) values ('say "x", y', null), ('', 'é')""")
        answer = self.http.sql("select a, b from t", Accept="text/csv")
        self.assertTrue(answer.headers["Content-Type"].startswith("text/csv"))
        self.assertEqual(answer.text(), 'a,b\r\n"say ""x"", y",\r\n"",é\r\n')
        self.assertEqual(self.http.sql("select 1 as a", Accept="application/json, text/csv").json()["rows"], 1)
        self.assertEqual(self.http.sql("select 1 as a", Accept="text/csv;q=0.0, */*").json()["rows"], 1)
        self.assertEqual(self.http.sql("delete from t", Accept="text/csv").json()["rows"], 2)
        self.refused(self.http.sql("select nonsense from", Accept="text/csv"), 400, "expected")
        self.refused(self.http.sql("select 1; select 2", Accept="text/csv"), 406, "one")

    def test_bodies_that_are_none(self) -> None:
        self.refused(self.http.request("POST", "/sql", "select 1"), 415, "Content-Type")
        self.refused(self.http.sql("a=1", "application/x-www-form-urlencoded"), 415, "Content-Type")
        coded = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
        self.refused(self.http.request("POST", "/sql", "select 1", coded), 415, "Content-Encoding")
        self.assertEqual(self.http.sql("select 1 as a", "Text/Plain; charset=utf-8").status, 200)
        for empty in ("", " ; -- nothing\n;"):
            self.refused(self.http.sql(empty), 400, "no statement")
        for wrong in ("", "[]", "7", "{}", '{"sql":7}', "[" * 1_000_000, '{"sql":"select ?","values":' + "[" * 1_000_000):
            self.assertEqual(self.http.sql(wrong, "application/json").status, 400, wrong[:20])
        self.refused(self.http.request("GET", "/sql"), 405, "method")
        self.refused(self.http.request("POST", "/sql?sql=select", "select 1"), 400, "parameters")

    def test_hostile_texts(self) -> None:
        for hostile in (b"select \xff", b"select '\0' as a from nowhere", b"\xef\xbb\xbf", b"\0" * 1000, b"'" * 10_001,
                        b"select " + b"(" * 100_000, b"/*" * 1000):
            self.assertIn(self.http.sql(hostile).status, (200, 400), hostile[:20])
        self.assertEqual(self.done("select 1 as a")["data"], [["1"]])


class Limits(Case):
    flags = ("--threads", "2", "--max-statement-bytes", "100000", "--max-result-bytes", "50000")

    def test_too_large_a_body(self) -> None:
        self.refused(self.http.sql("select '" + "x" * 200_000 + "'"), 413, "--max-statement-bytes")
        self.assertEqual(self.connect().sql("select 1 as a").status, 200)

    def test_too_large_a_result(self) -> None:
        self.done("insert into t (a) values " + ", ".join(f"('{'x' * 1000}')" for _ in range(45)))
        self.assertEqual(self.http.sql("select a from t").status, 200)
        self.done("insert into t (a) values " + ", ".join(f"('{'x' * 1000}')" for _ in range(45)))
        self.refused(self.http.sql("select a from t"), 400, "--max-result-bytes")
        answer = self.http.sql("select a from t limit 40; " * 10)
        self.assertEqual(answer.status, 400)
        replies = answer.json()
        self.assertEqual([reply["status"] for reply in replies], ["ok", "ok", "err"])
        self.assertIn("--max-result-bytes", replies[-1]["msg"])

    def test_a_script_of_many_statements(self) -> None:
        self.done("create table t (a int); insert into t (a) values (0)")
        answer = self.http.sql("stream update t set a = a + 1;" * 3_000)
        self.assertEqual(answer.status, 204, answer.body)
        self.assertEqual(self.done("select a from t")["data"], [["3000"]])

    def test_a_client_that_leaves(self) -> None:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", self.server.http_port)) as s:
                body = b"stream insert into gone (a) values (1);" * 1000
                s.sendall(b"POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sql\r\n"
                          b"Content-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])
        self.assertEqual(self.http.sql("select 1 as a").status, 200)
        self.refused(self.http.sql("select * from gone"), 400, "does not exist")


class Tables(Case):
    def setUp(self) -> None:
        super().setUp()
        self.done("insert into stocks (ticker, bid) values (IBM, 5), (AMD, 3), (MSFT, 7); insert into `a b/c` (x) values (1)")

    def rows(self, target: str) -> list:
        answer = self.http.get(target)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["data"]

    def test_rows(self) -> None:
        self.assertEqual(len(self.rows("/tables/stocks")), 3)
        self.assertEqual(self.rows("/tables/stocks?columns=ticker&where=bid%20%3E%204&order=bid%20desc"), [["MSFT"], ["IBM"]])
        self.assertEqual(self.rows("/tables/stocks?columns=ticker,bid&order=ticker&limit=1&offset=1"), [["IBM", "5"]])
        self.assertEqual(self.rows("/tables/stocks?columns=ticker&where=bid%20%3E%204&order=bid%20DESC"), [["MSFT"], ["IBM"]])
        self.assertEqual(self.rows("/tables/stocks?columns=ticker&where=ticker+=+AMD"), [["AMD"]])
        self.assertEqual(self.rows("/tables/" + quote("a b/c", safe="")), [["0", "1"]])
        self.assertEqual(self.http.request("HEAD", "/tables/stocks").body, b"")
        csv = self.http.get("/tables/stocks?columns=bid&order=bid", Accept="text/csv")
        self.assertEqual(csv.text(), "bid\r\n3\r\n5\r\n7\r\n")

    def test_what_is_not_there(self) -> None:
        self.refused(self.http.get("/tables/none"), 404, "does not exist")
        self.refused(self.http.get("/tables/"), 400, "name a table")
        self.refused(self.http.get("/tables/stocks?columns=none"), 400, "none")

    def test_nothing_is_smuggled_in(self) -> None:
        for where in ("1 = 1; delete from stocks", "bid = 5 limit 1", "bid = 5) or (1 = 1", "", "bid"):
            error = self.refused(self.http.get("/tables/stocks?where=" + quote(where)), 400, "expected")
            self.assertIn("offset", error)
        for target in ("/tables/stocks?where=%ff", "/tables/%zz", "/tables/stocks?wher=a", "/tables/stocks?limit=x",
                       "/tables/stocks?limit=1&limit=2", "/tables/" + quote("stocks; delete from stocks")):
            self.assertIn(self.http.get(target).status, (400, 404), target)
        self.assertEqual(len(self.rows("/tables/stocks")), 3)


class Events(Case):
    def test_a_stream(self) -> None:
        self.done("insert into t (a) values ('x\ny')")
        stream = self.events("subscribe * from t")
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream")
        blocks = stream.blocks()
        self.assertEqual(next(blocks), ["retry: 2000"])
        first = stream.next()
        self.assertEqual((first.name, first.data["action"]), ("subscribe", "subscribe"))
        pubsubid = first.data["pubsubid"]
        added = stream.next()
        self.assertEqual((added.name, added.data["data"]), ("add", [["0", "x\ny"]]))
        self.assertGreater(int(added.id), 1 << 50)
        self.assertEqual((first.id, added.data["pubsubid"]), ("", pubsubid))
        self.assertNotIn("seq", first.data)
        self.assertNotIn("seq", added.data)
        self.done("update t set a = 2; delete from t; insert into t (a) values (3)")
        self.assertEqual([stream.next().name for _ in range(3)], ["update", "delete", "insert"])
        self.assertEqual(self.done("status")["subscriptions"], 1)

    def test_a_client_that_leaves_ends_it(self) -> None:
        stream = self.events("subscribe * from t")
        stream.next()
        stream.close()
        self.server.wait_for_log("ended: connection lost; events")
        end = time.monotonic() + deadline_s(60)
        while self.done("status")["subscriptions"] > 0:  # the table's worker hears of it a moment later
            self.assertLess(time.monotonic(), end)

    def test_a_client_that_comes_back(self) -> None:
        self.done("insert into t (a) values (1)")
        stream = self.events("subscribe * from t", headers={"Last-Event-ID": "1-5"})
        self.assertEqual([stream.next().name for _ in range(3)], ["reset", "subscribe", "add"])

    def test_a_client_that_goes_on(self) -> None:
        self.done("insert into t (a) values (1)")
        stream = self.events("subscribe * from t where a < 10")
        ids = [stream.next().id for _ in range(2)]
        self.done("update t set a = 2")
        changed = stream.next()
        self.assertGreater(int(changed.id), int(ids[1]))
        stream.close()
        self.done("update t set a = 3; insert into t (a) values (4); update t set a = 11 where a = 3")
        again = self.events("subscribe * from t where a < 10", headers={"Last-Event-ID": changed.id})
        missed = [again.next() for _ in range(4)]
        self.assertEqual([e.name for e in missed], ["subscribe", "update", "insert", "remove"])
        self.assertEqual(len({e.id for e in missed[1:]}), 3)
        # What the client says it has got counts before what its address says.
        third = self.events(f"subscribe * from t where a < 10 since {ids[1]}", headers={"Last-Event-ID": missed[2].id})
        reply = third.next()
        self.assertEqual((reply.name, reply.data["seq"]), ("subscribe", int(missed[2].id)))
        self.assertEqual((third.next().name), "remove")
        # Nothing to begin with: no event, but an id.
        self.done("delete from t")
        empty = self.events("subscribe * from t where a = 77")
        self.assertEqual(empty.next().name, "subscribe")
        self.done("insert into t (a) values (77)")
        self.assertEqual(empty.next().name, "insert")

    def test_only_subscriptions(self) -> None:
        for target, text in ((subscribe("select * from t"), "/sql"), (subscribe("delete from t"), "/sql"),
                             (subscribe("subscribe"), "expected"), (subscribe("subscribe * from t; delete from t"), "expected"),
                             ("/events", "say what"), ("/events?sq=x", "parameter")):
            self.refused(self.http.get(target), 400, text)
        self.done("create table u (a int)")
        self.refused(self.http.get(subscribe("subscribe b from u")), 400, "column b does not exist")
        self.assertEqual(self.http.get(subscribe("subscribe count(*) from u group by b")).json()["code"], 1054)
        for statement in ("stream subscribe * from t", "execute immediate 'stream subscribe * from t'"):
            self.refused(self.http.get(subscribe(statement)), 400, "stream")

    def test_many(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
        streams = [self.events("subscribe skip * from t where a < 2000") for _ in range(1000)]
        self.done("insert into t (a) values (1)")
        for stream in streams:
            self.assertEqual([stream.next().name for _ in range(2)], ["subscribe", "insert"])
        self.assertEqual(self.done("status")["subscriptions"], 1000)

    def test_the_server_stops(self) -> None:
        stream = self.events("subscribe * from t")
        self.server.signal()
        self.assertEqual([event.name for event in stream.events()], ["subscribe"])


class SlowEvents(Case):
    flags = ("--threads", "2", "--max-backlog-bytes", "200000")

    def fill(self) -> None:
        for i in range(300):
            self.done(f"insert into t (a) values ('{i}{'x' * 50_000}')")

    def test_it_is_disconnected(self) -> None:
        stream = self.events("subscribe * from t", receive_bytes=4096)
        stream.next()
        self.fill()
        self.server.wait_for_log("disconnected .*too slow a subscriber")

    def test_or_it_sees_the_latest(self) -> None:
        stream = self.events("subscribe * from t on slow conflate", receive_bytes=4096)
        stream.next()
        self.done("insert into t (a) values (0)")
        for i in range(300):
            self.done(f"update t set a = '{i}{'x' * 50_000}'")
        self.done("update t set a = end")
        count = 0
        for event in stream.events():
            count += 1
            if event.data["data"][-1][-1] == "end":
                break
        self.assertLess(count, 302)


if __name__ == "__main__":
    unittest.main()
