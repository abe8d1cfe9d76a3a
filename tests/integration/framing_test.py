"""Input in any pieces, cut anywhere, or wrong: the server follows it or refuses it, and serves the next client."""

import json
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection, deadline_s, frame  # noqa: E402

# A conversation that touches every kind of statement. It starts from nothing and leaves nothing behind but the table.
STATEMENTS = [
    "key t k",
    "tag t g",
    "subscribe * from t where g = x",
    "insert into t (k, g, v) values (a, x, 1), (b, y, 2)",
    "update t set g = x, v = 3 where k = b returning *",
    "update t set g = y where k = a",
    "select * from t where g = x",
    "push front into t (k, g) values (c, x)",
    "pop front * from t",
    "peek * from t",
    "stream insert into t (k) values (a)",
    "stream update t set v = 4",
    "nonsense",
    "describe t",
    "unsubscribe from t",
    "delete from t returning id",
]
CONVERSATION = b"".join(frame(i + 1, s) for i, s in enumerate(STATEMENTS))
TEXT_CONVERSATION = "".join(s + "\n" for s in STATEMENTS).encode()


def replies_of(connection: FramedConnection) -> list[tuple[int | None, str]]:
    """All messages up to the reply to the last statement."""
    messages = []
    while not messages or messages[-1][0] != len(STATEMENTS):
        messages.append(connection.read_message())
    return messages


class Framing(unittest.TestCase):
    def converse(self, pieces: list[bytes]) -> list[tuple[int | None, object]]:
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as client:
            for piece in pieces:
                client.socket.sendall(piece)
            replies = [(number, json.loads(text)) for number, text in replies_of(client) if number != 0]
        return replies

    def test_pieces_do_not_matter(self) -> None:
        whole = self.converse([CONVERSATION])
        self.assertEqual(whole[0], (1, {"status": "ok", "action": "key"}))
        single_bytes = [CONVERSATION[i : i + 1] for i in range(len(CONVERSATION))]
        self.assertEqual(self.converse(single_bytes), whole)
        for size in (2, 3, 7, 8, 9, 64):
            pieces = [CONVERSATION[i : i + size] for i in range(0, len(CONVERSATION), size)]
            self.assertEqual(self.converse(pieces), whole, f"pieces of {size}")

    def test_header_split_at_every_byte(self) -> None:
        with ServerProcess("--log-level", "warning") as server:
            for at in range(1, 12):
                with server.framed() as client:
                    bytes_ = frame(77, "status")
                    client.socket.sendall(bytes_[:at])
                    client.socket.sendall(bytes_[at:])
                    self.assertEqual(client.read_message()[0], 77)

    def test_cut_at_every_byte(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            for conversation in (CONVERSATION, TEXT_CONVERSATION):
                for at in range(len(conversation) + 1):
                    with server.framed() as client:
                        client.socket.sendall(conversation[:at])
            with server.text() as after:
                self.assertEqual(after.ask("delete from t")["status"], "ok")

    def test_cut_before_replies_are_read(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            for _ in range(100):
                with server.framed() as client:
                    client.socket.sendall(CONVERSATION)
            with server.text() as after:
                self.assertEqual(after.ask("status")["status"], "ok")

    def test_pipelined_replies_come_in_order(self) -> None:
        count = 10_000
        with ServerProcess("--threads", "4", "--log-level", "warning") as server, server.framed() as client:
            statements = [f"insert into t{i % 7} (v) values ({i}) returning v" for i in range(count)]
            client.socket.sendall(b"".join(frame(i + 1, s) for i, s in enumerate(statements)))
            for i in range(count):
                number, text = client.read_message()
                self.assertEqual(number, i + 1)
                self.assertEqual(json.loads(text)["data"], [[str(i)]])

    def test_million_streamed_inserts(self) -> None:
        count = 1_000_000 if deadline_s(1) == 1 else 50_000
        with ServerProcess("--log-level", "warning") as server, server.framed() as client:
            for first in range(0, count, 10_000):
                rows = range(first, first + 10_000)
                client.socket.sendall(b"".join(frame(i + 1, f"stream insert into t (v) values ({i})") for i in rows))
            client.socket.sendall(frame(count + 1, f"select v from t where id = {count - 1}"))
            self.assertEqual(client.read_message(), (count + 1, self.row(str(count - 1))))

    @staticmethod
    def row(value: str) -> str:
        return ('{"status":"ok","action":"select","columns":["v"],"rows":1,"fromrow":1,"torow":1,'
                f'"data":[["{value}"]]}}')


class BadInput(unittest.TestCase):
    def setUp(self) -> None:
        self.server = ServerProcess("--max-statement-bytes", "1000", "--log-level", "warning")

    def tearDown(self) -> None:
        with self.server as server, server.text() as after:
            self.assertEqual(after.ask("status")["status"], "ok")

    def test_frame_too_large(self) -> None:
        with self.server.framed() as client:
            client.socket.sendall(frame(1, "status") + struct.pack(">II", 1001, 9) + b"x" * 1001)
            self.assertEqual(client.read_message()[0], 1)
            number, text = client.read_message()
            self.assertEqual(number, 9)
            self.assertIn("larger than 1000 bytes", json.loads(text)["msg"])
            client.expect_closed()

    def test_huge_frame_is_not_awaited(self) -> None:
        with self.server.framed() as client:
            client.socket.sendall(struct.pack(">II", 0x08FFFFFF, 3))
            self.assertEqual(client.read_message()[0], 3)
            client.expect_closed()

    def test_line_too_long(self) -> None:
        with self.server.text() as client:
            client.socket.sendall(b"select * from t where a = " + b"x" * 2000)
            self.assertIn("larger than 1000 bytes", json.loads(client.read_message()[1])["msg"])
            client.expect_closed()

    def test_unknown_first_byte(self) -> None:
        for first in (b"\x17\x03\x01", b"\xff\xff\xff\xff", b"\x7f"):
            with self.server.text() as client:
                client.socket.sendall(first)
                self.assertIn("first byte", json.loads(client.read_message()[1])["msg"])
                client.expect_closed()

    def test_not_utf8(self) -> None:
        with self.server.framed() as client:
            client.socket.sendall(frame(1, b"select \xff") + frame(2, "status"))
            self.assertEqual(json.loads(client.read_message()[1])["offset"], 7)
            self.assertEqual(client.read_message()[0], 2)

    def test_frame_of_nothing(self) -> None:
        with self.server.framed() as client:
            client.socket.sendall(frame(1, ""))
            self.assertEqual(json.loads(client.read_message()[1])["status"], "err")
            self.assertEqual(client.ask("status")["status"], "ok")


class TextMode(unittest.TestCase):
    def test_netcat(self) -> None:
        script = b"subscribe * from t;\r\n\n-- a comment\ninsert into t (a) values ('x y');\nselect a from t"
        with ServerProcess("--log-level", "warning") as server:
            nc = subprocess.run(["nc", "-N", "127.0.0.1", str(server.port)], input=script, capture_output=True,
                                timeout=deadline_s(20), check=True)
        self.assertEqual(nc.stdout.decode().splitlines(), [
            '{"status":"ok","action":"subscribe","pubsubid":"1"}',
            '{"status":"ok","action":"insert","rows":1}',
            '{"status":"ok","action":"insert","pubsubid":"1","columns":["id","a"],'
            '"rows":1,"fromrow":1,"torow":1,"data":[["0","x y"]]}',
            '{"status":"ok","action":"select","columns":["a"],"rows":1,"fromrow":1,"torow":1,"data":[["x y"]]}',
        ])

    def test_close(self) -> None:
        with ServerProcess("--log-level", "warning") as server:
            for client in (server.text(), server.framed()):
                with client:
                    client.send("status")
                    client.send("close")
                    client.send("status")
                    self.assertEqual(json.loads(client.read_reply())["action"], "status")
                    with self.assertRaises(Closed):
                        client.read_reply()


if __name__ == "__main__":
    unittest.main()
