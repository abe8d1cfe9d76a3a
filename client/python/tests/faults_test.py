"""Connections that break, servers that die and come back, and those that let nobody in."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from typing import Any, List, Optional, Tuple

from support import ROOT, SLOWDOWN, Link, Server, run_user_command, wait_for

sys.path.insert(0, str(ROOT / "tests"))

import pubsubsql  # noqa: E402
from harness.certificates import Authority  # noqa: E402
from pubsubsql import CannotConnect, ClosedError, ConnectionLost, QueryTimeout, RefusedError, TransactionLost  # noqa: E402

FAST: Any = {"first_delay": 0.01, "delay_max": 0.05}


class Reconnecting(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.server = Server("--data", folder)
        self.addCleanup(self.server.stop)

    def connect(self, **options: Any) -> pubsubsql.Client:
        client = pubsubsql.connect("127.0.0.1", self.server.port, **{**FAST, **options})
        self.addCleanup(client.close)
        return client

    def test_subscriptions_come_back(self) -> None:
        db = self.connect()
        db.query("insert into stocks (ticker, bid) values (IBM, 120), (SAP, 98)")
        stocks = db.subscribe("subscribe * from stocks where bid > ?", [50], resume=False)
        self.assertEqual(next_of(stocks).rows, 2)
        self.server.kill()
        wait_for(lambda: db.state == "connecting")
        self.assertEqual(sorted(stocks.rows), ["0", "1"])
        self.server.start()
        with pubsubsql.connect("127.0.0.1", self.server.port) as writer:
            writer.query("delete from stocks where ticker = SAP")
            writer.query("insert into stocks (ticker, bid) values (GE, 60)")
        seen = []
        while "GE" not in {row["ticker"] for row in stocks.rows.values()} or len(stocks.rows) != 2:
            seen.append(next_of(stocks))
        reset = next(change for change in seen + list_rest(stocks) if change.action == "reset")
        self.assertEqual(reset.reason, "reconnect")
        self.assertEqual({row["ticker"] for row in stocks.rows.values()}, {"IBM", "GE"})
        self.assertEqual(db.query("select count(*) from stocks").data, [["2"]])

    def test_a_subscription_goes_on_where_it_was(self) -> None:
        writer = self.connect()
        link = Link(self.server.port)
        self.addCleanup(link.close)
        db = pubsubsql.connect("127.0.0.1", link.port, **FAST)
        self.addCleanup(db.close)
        writer.query("insert into stocks (ticker, bid) values (IBM, 120), (SAP, 98)")
        stocks = db.subscribe("subscribe ticker, bid from stocks where bid > ?", [100])
        stocks.wait_loaded(60 * SLOWDOWN)
        self.assertEqual(list(stocks.rows), ["0"])

        link.cut()
        wait_for(lambda: db.state == "connecting")
        writer.query("update stocks set bid = ? where ticker = ?", [101, "SAP"])
        writer.query("update stocks set bid = 122 where ticker = IBM")
        writer.query("insert into stocks (ticker, bid) values (GE, 60), (GM, 160)")
        writer.query("delete from stocks where ticker = IBM")
        link.mend()
        missed = [
            ("add", None, ["1", "SAP", "101"]),
            ("update", None, ["0", "122"]),
            ("insert", None, ["3", "GM", "160"]),
            ("delete", None, ["0", "IBM", "122"]),
        ]
        self.assertEqual(take(stocks, 5), [("add", None, ["0", "IBM", "120"]), *missed])
        self.assertEqual(list(stocks.rows), ["1", "3"])

        position = stocks.position
        self.server.kill()
        wait_for(lambda: writer.state == "connecting")
        self.server.start()
        writer.query("update stocks set bid = 161 where ticker = GM")
        self.assertEqual(take(stocks, 1), [("update", None, ["3", "161"])])
        later = writer.subscribe("subscribe * from stocks", since=position)
        self.assertEqual(take(later, 1), [("update", None, ["3", "161"])])
        gone = writer.subscribe("subscribe * from stocks", since=1)
        self.assertEqual(take(gone, 1), [("reset", "resync", None)])
        gone.wait_loaded(60 * SLOWDOWN)
        self.assertEqual(len(gone.rows), 3)

    def test_what_was_under_way_fails_and_what_comes_later_waits(self) -> None:
        db, other = self.connect(), self.connect()
        db.query("insert into t (a) values (1)")
        other.query("begin")
        other.query("update t set a = 2")
        large = "x" * 1_000_000
        blocked = db.submit("update t set a = ?", [large])
        wait_for(lambda: int(other.query("status").members["bytesreceived"]) > len(large))
        self.server.kill()
        with self.assertRaises(ConnectionLost):
            blocked.result(60 * SLOWDOWN)
        waiting = db.submit("select a from t")
        with self.assertRaisesRegex(QueryTimeout, "no connection"):
            db.query("select 1", timeout=0.01)
        self.server.start()
        self.assertEqual(waiting.result(60 * SLOWDOWN).data, [["1"]])

    def test_a_transaction_does_not_go_on_after_its_connection(self) -> None:
        db = self.connect()
        db.query("insert into t (a) values (1)")
        db.query("begin")
        db.query("update t set a = 2")
        self.server.kill()
        wait_for(lambda: db.state == "connecting")
        self.server.start()
        for _ in range(2):
            with self.assertRaises(TransactionLost):
                db.query("insert into t (a) values (3)")
        with self.assertRaises(TransactionLost):
            db.query("commit")
        self.assertEqual(db.query("select a from t").data, [["1"]])

    def test_nor_does_one_that_was_begun_by_execute_immediate(self) -> None:
        db = self.connect()
        db.query("execute immediate 'begin'")
        self.server.kill()
        wait_for(lambda: db.state == "connecting")
        self.server.start()
        with self.assertRaises(TransactionLost):
            db.query("execute immediate 'insert into t (a) values (?)' using 1")
        db.query("execute immediate 'rollback'")
        self.assertEqual(db.query("select 1").data, [["1"]])

    def test_nor_does_it_by_loading(self) -> None:
        db = self.connect()
        db.query("begin")
        db.query("insert into t (a) values (1)")
        self.server.kill()
        wait_for(lambda: db.state == "connecting")
        with self.assertRaises(TransactionLost):
            db.load("insert into t (a) values (?)", [[2]])
        self.server.start()
        wait_for(lambda: db.state == "open")
        for _ in range(2):
            with self.assertRaises(TransactionLost):
                db.load("insert into t (a) values (?)", [[2]])
        db.query("rollback")
        self.assertEqual(db.load("insert into t (a) values (?)", [[3]]), 1)
        self.assertEqual(db.query("select a from t").data, [["3"]])

    def test_without_reconnecting(self) -> None:
        db = self.connect(reconnect=False)
        subscription = db.subscribe("subscribe * from t", resume=False)
        self.server.kill()
        with self.assertRaises(ConnectionLost):
            next_of(subscription)
        wait_for(lambda: db.state == "closed")
        with self.assertRaises(ConnectionLost):
            db.query("select 1")

    def test_stopping_the_server(self) -> None:
        db = self.connect()
        self.assertEqual(db.query("stop").action, "stop")
        self.server.wait()

    def test_closing(self) -> None:
        states: List[Tuple[str, Optional[Exception]]] = []
        db = self.connect(on_state=lambda state, error: states.append((state, error)))
        subscription = db.subscribe("subscribe * from t")
        waiting = threading.Thread(target=list, args=(subscription,))
        waiting.start()
        db.close()
        db.close()
        waiting.join()
        self.assertEqual(states, [("open", None), ("closed", None)])
        with self.assertRaises(ClosedError):
            db.query("select 1")
        with self.assertRaises(ClosedError):
            db.subscribe("subscribe * from t")
        subscription.unsubscribe()


def next_of(subscription: pubsubsql.Subscription) -> pubsubsql.Change:
    change = subscription.next(60 * SLOWDOWN)
    assert change is not None
    return change


def take(subscription: pubsubsql.Subscription, count: int) -> List[Any]:
    """That many changes, of one row each."""
    seen: List[Any] = []
    while len(seen) < count:
        change = next_of(subscription)
        seen.append((change.action, change.reason, *(change.data or [None])))
    return seen


def list_rest(subscription: pubsubsql.Subscription) -> List[pubsubsql.Change]:
    """What waits already."""
    found: List[pubsubsql.Change] = []
    try:
        while True:
            change = subscription.next(timeout=0)
            if change is None:
                return found
            found.append(change)
    except QueryTimeout:
        return found


class Peers(unittest.IsolatedAsyncioTestCase):
    """Servers that are none."""

    async def hang_up(self, connected: List[asyncio.StreamWriter]) -> None:
        for writer in connected:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def test_nobody_listens(self) -> None:
        listener = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        listener.close()
        await listener.wait_closed()
        with self.assertRaisesRegex(CannotConnect, f"127.0.0.1:{port}"):
            await pubsubsql.aconnect("127.0.0.1", port)

    async def test_a_server_that_falls_silent_is_given_up(self) -> None:
        connected: List[asyncio.StreamWriter] = []
        listener = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with await pubsubsql.aconnect("127.0.0.1", port, heartbeat=0.02, timeout=0.02, **FAST) as db:
            query = asyncio.ensure_future(db.query("select 1", timeout=None))
            with self.assertRaisesRegex(ConnectionLost, "nothing was heard"):
                await query
            while len(connected) < 3:
                await asyncio.sleep(0.005)
        await self.hang_up(connected)
        listener.close()

    async def test_closing_at_any_moment_of_an_attempt(self) -> None:
        """Also in the turn of the loop in which an attempt fails: until Python 3.12, wait_for() misses a cancellation then."""
        for turns in range(40):
            connected: List[asyncio.StreamWriter] = []
            listener = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
            port = listener.sockets[0].getsockname()[1]
            db = await pubsubsql.aconnect("127.0.0.1", port, first_delay=0, delay_max=0)
            listener.close()
            assert db._connection is not None
            db._connection.end(ConnectionLost("by this test"))
            while db.state != "connecting":
                await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.wait_for(db.close(), 60 * SLOWDOWN)
            self.assertEqual(db.state, "closed")
            await self.hang_up(connected)

    async def test_silence_while_authenticating(self) -> None:
        connected: List[asyncio.StreamWriter] = []
        listener = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        with self.assertRaisesRegex(CannotConnect, "no answer within"):
            await pubsubsql.aconnect("127.0.0.1", port, user="web", password="x", connect_timeout=0.05)
        while not connected:
            await asyncio.sleep(0.005)
        await self.hang_up(connected)
        listener.close()

    async def test_another_protocol(self) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        listener = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with await pubsubsql.aconnect("127.0.0.1", port, reconnect=False) as db:
            with self.assertRaisesRegex(pubsubsql.ProtocolError, "is there a PubSubSQL server"):
                await db.query("select 1")
        listener.close()


class Access(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.users = os.path.join(self.folder, "users")
        run_user_command("add", "--file", self.users, "--admin", "root", password="it's secret")
        with open(self.users, "a", encoding="utf-8") as file:
            file.write("grant all on * to 'root'\n")

    def test_users(self) -> None:
        with Server("--users", self.users) as server:
            with self.assertRaises(RefusedError) as refused:
                pubsubsql.connect("127.0.0.1", server.port, user="root", password="wrong")
            self.assertEqual(refused.exception.code, 1045)
            with pubsubsql.connect("127.0.0.1", server.port) as stranger:
                with self.assertRaises(RefusedError) as refused:
                    stranger.query("select 1")
                self.assertEqual(refused.exception.code, 1045)
            with pubsubsql.connect("127.0.0.1", server.port, user="root", password="it's secret", **FAST) as db:
                rows = db.subscribe("subscribe * from t", resume=False)
                self.assertEqual(db.query("select current_user()").data, [["root"]])
                server.kill()
                wait_for(lambda: db.state == "connecting")
                server.start()
                self.assertEqual(db.query("select current_user()").data, [["root"]])
                self.assertEqual(next_of(rows).action, "reset")

    def test_a_user_that_is_no_longer_let_in(self) -> None:
        server = Server("--users", self.users)
        self.addCleanup(lambda: server.stop())
        db = pubsubsql.connect("127.0.0.1", server.port, user="root", password="it's secret", **FAST)
        self.addCleanup(db.close)
        server.kill()
        run_user_command("passwd", "--file", self.users, "root", password="changed")
        server.start()
        wait_for(lambda: db.state == "closed")
        with self.assertRaises(RefusedError):
            db.query("select 1")

    def test_tls(self) -> None:
        with Authority() as authority:
            pair = authority.issue("localhost")
            flags = ("--tls-cert", pair.certificate, "--tls-key", pair.key, "--tls-required")
            with Server(*flags) as server:
                with pubsubsql.connect("127.0.0.1", server.port, tls=authority.client_context()) as db:
                    self.assertEqual(db.query("select 1").data, [["1"]])
                with self.assertRaisesRegex(CannotConnect, "certificate"):
                    pubsubsql.connect("127.0.0.1", server.port, tls=True)
                with self.assertRaisesRegex(CannotConnect, "certificate"):
                    context = ssl.create_default_context(cafile=authority.certificate)
                    pubsubsql.connect("127.0.0.1", server.port, tls=context, server_name="elsewhere")
                with pubsubsql.connect("127.0.0.1", server.port) as plain:
                    with self.assertRaisesRegex(pubsubsql.Error, "TLS"):
                        plain.query("select 1")


class Programs(unittest.TestCase):
    def run_program(self, *arguments: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT / "client" / "python")},
            capture_output=True,
            text=True,
            timeout=120 * SLOWDOWN,
        )
        self.assertEqual((ended.stderr, ended.returncode), ("", 0), ended.stdout)
        return ended.stdout

    def test_a_program_ends_without_closing(self) -> None:
        with Server() as server:
            program = f"import pubsubsql; db = pubsubsql.connect('127.0.0.1', {server.port}); print(db.query('select 1').data)"
            self.assertEqual(self.run_program("-c", program), "[['1']]\n")

    def test_examples(self) -> None:
        examples = ROOT / "client" / "python" / "examples"
        with Server() as server:
            self.assertIn("add SAP 101\n", self.run_program(str(examples / "quick_start.py"), str(server.port)))
            self.assertIn("all done: True\n", self.run_program(str(examples / "workers.py"), str(server.port)))


if __name__ == "__main__":
    unittest.main()
