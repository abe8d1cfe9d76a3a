"""The protocol without a network: bytes in, answers and events out."""

import json
import struct
import unittest
from typing import Any, List, Optional, Tuple

import support  # noqa: F401
from pubsubsql.errors import ConnectionLost, Error, LimitError, ProtocolError, RefusedError
from pubsubsql.options import Options
from pubsubsql.rows import Change, Result
from pubsubsql.session import Block, Session


def frame(request_id: int, message: Any) -> bytes:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">II", len(payload), request_id) + payload


class Asked:
    """A request that notes its answer."""

    def __init__(self, sql: str = "select 1") -> None:
        self.sql = sql
        self.body = sql.encode()
        self.timeout: Optional[float] = None
        self.given_up = False
        self.result: Optional[Result] = None
        self.error: Optional[Error] = None

    def done(self) -> bool:
        return self.given_up or self.result is not None or self.error is not None

    def succeed(self, result: Result) -> None:
        self.result = result

    def fail(self, error: Error) -> None:
        self.error = error


class Sessions(unittest.TestCase):
    def setUp(self) -> None:
        self.events: List[Tuple[str, Change]] = []

    def session(self, **options: Any) -> Session:
        return Session(Options(**options), lambda pubsubid, change: self.events.append((pubsubid, change)))

    def test_bytes_in_any_pieces(self) -> None:
        batches = [
            {"status": "ok", "action": "select", "columns": ["id"], "rows": 3, "fromrow": 1, "torow": 2, "data": [["0"], [None]]},
            {"status": "ok", "action": "select", "columns": ["id"], "rows": 3, "fromrow": 3, "torow": 3, "data": [["ü"]]},
        ]
        event = {"status": "ok", "action": "insert", "pubsubid": "4", "columns": ["id"], "rows": 1, "data": [["9"]]}
        stream = frame(1, batches[0]) + frame(0, event) + frame(1, batches[1]) + frame(2, {"status": "ok", "action": "status", "n": 5})
        for size in (1, 2, 7, 8, 9, len(stream)):
            self.events.clear()
            session, asked, second = self.session(), Asked(), Asked("status")
            self.assertEqual(session.send(asked) + session.send(second), frame(1, b"select 1") + frame(2, b"status"))
            for at in range(0, len(stream), size):
                session.feed(stream[at : at + size])
            self.assertEqual(asked.result, Result("select", ["id"], 3, [["0"], [None], ["ü"]]))
            self.assertEqual(asked.result and asked.result.objects()[2], {"id": "ü"})
            self.assertEqual(second.result and second.result.members, {"n": 5})
            self.assertEqual(self.events, [("4", Change("insert", ["id"], 1, [["9"]]))])
            self.assertEqual(session.pending, 0)

    def test_refusals_tell_where(self) -> None:
        session, asked = self.session(), Asked("select 'ü' frm t")
        session.send(asked)
        session.feed(frame(1, {"status": "err", "msg": "no", "offset": 13, "code": 7, "sqlstate": "42000"}))
        error = asked.error
        assert isinstance(error, RefusedError)
        self.assertEqual((str(error), error.offset, error.index, error.code, error.sqlstate), ("no", 13, 12, 7, "42000"))

    def test_the_answer_to_what_was_given_up_goes_nowhere(self) -> None:
        session, asked = self.session(), Asked()
        session.send(asked)
        asked.given_up = True
        session.feed(frame(1, {"status": "ok", "action": "select", "rows": 2, "torow": 1, "data": [["1"]]}))
        self.assertEqual(session.pending, 1)
        session.feed(frame(1, {"status": "ok", "action": "select", "rows": 2, "torow": 2, "data": [["2"]]}))
        self.assertEqual((session.pending, asked.result, asked.error), (0, None, None))
        self.assertEqual(session.send(asked), b"")

    def test_limits(self) -> None:
        session, first, second = self.session(pending_max=1, reply_bytes_max=80), Asked(), Asked()
        session.send(first)
        self.assertEqual(session.send(second), b"")
        self.assertIsInstance(second.error, LimitError)
        session.feed(frame(1, {"status": "ok", "action": "select", "rows": 2, "torow": 1, "data": [["x" * 80]]}))
        self.assertIsInstance(first.error, LimitError)
        session.feed(frame(1, {"status": "ok", "action": "select", "rows": 2, "torow": 2, "data": [["x"]]}))
        self.assertEqual(session.pending, 0)

    def test_the_longest_time_that_somebody_waits(self) -> None:
        session, plain, waiting = self.session(), Asked(), Asked("pop 1 from q wait 1 minute")
        self.assertEqual(session.longest_timeout(), 0)
        waiting.timeout = 60
        session.send(plain)
        session.send(waiting)
        self.assertEqual(session.longest_timeout(), 60)
        session.feed(frame(1, {"status": "ok", "action": "select"}) + frame(2, {"status": "ok", "action": "pop"}))
        self.assertEqual(session.longest_timeout(), 0)

    def test_what_is_no_protocol(self) -> None:
        for data in (frame(1, b"no JSON"), frame(1, b"[1]"), frame(0, b"\xff"), b"HTTP/1.1 400 Bad Request"):
            with self.subTest(data), self.assertRaises(ProtocolError):
                self.session().feed(data)

    def test_a_server_that_hangs_up_says_why(self) -> None:
        with self.assertRaisesRegex(ConnectionLost, "too slow"):
            self.session().feed(frame(0, {"status": "err", "msg": "too slow"}))

    def test_blocks(self) -> None:
        session, asked = self.session(), Asked()
        refused: List[Tuple[int, str]] = []
        block = Block([b"a", b"b", b"c"], lambda index, why: refused.append((index, str(why))))
        self.assertEqual(session.send_block(block), frame(1, b"a") + frame(2, b"b") + frame(3, b"c"))
        self.assertEqual(session.send(asked), frame(4, b"select 1"))
        session.feed(frame(2, {"status": "err", "msg": "no"}) + frame(4, {"status": "ok", "action": "select"}))
        self.assertEqual(refused, [(1, "no")])
        self.assertIsNotNone(asked.result)
        session.end_block(block)
        session.feed(frame(3, {"status": "err", "msg": "late"}))
        self.assertEqual(len(refused), 1)

    def test_transactions_are_noticed(self) -> None:
        ok = {"status": "ok", "action": "x"}
        steps = [
            ("begin", ok, True),
            ("update t set a = 1", {"status": "err", "msg": "no", "code": 1062}, True),
            ("update t set a = 1", {"status": "err", "msg": "taken back", "code": 1213}, False),
            ("start transaction", ok, True),
            ("COMMIT", {"status": "err", "msg": "refused"}, False),
            ("begin", {"status": "err", "msg": "no"}, False),
        ]
        session = self.session()
        for number, (sql, reply, expected) in enumerate(steps, 1):
            session.send(Asked(sql))
            session.feed(frame(number, reply))
            self.assertEqual(session.in_transaction, expected, sql)

    def test_the_end_fails_what_is_under_way(self) -> None:
        session, asked = self.session(), Asked()
        session.send(asked)
        session.end(ConnectionLost("gone"))
        self.assertIsInstance(asked.error, ConnectionLost)


if __name__ == "__main__":
    unittest.main()
