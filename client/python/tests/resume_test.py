"""Subscriptions that go on where they were, with a server of which every word is said here."""

import asyncio
import unittest
from typing import Any, Dict, List, Optional

from scripted_server import ScriptedServer
from support import SLOWDOWN

import pubsubsql
from pubsubsql import AsyncSubscription, Change, RefusedError, UsageError
from pubsubsql.rows import Result

FAST: Any = {"first_delay": 0.001, "delay_max": 0.001, "heartbeat": None}
AGREED = {"action": "subscribe", "pubsubid": "1"}


def rows(action: str, seq: Optional[int], *ids: Optional[str], end: bool = False, pubsubid: str = "1") -> Dict[str, Any]:
    told = {"action": action, "pubsubid": pubsubid, "columns": ["id"], "rows": len(ids), "data": [[i] for i in ids]}
    return {**told, **({} if seq is None else {"seq": seq}), **({"snapshot": "end"} if end else {})}


def gap(seq: int) -> Dict[str, Any]:
    return {"action": "gap", "pubsubid": "1", "lost": 2, "seq": seq, "columns": [], "rows": 0, "data": []}


async def take(subscription: AsyncSubscription, count: int) -> List[Any]:
    seen: List[Any] = []
    while len(seen) < count:
        change = await asyncio.wait_for(subscription.next(), 60 * SLOWDOWN)
        assert change is not None
        seen.append((change.action, change.reason or change.seq, *[cells[0] for cells in change.data]))
    return seen


class Resuming(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.server = await ScriptedServer().__aenter__()
        self.addAsyncCleanup(self.server.__aexit__)

    async def connect(self, **options: Any) -> pubsubsql.AsyncClient:
        db = await pubsubsql.aconnect("127.0.0.1", self.server.port, **{**FAST, **options})
        self.addAsyncCleanup(db.close)
        self.wire = await self.server.accept()
        return db

    async def subscribe(self, db: pubsubsql.AsyncClient, asked: str, reply: Dict[str, Any], *arguments: Any, **options: Any) -> AsyncSubscription:
        subscribing = asyncio.ensure_future(db.subscribe(*arguments, **options))
        await self.wire.answer(asked, **{**AGREED, **reply})
        return await subscribing

    async def reconnected(self) -> None:
        await self.wire.cut()
        self.wire = await self.server.accept()

    async def test_it_goes_on_behind_the_last_change(self) -> None:
        db = await self.connect()
        asked = '{"sql":"subscribe * from t where a = ?%s; -- all","values":["x"]}'
        sql = "subscribe * from t where a = ?; -- all"
        live = await self.subscribe(db, asked % " with seq", {"seq": 7}, sql, ["x"])
        self.assertIsNone(live.position)
        self.wire.tell(**rows("add", 7, "0"))
        self.wire.tell(**rows("add", 7, "1", end=True))
        await live.loaded()
        self.assertEqual(live.position, 7)
        self.wire.tell(**rows("insert", 9, "2", "3"))
        await self.reconnected()
        await self.wire.answer(asked % " since 9", **AGREED, seq=9)
        self.wire.tell(**rows("delete", 10, "0"))
        await self.reconnected()
        await self.wire.answer(asked % " since 10", **AGREED, seq=10)
        self.wire.tell(**rows("insert", 12, "4"))
        expected = [("add", None, "0"), ("add", 7, "1"), ("insert", 9, "2", "3"), ("delete", 10, "0"), ("insert", 12, "4")]
        self.assertEqual(await take(live, 5), expected)
        self.assertEqual((list(live.rows), live.position), (["1", "2", "3", "4"], 12))

    async def test_what_the_server_has_no_longer_is_told(self) -> None:
        db = await self.connect()
        live = await self.subscribe(db, "subscribe * from t with seq", {"seq": 7}, "subscribe * from t")
        self.wire.tell(**rows("add", 7, "0", end=True))
        await live.loaded()
        await self.reconnected()
        await self.wire.answer("subscribe * from t since 7", **AGREED, seq=900, resync=True)
        self.wire.tell(**rows("add", 900, "8"))
        await self.reconnected()  # in the middle of the rows, from where it cannot go on
        await self.wire.answer("subscribe * from t with seq", **AGREED, seq=901)
        self.wire.tell(**rows("add", 901, end=True))
        expected = [("add", 7, "0"), ("reset", "resync"), ("add", None, "8"), ("reset", "reconnect"), ("add", 901)]
        self.assertEqual(await take(live, 5), expected)
        self.assertEqual((len(live.rows), live.position), (0, 901))

    async def test_beginning_behind_a_position_of_old(self) -> None:
        db, sql = await self.connect(), "subscribe * from t"
        on = await self.subscribe(db, sql + " since 41", {"seq": 41}, sql, since=41)
        await on.loaded()
        self.assertEqual(on.position, 41)
        anew = await self.subscribe(db, sql + " since 42", {"pubsubid": "2", "seq": 50, "resync": True}, sql, since=42)
        self.wire.tell(**rows("add", 50, "0", end=True, pubsubid="2"))
        await anew.loaded()
        self.assertEqual(await take(anew, 2), [("reset", "resync"), ("add", 50, "0")])
        since: Any
        for since in ("5 as x", -1, 1.5, 2**53, True):
            with self.assertRaisesRegex(UsageError, "no position"):
                await db.subscribe(sql, since=since)
        for positioned in (sql + " with seq;", sql + " as x since 5"):
            with self.assertRaisesRegex(UsageError, "are arguments"):
                await db.subscribe(positioned, resume=True)

    async def test_a_subscription_without_rows_at_its_start(self) -> None:
        db, sql = await self.connect(), "subscribe skip * from t on slow drop"
        live = await self.subscribe(db, sql + " with seq", {"seq": 7}, sql)
        await live.loaded()
        self.assertEqual(live.position, 7)
        self.wire.tell(**gap(9))
        await self.reconnected()
        await self.wire.answer(sql + " since 9", **AGREED, seq=30, resync=True)
        self.assertEqual(await take(live, 2), [("gap", 9), ("reset", "resync")])
        self.assertEqual(live.position, 30)

    async def test_behind_a_gap_it_goes_on_once_the_rows_are_there_again(self) -> None:
        db, sql = await self.connect(), "subscribe * from t on slow drop"
        live = await self.subscribe(db, sql + " with seq", {"seq": 7}, sql)
        self.wire.tell(**rows("add", 7, end=True))
        self.wire.tell(**gap(9))
        self.wire.tell(**rows("add", 9, "1"))
        self.assertEqual(await take(live, 3), [("add", 7), ("gap", None), ("add", None, "1")])
        await self.reconnected()
        await self.wire.answer(sql + " with seq", **AGREED, seq=10)

    async def test_a_server_that_knows_no_positions(self) -> None:
        db, sql = await self.connect(), "subscribe * from t"
        for offset in ({"offset": 18}, {}):
            subscribing = asyncio.ensure_future(db.subscribe(sql))
            await self.wire.answer(sql + " with seq", status="err", msg="expected end of statement", **offset)
            await self.wire.answer(sql, **AGREED)
            live = await subscribing
            with self.assertRaisesRegex(RefusedError, "expected end"):
                await live.loaded()
            self.wire.tell(**rows("add", None, "0"))
            await self.reconnected()
            await self.wire.answer(sql + " with seq", **AGREED, seq=3)  # it has been updated
            self.wire.tell(**rows("add", 3, "0", end=True))
            self.assertEqual(await take(live, 3), [("add", None, "0"), ("reset", "reconnect"), ("add", 3, "0")])
            self.assertEqual(live.position, 3)
            unsubscribing = asyncio.ensure_future(live.unsubscribe())
            await self.wire.answer("unsubscribe from `t` where pubsubid = 1", action="unsubscribe")
            await unsubscribing

    async def test_other_refusals_are_told(self) -> None:
        db, sql = await self.connect(), "subscribe * from t"
        for refusal in ({"offset": 10}, {"code": 1142, "offset": 20}):
            subscribing = asyncio.ensure_future(db.subscribe(sql))
            await self.wire.answer(sql + " with seq", status="err", msg="no", **refusal)
            with self.assertRaises(RefusedError) as refused:
                await subscribing
            self.assertEqual(refused.exception.index, refusal["offset"])
        subscribing = asyncio.ensure_future(db.subscribe(sql + " extra"))
        await self.wire.answer(sql + " extra with seq", status="err", msg="no", offset=25)
        await self.wire.answer(sql + " extra", status="err", msg="found extra", offset=19)
        with self.assertRaisesRegex(RefusedError, "found extra"):
            await subscribing

    async def test_a_statement_that_asks_itself_is_left_alone(self) -> None:
        db = await self.connect()
        for sql in ("subscribe * from t with seq", "subscribe * from t since 5"):
            live = await self.subscribe(db, sql, {"seq": 7}, sql)
            with self.assertRaisesRegex(UsageError, "`resume`"):
                await live.loaded()

    async def test_one_with_a_name_goes_on_where_the_server_says(self) -> None:
        db, sql = await self.connect(), "subscribe * from t as s"
        live = await self.subscribe(db, sql, {"seq": 7, "name": "s"}, sql)
        self.wire.tell(**rows("add", 7, "0", end=True))
        await self.reconnected()
        await self.wire.answer(sql, **AGREED, seq=7, name="s", resumed=True)
        self.wire.tell(**rows("insert", 8, "1"))
        self.assertEqual(await take(live, 2), [("add", 7, "0"), ("insert", 8, "1")])
        self.assertEqual(list(live.rows), ["0", "1"])
        await self.reconnected()
        await self.wire.answer(sql, **AGREED, seq=9, name="s")
        self.assertEqual(await take(live, 1), [("reset", "reconnect")])
        self.wire.tell(action="ended", pubsubid="1", msg="another connection has it", columns=[], rows=0, data=[])
        with self.assertRaisesRegex(RefusedError, "another connection has it"):
            await live.next()

    async def test_without_being_asked_nothing_is_new(self) -> None:
        db, sql = await self.connect(resume=False), "subscribe * from t"
        live = await self.subscribe(db, sql, {}, sql)
        with self.assertRaisesRegex(UsageError, "`resume`"):
            await live.loaded()
        self.wire.tell(**rows("add", None, "0"))
        await self.reconnected()
        await self.wire.answer(sql, **AGREED)
        self.assertEqual(await take(live, 2), [("add", None, "0"), ("reset", "reconnect")])

    async def test_what_is_told_once_more_is_no_other_row(self) -> None:
        db, sql = await self.connect(), "subscribe * from t on slow conflate"
        live = await self.subscribe(db, sql + " with seq", {"seq": 7}, sql)
        self.wire.tell(**rows("add", 7, end=True))
        self.wire.tell(**rows("insert", 7, "1"))
        await self.reconnected()
        await self.wire.answer(sql + " since 7", **AGREED, seq=7)
        self.wire.tell(**rows("insert", 8, "1"))
        self.assertEqual(await take(live, 3), [("add", 7), ("insert", 7, "1"), ("insert", 8, "1")])
        self.assertEqual(list(live.rows), ["1"])

    async def test_published_rows_pass_by(self) -> None:
        db, sql = await self.connect(), "subscribe * from t"
        live = await self.subscribe(db, sql + " with seq", {"seq": 7}, sql, key="name")
        self.wire.tell(**rows("add", 7, end=True))
        self.wire.tell(**rows("publish", 7, None))
        self.assertEqual(await take(live, 2), [("add", 7), ("publish", 7, None)])
        self.assertEqual(len(live.rows), 0)


class Queue(unittest.IsolatedAsyncioTestCase):
    async def test_a_slow_consumer_learns_where_the_rows_are(self) -> None:
        async def end(_: AsyncSubscription) -> None:
            pass

        slow = AsyncSubscription("subscribe * from t", None, queue=3, key=None, keep_rows=True, resume=True, end=end)
        slow._confirm(Result("subscribe", members={"pubsubid": "1", "seq": 7}))
        slow._take(Change("add", ["id"], 2, [["0"], ["1"]], seq=7, snapshot_end=True))
        slow._take(Change("delete", ["id"], 2, [["0"], ["1"]], seq=9))
        self.assertEqual(await slow.next(), Change("reset", reason="overflow"))
        self.assertEqual(await slow.next(), Change("add", ["id"], seq=9, snapshot_end=True))


if __name__ == "__main__":
    unittest.main()
