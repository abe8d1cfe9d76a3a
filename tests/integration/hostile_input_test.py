"""Clients that mean harm, or are broken: every reply is valid JSON, nobody else is hurt, and memory stays bounded."""

import json
import os
import random
import socket
import struct
import sys
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import deadline_s, frame  # noqa: E402

SANITIZED = os.environ.get("PUBSUBSQL_SANITIZE", "")


def strict(text: str) -> Any:
    """Reads JSON as the standard has it: no NaN, no duplicate members, no lone surrogates."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f"a member twice: {names}")
        return dict(pairs)

    def constant(name: str) -> Any:
        raise ValueError(name)

    message = json.loads(text, object_pairs_hook=members, parse_constant=constant, strict=True)
    json.dumps(message).encode("ascii")
    text.encode("utf-8")
    return message


def alive(server: ServerProcess) -> None:
    with server.framed() as client:
        reply = client.ask("status")
        assert reply["status"] == "ok", reply


class Bytes(unittest.TestCase):
    def test_no_bytes_whatever_make_anything_but_valid_json(self) -> None:
        pieces = [bytes([b]) for b in range(256) if b != 10] + [
            b"\xc3\x28", b"\xe2\x82", b"\xf0\x9f\x92", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\xef\xbf\xbe",
            "\u2028\u00e9\U0001f600".encode(), b"\0\0", b"\\", b'"', b"\\u0000", b"\x7f", b"\x1b[31m",
        ]
        forms = [b"%s", b"select '%s'", b"select `%s`", b"insert into t (a) values ('%s')", b"insert into t (%s) values (1)",
                 b"select * from `%s`", b"select * from t where a like '%s'", b"select a as `%s` from t", b"/* %s */ status",
                 b"subscribe * from t where a = '%s'", b"select concat('%s', a), upper('%s') from t limit 2"]
        statements = [form.replace(b"%s", piece) for piece in pieces for form in forms]
        with ServerProcess("--threads", "1", "--log-level", "warning") as server:
            with server.framed() as client:
                client.socket.sendall(b"".join(frame(i + 1, s) for i, s in enumerate(statements)))
                answered = 0
                while answered < len(statements):
                    number, text = client.read_message()
                    message = strict(text)
                    self.assertIn(message["status"], ("ok", "err"))
                    if number != 0 and message.get("torow") == message.get("rows") or message["status"] == "err":
                        answered = max(answered, number or 0)
                    elif number != 0 and "data" not in message:
                        answered = max(answered, number or 0)
            with server.text() as client:
                client.socket.sendall(b"".join(b" " + s.replace(b"\n", b" ") + b"\n" for s in statements))
                client.socket.sendall(b"select 'the end'\n")
                while True:
                    _, text = client.read_message()
                    if strict(text).get("data") == [["the end"]]:
                        break
            alive(server)

    def test_what_is_stored_comes_back_byte_by_byte(self) -> None:
        values = ["\0", "a\0b", "\x01\x1f\x7f", "\ufeff", "\u2028", "\U0001f600", '"\\/', "\r\n\t", "\ufffe", "é" * 1000]
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as client:
            for i, value in enumerate(values):
                quoted = value.replace("'", "''")
                reply = client.ask(f"insert into t (n, v) values ({i}, '{quoted}') returning v")
                self.assertEqual(reply.get("data"), [[value]], reply)
            self.assertEqual(client.ask("select v from t")["data"], [[v] for v in values])

    def test_invalid_utf8_is_refused_wherever_it_stands(self) -> None:
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as client:
            for bad in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"):
                for form in (b"insert into t (a) values ('%s')", b"insert into `%s` (a) values (1)", b"-- %s"):
                    client.socket.sendall(frame(1, form.replace(b"%s", bad)))
                    reply = strict(client.read_message()[1])
                    self.assertIn("UTF-8", reply["msg"])
            self.assertEqual(client.ask("show tables")["rows"], 0)

    def test_a_value_of_16_mib(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as client:
            subscriber = server.framed()
            subscriber.ask("subscribe * from t")
            value = "x" * ((16 << 20) - 100)
            self.assertEqual(client.ask(f"insert into t (v) values ({value})")["status"], "ok")
            self.assertEqual(client.ask("select v from t")["data"], [[value]])
            self.assertIn("--max-statement-bytes", client.ask(f"insert into t (v) values ({value}{'x' * 200})")["msg"])
            subscriber.close()
            alive(server)

    def test_ten_thousand_columns(self) -> None:
        names = ", ".join(f"c{i}" for i in range(9_999))
        values = ", ".join(str(i) for i in range(9_999))
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as client:
            self.assertEqual(client.ask(f"insert into t ({names}) values ({values})")["status"], "ok")
            self.assertIn("--max-columns", client.ask("insert into t (one_more) values (1)")["msg"])
            row = client.ask("select * from t")
            self.assertEqual(len(row["columns"]), 10_000)
            self.assertEqual(row["data"][0][1:], [str(i) for i in range(9_999)])

    def test_names_that_differ_in_case_are_different(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as client:
            client.ask("insert into t (a, A) values (small, capital)")
            client.ask("insert into T (a) values (other)")
            self.assertEqual(client.ask("select A, a from t")["data"], [["capital", "small"]])
            self.assertEqual(client.ask("SELECT a FROM T")["data"], [["other"]])
            self.assertEqual(client.ask("select a from T where A = 1")["status"], "err")


class Statements(unittest.TestCase):
    def test_nested_and_long_ones_are_refused_or_answered_soon(self) -> None:
        n = 10_000 if SANITIZED == "thread" else 100_000  # it takes minutes there, in one thread
        statements = [
            "select " + "(" * n + "1" + ")" * n,
            "select " + "- " * n + "1",
            "select * from t where " + "not " * n + "a = 1",
            "select " + "+".join(["1"] * n),
            "select " + "||".join(["'a'"] * n),
            "select " + "abs(" * n + "1" + ")" * n,
            "select " + "(select " * n + "1" + ")" * n,
            "select * from t where a in (" + "select a from t where a in (" * n,
            "select * from t where " + " or ".join(f"a = {i}" for i in range(n)),
            "select * from t where " + " and ".join(f"a <> {i}" for i in range(n)),
            "select * from t where a in (" + ",".join(str(i) for i in range(n)) + ")",
            "select '" + "a" * n + "' like '" + "%a" * (n // 4) + "b'",
            "select '" + "a" * n + "' like '%" + "a" * (n // 2) + "b%'",
            "select " + ", ".join(f"count(a + {i})" for i in range(n // 4)) + " from t",
            "subscribe * from t where " + " or ".join(f"a = {i}" for i in range(n // 10)),
        ]
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as client:
            client.ask("insert into t (a) values (1), (2)")
            for statement in statements:
                reply = client.ask(statement)
                self.assertIn(reply["status"], ("ok", "err"))
                self.assertLess(len(reply.get("msg", "")), 2_000)
            alive(server)


class Frames(unittest.TestCase):
    def test_empty_ones_by_the_thousand(self) -> None:
        with ServerProcess("--threads", "1", "--log-level", "warning") as server:
            with server.framed() as client:
                count = 20_000
                client.socket.sendall(b"".join(frame(i + 1, "") for i in range(count)))
                for i in range(count):
                    number, text = client.read_message()
                    self.assertEqual((number, strict(text)["status"]), (i + 1, "err"))
            with server.text() as client:
                client.socket.sendall(b"status\n" + b"\n" * 100_000 + b";\n" * 10 + b"select 1\n")
                self.assertEqual(strict(client.read_message()[1])["action"], "status")
                while strict(client.read_message()[1]).get("action") != "select":
                    pass

    def test_lengths_that_lie(self) -> None:
        with ServerProcess("--threads", "1", "--log-level", "warning") as server:
            for size, id_, sent in ((0x00FFFFFF, 1, b"short"), (16 << 20, 2, b"x" * 1000), ((16 << 20) + 1, 3, b""),
                                    (0xFFFFFFFF, 4, b""), (5, 5, b"statusstatusstatus")):
                client = socket.create_connection(("127.0.0.1", server.port), deadline_s(60))
                client.settimeout(deadline_s(60))
                try:
                    client.sendall(struct.pack(">II", size, id_) + sent)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(1 << 16):
                        pass
                except (ConnectionResetError, BrokenPipeError):
                    pass
                client.close()
            alive(server)

    def test_disconnects_at_any_byte(self) -> None:
        rng = random.Random(7)
        whole = b"".join(frame(i + 1, s) for i, s in enumerate(
            ["subscribe * from t", "begin", "insert into t (a) values (1)", "select * from t", "commit", "select * from t"]))
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            for _ in range(300):
                client = socket.create_connection(("127.0.0.1", server.port), deadline_s(60))
                client.sendall(whole[: rng.randrange(len(whole) + 1)])
                if rng.random() < 0.5:  # a reset, not an orderly end
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            with server.framed() as client:
                end = time.monotonic() + deadline_s(60)
                while client.ask("status")["connections"] > 1 or client.ask("status")["subscriptions"] > 0:
                    self.assertLess(time.monotonic(), end, "connections that are gone are not forgotten")
                    time.sleep(0.02)
                self.assertEqual(client.ask("insert into t (a) values (2)")["status"], "ok")

    def test_disconnects_in_the_middle_of_what_is_written(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as writer:
            writer.ask("insert into t (v) values (" + "x" * 1_000_000 + ")")
            for i in range(30):
                client = server.framed()
                client.socket.sendall(b"".join(frame(n + 1, "select * from t") for n in range(20)))
                client.socket.recv(1 + i * 5_000)
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            self.assertEqual(writer.ask("update t set v = small")["rows"], 1)


class Crowds(unittest.TestCase):
    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_slow_ones_cost_little_memory(self) -> None:
        """Many connections that never finish a statement, each of which they announce as the largest there may be."""
        count = 400
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as other:
            other.ask("insert into t (a) values (1)")
            before = server.resident_bytes()
            slow = [socket.create_connection(("127.0.0.1", server.port), deadline_s(60)) for _ in range(count)]
            for client in slow:
                client.sendall(struct.pack(">II", 16 << 20, 1))
            for byte in b"insert into t":
                for client in slow:
                    client.sendall(bytes([byte]))
                self.assertEqual(other.ask("select * from t")["rows"], 1)
            self.assertLess((server.resident_bytes() - before) / count, 16 << 10)
            for client in slow:
                client.close()

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_pipelines_that_never_read(self) -> None:
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as other:
            other.ask("insert into t (v) values (" + "x" * 10_000 + ")")
            before = server.resident_bytes()
            greedy = []
            for _ in range(10):
                client = socket.create_connection(("127.0.0.1", server.port), deadline_s(60))
                client.setblocking(False)
                greedy.append(client)
            data = b"".join(frame(i + 1, "select * from t") for i in range(5_000))
            for _ in range(20):
                for client in greedy:
                    try:
                        client.send(data)
                    except BlockingIOError:
                        pass
                self.assertEqual(other.ask("select 1")["rows"], 1)
            self.assertLess(server.resident_bytes() - before, 10 * (8 << 20))
            for client in greedy:
                client.close()


if __name__ == "__main__":
    unittest.main()
