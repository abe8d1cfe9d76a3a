"""Both clients with the real server."""

import asyncio
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, List

from support import Server
import pubsubsql
from pubsubsql import LoadError, QueryTimeout, RefusedError, UsageError


class WithServer(unittest.TestCase):
    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)

    def connect(self, **options: Any) -> pubsubsql.Client:
        client = pubsubsql.connect("127.0.0.1", self.server.port, **options)
        self.addCleanup(client.close)
        return client


class Queries(WithServer):
    def test_values(self) -> None:
        db = self.connect()
        for value, expected in [
            ("it's; -- \"'x", "it's; -- \"'x"),
            ("größe \U0001f600\n\0", "größe \U0001f600\n\0"),
            ("?", "?"),
            ("", ""),
            (None, None),
            (7, "7"),
            (-2.5, "-2.5"),
            (Decimal("12.50"), "12.50"),
            (True, "1"),
        ]:
            with self.subTest(value=value):
                db.query("insert into v (a, b) values (?, 'is it ?')", [value])
                result = db.query("select a, b from v where a <=> ?", [value])
                self.assertEqual(result.data, [[expected, "is it ?"]])
                db.query("delete from v")

    def test_results(self) -> None:
        db = self.connect()
        self.assertEqual(db.query("insert into r (a, b) values (1, null), (2, x)").rows, 2)
        result = db.query("select a, b from r")
        self.assertEqual((result.action, result.columns, result.rows, len(result)), ("select", ["a", "b"], 2, 2))
        self.assertEqual(list(result), [{"a": "1", "b": None}, {"a": "2", "b": "x"}])
        self.assertEqual(db.query("select * from r where a = 9").objects(), [])
        self.assertGreaterEqual(db.query("status").members["connections"], 1)

    def test_many_rows(self) -> None:
        db = self.connect()
        self.assertEqual(db.load("insert into many (n, text) values (?, ?)", ((i, f"ü{i}") for i in range(100_000))), 100_000)
        result = db.query("select n, text from many")
        self.assertEqual(result.rows, 100_000)
        self.assertEqual(result.data, [[str(i), f"ü{i}"] for i in range(100_000)])

    def test_refusals(self) -> None:
        db = self.connect()
        with self.assertRaises(RefusedError) as refused:
            db.query("insert into größe valus (1)")
        self.assertEqual((refused.exception.offset, refused.exception.index), (20, 18))
        with self.assertRaises(RefusedError) as refused:
            db.query("select nothing + 1 from " + db_table(db))
        self.assertEqual((refused.exception.code, refused.exception.sqlstate), (1054, "42S22"))
        with self.assertRaises(RefusedError):
            db.query("select ?, ?", [1])
        for sql in ("subscribe * from t", "stream insert into t (a) values (1)", "close", "unsubscribe from t"):
            for form in (sql, f"execute immediate '{sql}'", f"prepare p from '{sql}'"):
                with self.assertRaises(UsageError):
                    db.query(form)
        for sql in ("begin", "commit", "execute immediate 'begin'", "prepare p from 'begin'", "subscribe * from t"):
            with self.assertRaises(UsageError):
                db.load(sql, [[]])
        with self.assertRaisesRegex(UsageError, "`begin` cannot be prepared with this client; send it by itself"):
            db.query("prepare p from 'begin'")
        self.assertEqual(db.query("select 1").data, [["1"]])

    def test_many_at_a_time(self) -> None:
        db = self.connect()
        futures = [db.submit("select ?", [i]) for i in range(5_000)]
        self.assertEqual([future.result().data[0][0] for future in futures], [str(i) for i in range(5_000)])
        with ThreadPoolExecutor(8) as threads:
            answers = threads.map(lambda i: db.query("select ?", [i]).data[0][0], range(500))
            self.assertEqual(list(answers), [str(i) for i in range(500)])

    def test_timeouts_leave_the_connection_usable(self) -> None:
        db, other = self.connect(), self.connect()
        other.query("insert into locked (a) values (1)")
        other.query("begin")
        other.query("update locked set a = 2")
        with self.assertRaises(QueryTimeout):
            db.query("select * from locked", timeout=0.05)
        other.query("commit")
        self.assertEqual(db.query("select a from locked").data, [["2"]])

    def test_a_pop_that_waits_is_no_dead_server(self) -> None:
        impatient = self.connect(heartbeat=0.05, timeout=0.1)
        other = self.connect()
        other.query("create queue waited (task varchar(20))")
        self.assertEqual(impatient.query("pop 1 from waited wait 1 second", timeout=60).rows, 0)
        popped = impatient.submit("pop 1 task from waited wait 60 seconds", timeout=120)
        other.query("push into waited (task) values (?)", ["sweep"])
        self.assertEqual(popped.result().data, [["sweep"]])
        self.assertEqual(impatient.query("ack waited ?", [0]).rows, 1)

    def test_loading_tells_what_was_refused(self) -> None:
        db = self.connect()
        db.query("create table loaded (n int primary key)")
        with self.assertRaises(LoadError) as failed:
            db.load("insert into loaded (n) values (?)", [[1], [2], [1], ["x"], [3]])
        error = failed.exception
        self.assertEqual((error.loaded, error.refused), (3, 2))
        self.assertEqual([row for row, _ in error.failures], [2, 3])
        self.assertEqual(db.query("select n from loaded").data, [["1"], ["2"], ["3"]])
        self.assertEqual(db.load("insert into loaded (n) values (?)", []), 0)


def db_table(db: pubsubsql.Client) -> str:
    db.query("insert into known (a) values (1)")
    return "known"


class Subscriptions(WithServer):
    def test_changes_and_rows(self) -> None:
        db, writer = self.connect(), self.connect()
        writer.query("insert into stocks (ticker, bid) values (IBM, 120), (SAP, 98)")
        with db.subscribe("subscribe * from stocks where bid > ?", [100]) as stocks:
            self.assertEqual(stocks.table, "stocks")
            writer.query("update stocks set bid = 101 where ticker = SAP")
            writer.query("update stocks set bid = 102 where ticker = SAP")
            writer.query("update stocks set bid = 1 where ticker = IBM")
            writer.query("insert into stocks (ticker, bid) values (GE, 200)")
            writer.query("delete from stocks where ticker = GE")
            seen = [change_of(stocks) for _ in range(6)]
            self.assertEqual([change.action for change in seen], ["add", "add", "update", "remove", "insert", "delete"])
            self.assertEqual(seen[0].objects(), [{"id": "0", "ticker": "IBM", "bid": "120"}])
            self.assertEqual(dict(stocks.rows), {"1": {"id": "1", "ticker": "SAP", "bid": "102"}})
        self.assertTrue(stocks.ended)
        self.assertIsNone(stocks.next())
        self.assertEqual(db.query("show subscriptions").rows, 0)

    def test_groups(self) -> None:
        db = self.connect()
        db.query("insert into sales (region, product, amount) values (N, a, 1), (N, b, 2), (S, a, 4)")
        with db.subscribe("subscribe region, product, sum(amount) as s from sales group by region, product") as groups:
            change_of(groups)
            db.query("update sales set amount = 8 where region = S")
            db.query("delete from sales where product = b")
            while len(groups.rows) > 2:
                change_of(groups)
            self.assertEqual({key: row["s"] for key, row in groups.rows.items()}, {("N", "a"): "1", ("S", "a"): "8"})

    def test_rows_that_a_column_id_does_not_tell_apart(self) -> None:
        db = self.connect()
        db.query("create table parts (id varchar(5), name varchar(5) primary key)")
        db.query("insert into parts (id, name) values ('a', 'nut'), ('a', 'bolt')")
        by_id = db.subscribe("subscribe * from parts")
        with self.assertRaisesRegex(UsageError, "two rows have the same id, a; .*`key`"):
            by_id.next(timeout=60)
        self.assertTrue(by_id.ended)
        by_name = db.subscribe("subscribe * from parts", key="name")
        self.assertEqual(change_of(by_name).rows, 2)
        self.assertEqual(list(by_name.rows), ["nut", "bolt"])
        self.assertEqual(change_of(db.subscribe("subscribe * from parts", keep_rows=False)).rows, 2)

    def test_refused(self) -> None:
        db = self.connect()
        with self.assertRaises(RefusedError):
            db.subscribe("subscribe nothing from refused")
        with self.assertRaises(UsageError):
            db.subscribe("select 1")
        with self.assertRaises(UsageError):
            db.subscribe("execute immediate 'subscribe * from t'")

    def test_a_slow_consumer(self) -> None:
        db = self.connect()
        db.query("key counters name")
        db.query("insert into counters (name, n) values (a, 0)")
        with db.subscribe("subscribe * from counters", queue=10) as slow:
            for i in range(1, 101):
                db.query("update counters set n = ? where name = a", [i])
            seen = [change_of(slow)]
            while seen[-1].objects()[-1:] != [{"id": "0", "name": "a", "n": "100"}]:
                seen.append(change_of(slow))
            self.assertEqual([(change.action, change.reason) for change in seen], [("reset", "overflow"), ("add", None)])

    def test_ending_while_another_thread_waits(self) -> None:
        db = self.connect()
        subscription = db.subscribe("subscribe * from quiet", resume=False)
        seen: List[Any] = []
        waiting = threading.Thread(target=lambda: seen.extend(subscription))
        waiting.start()
        subscription.unsubscribe()
        waiting.join()
        self.assertEqual(seen, [])

    def test_no_change_for_a_while(self) -> None:
        with self.connect().subscribe("subscribe * from still", resume=False) as still:
            with self.assertRaises(QueryTimeout):
                still.next(timeout=0.01)


def change_of(subscription: pubsubsql.Subscription) -> pubsubsql.Change:
    change = subscription.next(timeout=60)
    assert change is not None
    return change


class Async(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)

    async def test_many_tasks(self) -> None:
        async with await pubsubsql.aconnect("127.0.0.1", self.server.port) as db:
            answers = await asyncio.gather(*[db.query("select ?", [i]) for i in range(5_000)])
            self.assertEqual([answer.data[0][0] for answer in answers], [str(i) for i in range(5_000)])

    async def test_a_subscription(self) -> None:
        async with await pubsubsql.aconnect("127.0.0.1", self.server.port) as db:
            async with await db.subscribe("subscribe * from jobs where state = ?", ["new"]) as jobs:
                await db.query("insert into jobs (state) values (new), (old)")
                async for change in jobs:
                    if change.rows == 0:
                        continue  # the end of the rows that there were
                    self.assertEqual(change.objects(), [{"id": "0", "state": "new"}])
                    break
                self.assertEqual(list(jobs.rows), ["0"])

    async def test_cancelling_gives_up(self) -> None:
        async with await pubsubsql.aconnect("127.0.0.1", self.server.port) as db:
            task = asyncio.ensure_future(db.query("select 1"))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual((await db.query("select 2")).data, [["2"]])

    async def test_loading_from_a_generator(self) -> None:
        async def rows() -> Any:
            for i in range(2_500):
                yield [i]

        async with await pubsubsql.aconnect("127.0.0.1", self.server.port) as db:
            self.assertEqual(await db.load("insert into generated (n) values (?)", rows()), 2_500)
            self.assertEqual((await db.query("select count(*) from generated")).data, [["2500"]])


if __name__ == "__main__":
    unittest.main()
