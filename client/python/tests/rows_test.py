"""The rows of a subscription, and its queue, as events change them."""

import asyncio
import unittest
from typing import Any, List, Optional

import support  # noqa: F401
from pubsubsql.errors import ConnectionLost, QueryTimeout, UsageError
from pubsubsql.rows import Change, LiveRows, Result
from pubsubsql.subscription import AsyncSubscription


def change(action: str, columns: List[str], *data: List[Optional[str]]) -> Change:
    return Change(action, columns, len(data), list(data))


class Live(unittest.TestCase):
    def test_rows_by_id(self) -> None:
        rows = LiveRows(None, None)
        rows._apply(change("add", ["id", "a", "b"], ["0", "x", None], ["1", "y", "z"]))
        old = rows["0"]
        rows._apply(change("update", ["id", "b"], ["0", "new"]))
        rows._apply(change("insert", ["id", "a", "b"], ["2", "i", "j"]))
        rows._apply(change("delete", ["id", "a", "b"], ["1", "y", "z"]))
        rows._apply(change("remove", ["id", "a", "b"], ["7", "never", "there"]))
        self.assertEqual(dict(rows), {"0": {"id": "0", "a": "x", "b": "new"}, "2": {"id": "2", "a": "i", "b": "j"}})
        self.assertEqual(old, {"id": "0", "a": "x", "b": None})
        self.assertEqual(rows._snapshot(), change("add", ["id", "a", "b"], ["0", "x", "new"], ["2", "i", "j"]))

    def test_iterating_is_about_one_moment(self) -> None:
        rows = LiveRows(None, None)
        rows._apply(change("add", ["id"], ["0"], ["1"]))
        for key in rows:
            rows._apply(change("delete", ["id"], [key]))
        for _ in rows.items():
            self.fail("all rows are gone")

    def test_groups(self) -> None:
        by_one, by_two, single = LiveRows(None, 1), LiveRows(None, 2), LiveRows(None, 0)
        by_one._apply(change("add", ["sector", "n"], [None, "1"], ["null", "2"]))
        by_one._apply(change("update", ["sector", "n"], [None, "5"]))
        self.assertEqual({key: row["n"] for key, row in by_one.items()}, {None: "5", "null": "2"})
        by_two._apply(change("add", ["a", "b", "n"], ["x", None, "1"]))
        self.assertEqual(list(by_two), [("x", None)])
        single._apply(change("add", ["count(*)"], ["1"]))
        single._apply(change("update", ["count(*)"], ["2"]))
        self.assertEqual(dict(single), {(): {"count(*)": "2"}})

    def test_tables_that_show_no_id(self) -> None:
        rows = LiveRows(["name"], None)
        rows._apply(change("add", ["id", "name", "v"], ["i", "x", "1"]))
        rows._apply(change("update", ["name", "v"], ["x", "2"]))
        self.assertEqual(dict(rows), {"x": {"id": "i", "name": "x", "v": "2"}})
        unknown = LiveRows(None, None)
        unknown._apply(change("add", ["id", "name"], ["i", "x"]))
        with self.assertRaisesRegex(UsageError, "`key`"):
            unknown._apply(change("update", ["name"], ["x"]))

    def test_rows_that_have_the_same_key(self) -> None:
        for action in ("add", "insert"):
            rows = LiveRows(None, None)
            rows._apply(change("add", ["id", "v"], ["a", "1"]))
            with self.assertRaisesRegex(UsageError, "same id, a; .*`key`"):
                rows._apply(change(action, ["id", "v"], ["a", "2"]))
        with self.assertRaisesRegex(UsageError, "same x, y"):
            LiveRows(["x", "y"], None)._apply(change("add", ["x", "y"], ["1", None], ["1", None]))

    def test_a_row_may_come_back_under_its_key(self) -> None:
        rows = LiveRows(None, None)
        rows._apply(change("add", ["id"], ["0"], ["1"]))
        rows._apply(change("remove", ["id"], ["0"]))
        rows._apply(change("add", ["id"], ["0"]))
        rows._clear()
        rows._apply(change("add", ["id"], ["0"], ["1"]))
        self.assertEqual(list(rows), ["0", "1"])


class Queue(unittest.IsolatedAsyncioTestCase):
    def subscription(self, queue: int, **arguments: Any) -> AsyncSubscription:
        async def end(_: AsyncSubscription) -> None:
            pass

        arguments = {"key": None, "keep_rows": True, **arguments}
        return AsyncSubscription("subscribe * from t", None, queue=queue, end=end, **arguments)

    async def test_a_slow_consumer_goes_on_with_the_rows_there_are(self) -> None:
        slow = self.subscription(4)
        slow._confirm(Result("subscribe"))
        for i in range(5):
            slow._take(change("insert", ["id"], [str(i)]))
        slow._take(change("delete", ["id"], ["0"]))
        self.assertEqual(await slow.next(), Change("reset", reason="overflow"))
        slow._take(change("insert", ["id"], ["9"]))
        self.assertEqual(await slow.next(), change("add", ["id"], ["1"], ["2"], ["3"], ["4"]))
        self.assertEqual(await slow.next(), change("insert", ["id"], ["9"]))
        self.assertEqual(sorted(key for key in slow.rows if isinstance(key, str)), ["1", "2", "3", "4", "9"])

    async def test_without_rows(self) -> None:
        slow = self.subscription(2, keep_rows=False)
        for i in range(3):
            slow._take(change("insert", ["id"], [str(i)]))
        self.assertEqual(await slow.next_all(), [Change("reset", reason="overflow")])

    async def test_a_new_connection_and_a_gap_begin_anew(self) -> None:
        live = self.subscription(100)
        live._confirm(Result("subscribe"))
        live._take(change("add", ["id"], ["0"]))
        live._confirm(Result("subscribe"))
        self.assertEqual(len(live.rows), 0)
        live._take(change("add", ["id"], ["1"]))
        live._take(Change("gap", lost=3))
        self.assertEqual(len(live.rows), 0)
        self.assertEqual([c.action for c in await live.next_all()], ["add", "reset", "add", "gap"])

    async def test_the_end(self) -> None:
        failed = self.subscription(100)
        failed._take(change("add", ["id"], ["0"]))
        failed._finish(ConnectionLost("gone"))
        self.assertEqual((await failed.next_all())[0].action, "add")
        with self.assertRaises(ConnectionLost):
            await failed.next()
        ended = self.subscription(100)
        waiting = asyncio.ensure_future(ended.next())
        await asyncio.sleep(0)
        ended._take(change("add", ["id"], ["0"]))
        await ended.unsubscribe()
        self.assertIsNone(await waiting)

    async def test_waiting_for_a_time(self) -> None:
        with self.assertRaises(QueryTimeout):
            await self.subscription(100).next_all(0.01)


if __name__ == "__main__":
    unittest.main()
