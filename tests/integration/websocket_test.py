"""WebSocket on the HTTP port: the same sessions as over TCP, and everything that can go wrong with frames."""

import os
import random
import resource
import socket
import struct
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from access_test import WithUsers  # noqa: E402
from harness.certificates import Authority  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, Closed, WebSocket, frame  # noqa: E402

SANITIZED = os.environ.get("PUBSUBSQL_SANITIZE", "") != ""


class Conversations(unittest.TestCase):
    def test_replies_and_events_are_those_of_tcp(self) -> None:
        with ServerProcess(http=True) as server, WebSocket(server.http_port) as web, server.text() as tcp:
            self.assertEqual(web.ask("insert into t (a) values (1)")["rows"], 1)
            self.assertEqual(web.ask("select * from t"), tcp.ask("select * from t"))
            subscribed = web.ask("subscribe * from t")["pubsubid"]
            self.assertEqual(web.receive()["action"], "add")
            tcp.ask("update t set a = 'ü'")
            event = web.receive()
            self.assertEqual((event["action"], event["pubsubid"], event["data"]), ("update", subscribed, [["0", "ü"]]))
            self.assertEqual(web.ask("select nonsense from")["status"], "err")
            web.send("close")
            self.assertEqual(web.expect_close().code, 1000)
            server.wait_for_log(r"ended: client said close; websocket, 5 statements")

    def test_many_statements_at_once_are_answered_in_order(self) -> None:
        count = 5_000
        with ServerProcess("--threads", "2", http=True) as server, WebSocket(server.http_port) as web:
            web.ask("create table t (n int)")
            web.socket.sendall(b"".join(frame(TEXT, f"insert into t (n) values ({n}) returning n".encode()) for n in range(count)))
            for n in range(count):
                self.assertEqual(web.receive()["data"], [[str(n)]])

    def test_a_large_result_comes_in_batches(self) -> None:
        with ServerProcess(http=True) as server, WebSocket(server.http_port) as web:
            rows = 1_050
            for first in range(0, rows, 50):
                values = ", ".join(f"({n}, '{'x' * 1000}')" for n in range(first, first + 50))
                web.ask(f"insert into t (n, x) values {values}")
            web.send("select n from t")
            seen: list[str] = []
            while len(seen) < rows:
                batch = web.receive()
                self.assertLessEqual(len(batch["data"]), 100)
                seen += [row[-1] for row in batch["data"]]
            self.assertEqual(seen, [str(n) for n in range(rows)])
            # A reply that is larger than what is sent at a time.
            web.send("select * from t")
            self.assertEqual(len(web.receive()["data"]), 100)

    def test_fragments_and_pings_between_them(self) -> None:
        with ServerProcess(http=True) as server, WebSocket(server.http_port) as web:
            web.send("insert into t (a) values ('" + "ä" * 5_000 + "')", pieces=1_000)
            self.assertEqual(web.receive()["rows"], 1)
            web.send_frame(TEXT, b"select a ", fin=False)
            web.send_frame(PING, b"there?")
            web.send_frame(CONTINUATION, b"from t", fin=True)
            self.assertEqual(web.receive()["data"][0][-1], "ä" * 5_000)
            self.assertEqual(web.pongs, [b"there?"])

    def test_statements_right_behind_the_request(self) -> None:
        statements = b"".join(frame(TEXT, f"select {n} as n".encode()) for n in range(1_000))
        with ServerProcess(http=True) as server, WebSocket(server.http_port, early=statements) as web:
            for n in range(1_000):
                self.assertEqual(web.receive()["data"], [[str(n)]])

    def test_large_statements(self) -> None:
        with ServerProcess("--max-statement-bytes", "1MiB", http=True) as server:
            with WebSocket(server.http_port) as web:
                self.assertEqual(web.ask(f"insert into t (a) values ('{'x' * 1_000_000}')")["rows"], 1)
                self.assertEqual(len(web.ask("select a from t")["data"][0][-1]), 1_000_000)
                web.send("x" * ((1 << 20) + 1))
                self.assertEqual(web.expect_close().code, 1009)
            with WebSocket(server.http_port) as web:
                with self.assertRaises((Closed, ConnectionError)):
                    for _ in range(1 << 12):
                        web.send_frame(TEXT if _ == 0 else CONTINUATION, b"x" * 4096, fin=False)
                    web.receive()

    def test_compression_is_the_clients_choice(self) -> None:
        with ServerProcess("--http-deflate", http=True) as server:
            with WebSocket(server.http_port, deflate=True) as web:
                self.assertIn("permessage-deflate", web.fields["sec-websocket-extensions"])
                self.assertEqual(web.ask(f"insert into t (a) values ('{'x' * 10_000}')")["rows"], 1)
                self.assertEqual(web.ask("select a from t")["data"][0][-1], "x" * 10_000)
                self.assertEqual(web.compressed_messages, 2)
            with WebSocket(server.http_port) as web:
                self.assertNotIn("sec-websocket-extensions", web.fields)
                self.assertEqual(web.ask("select a from t")["data"][0][-1], "x" * 10_000)
        with ServerProcess(http=True) as server, WebSocket(server.http_port, deflate=True) as web:
            self.assertNotIn("sec-websocket-extensions", web.fields)
            self.assertEqual(web.ask("status")["status"], "ok")

    def test_a_client_that_is_silent_is_asked(self) -> None:
        with ServerProcess("--tcp-keepalive-seconds", "1", http=True) as server:
            with WebSocket(server.http_port) as web, WebSocket(server.http_port) as dead:
                self.assertEqual(web.receive_frame()[0], PING)
                web.send_frame(10, b"")
                self.assertEqual(web.receive_frame()[0], PING)
                web.send_frame(10, b"")
                self.assertEqual(web.ask("status")["status"], "ok")
                server.wait_for_log(rf":{dead.socket.getsockname()[1]} ended: connection lost; websocket")

    def test_tls(self) -> None:
        with Authority() as ca:
            pair = ca.issue("localhost")
            flags = ("--tls-cert", pair.certificate, "--tls-key", pair.key)
            with ServerProcess(*flags, "--tls-required", http=True) as server:
                with WebSocket(server.http_port, tls=ca.client_context()) as web:
                    web.ask(f"insert into t (a) values ('{'x' * 300_000}')")
                    self.assertEqual(len(web.ask("select a from t")["data"][0][-1]), 300_000)
                    web.send("close")
                    self.assertEqual(web.expect_close().code, 1000)
                server.wait_for_log(r"ended: client said close; websocket over TLSv1.3")
                with self.assertRaisesRegex(Closed, "403 Forbidden"):
                    WebSocket(server.http_port)


class Ends(unittest.TestCase):
    def test_the_client_closes(self) -> None:
        with ServerProcess(http=True) as server, WebSocket(server.http_port) as web:
            web.ask("subscribe * from t")
            web.send_close(1000, "bye")
            self.assertEqual(web.expect_close().code, 1000)
            server.wait_for_log("ended: client closed the connection; websocket")

    def test_the_client_is_gone_without_a_word(self) -> None:
        with ServerProcess(http=True) as server, server.text() as tcp:
            for linger in (struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)):
                web = WebSocket(server.http_port)
                web.ask("subscribe * from t")
                web.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                port = web.socket.getsockname()[1]
                web.close()
                server.wait_for_log(rf":{port} ended: connection lost; websocket")
            self.assertEqual(tcp.ask("insert into t (a) values (1)")["rows"], 1)

    def test_half_closed(self) -> None:
        with ServerProcess(http=True) as server, WebSocket(server.http_port) as web:
            web.ask("status")
            web.socket.shutdown(socket.SHUT_WR)
            web.expect_close()

    def test_what_is_no_text(self) -> None:
        with ServerProcess(http=True) as server:
            cases = {
                1003: [(BINARY, b"status", True, True)],
                1007: [(TEXT, b"select '\xff'", True, True)],
                1002: [(TEXT, b"status", True, False)],
            }
            for code, frames in cases.items():
                with self.subTest(code), WebSocket(server.http_port) as web:
                    for f in frames:
                        web.send_frame(*f)
                    self.assertEqual(web.expect_close().code, code)
            broken = [frame(CONTINUATION, b"x"), frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"), frame(PING, b"x" * 126),
                      frame(3, b"x"), frame(CLOSE, b"x"), b"\xf1" + frame(TEXT, b"x")[1:]]
            for data in broken:
                with self.subTest(data), WebSocket(server.http_port) as web:
                    web.socket.sendall(data)
                    self.assertIn(web.expect_close().code, (1002, None))
            with WebSocket(server.http_port) as web:
                self.assertEqual(web.ask("status")["status"], "ok")

    def test_random_bytes(self) -> None:
        seed = random.randrange(1 << 30)
        r = random.Random(seed)
        with self.subTest(seed=seed), ServerProcess("--threads", "2", http=True) as server:
            for _ in range(100):
                web = WebSocket(server.http_port)
                data = r.randbytes(r.randrange(1, 400))
                if r.random() < 0.5:
                    data = frame(r.randrange(16), data, r.random() < 0.8, r.random() < 0.9)
                try:
                    web.socket.sendall(data)
                    web.socket.shutdown(socket.SHUT_WR)
                    web.expect_close()
                except OSError:
                    pass
                web.close()
            with WebSocket(server.http_port) as web:
                self.assertEqual(web.ask("status")["status"], "ok")

    def test_the_server_stops(self) -> None:
        with ServerProcess(http=True) as server, WebSocket(server.http_port) as web, WebSocket(server.http_port) as silent:
            web.ask("subscribe * from t")
            silent.ask("status")
            server.signal()
            closed = web.expect_close()
            self.assertEqual((closed.code, closed.reason), (1001, "the server stops"))
            self.assertEqual(server.wait(), 0)

    def test_too_many(self) -> None:
        with ServerProcess("--max-connections", "1", http=True) as server, WebSocket(server.http_port) as web:
            with self.assertRaisesRegex(Closed, "503 Service Unavailable"):
                WebSocket(server.http_port)
            self.assertEqual(web.ask("status")["connections"], 1)


class SlowSubscribers(unittest.TestCase):
    """A subscriber that reads nothing while a table changes more than its connection takes."""

    def flood(self, server: ServerProcess, *flags: str) -> None:
        with server.framed() as writer:
            for n in range(40):
                writer.ask(f"update t set x = '{n:03}{'x' * 200_000}'")

    def slow_subscriber(self, server: ServerProcess, subscribe: str) -> WebSocket:
        web = WebSocket(server.http_port, receive_buffer=4096)
        web.ask("insert into t (x) values (0)")
        self.assertEqual(web.ask(subscribe)["status"], "ok")
        self.assertEqual(web.receive()["action"], "add")
        return web

    def test_disconnect(self) -> None:
        with ServerProcess("--max-backlog-bytes", "100000", http=True) as server:
            with self.slow_subscriber(server, "subscribe * from t") as web:
                self.flood(server)
                server.wait_for_log("disconnected .*: too slow a subscriber")
                closed = web.expect_close()
                self.assertIn(closed.code, (1008, None))

    def test_conflate(self) -> None:
        with ServerProcess("--max-backlog-bytes", "1000000", http=True) as server:
            with self.slow_subscriber(server, "subscribe * from t on slow conflate") as web:
                self.flood(server)
                last = ""
                count = 0
                while not last.startswith("039"):
                    last = web.receive()["data"][-1][-1]
                    count += 1
                self.assertLess(count, 40)

    def test_drop(self) -> None:
        with ServerProcess("--max-backlog-bytes", "1000000", http=True) as server:
            with self.slow_subscriber(server, "subscribe * from t on slow drop") as web:
                self.flood(server)
                last = ""
                actions: list[str] = []
                while not last.startswith("039"):
                    event = web.receive()
                    actions.append(event["action"])
                    last = event["data"][-1][-1] if event["data"] else last
                self.assertLess(len(actions), 42)
                self.assertIn("gap", actions)


    def test_a_client_that_reads_no_replies_waits(self) -> None:
        asked = 2_000
        with ServerProcess("--threads", "1", http=True) as server, server.framed() as other:
            other.ask("insert into t (v) values (" + "x" * 100_000 + ")")
            before = server.resident_bytes()
            with WebSocket(server.http_port) as web:
                web.socket.sendall(frame(TEXT, b"select v from t") * asked)
                self.assertEqual(other.ask("status")["connections"], 2)
                self.assertLess(server.resident_bytes() - before, 64 << 20)
                for _ in range(asked):
                    self.assertEqual(len(web.receive()["data"]), 1)


class Many(unittest.TestCase):
    def test_thousands_of_subscribers(self) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(1_000 if SANITIZED else 10_000, soft - 100)
        changes = 10
        with ServerProcess("--max-connections", "10100", http=True) as server, server.framed() as writer:
            writer.ask("insert into t (v) values (start)")
            before = server.resident_bytes()
            clients = [WebSocket(server.http_port) for _ in range(count)]
            for client in clients:
                self.assertEqual(client.ask("subscribe skip * from t")["status"], "ok")
            each = (server.resident_bytes() - before) / count
            print(f"{each:.0f} bytes for each of {count} WebSockets with a subscription")
            if not SANITIZED:
                self.assertLess(each, 9_000)
            for n in range(changes):
                self.assertEqual(writer.ask(f"update t set v = {n}")["rows"], 1)
            for client in clients:
                seen: list[str] = []
                while len(seen) < changes:
                    seen += [row[1] for row in client.receive()["data"]]
                self.assertEqual(seen, [str(n) for n in range(changes)])
            self.assertEqual(writer.ask("status")["connections"], count + 1)
            for client in clients:
                client.close()


class Users(WithUsers):
    def test_auth_is_a_statement(self) -> None:
        with self.server(http=True) as server, WebSocket(server.http_port) as web:
            self.assertEqual(web.ask("status")["code"], 1045)
            self.assertEqual(web.ask("auth root root-secret")["status"], "ok")
            self.assertEqual(web.ask(f"insert into t (a) values ('{'x' * 100_000}')")["rows"], 1)
            self.assertEqual(web.ask("select current_user() as u")["data"], [["root"]])

    def test_a_stranger_is_not_listened_to_for_long(self) -> None:
        with self.server("--handshake-timeout-seconds", "1", http=True) as server:
            with WebSocket(server.http_port) as web:
                web.send("x" * 20_000)
                self.assertEqual(web.expect_close().code, 1009)
            with WebSocket(server.http_port) as web:
                self.assertEqual(web.ask("status")["code"], 1045)
                closed = web.expect_close()
                self.assertEqual(closed.code, 1008)
                self.assertIn("no authentication within", closed.reason)

    def test_guessing_ends_it(self) -> None:
        with self.server(http=True) as server, WebSocket(server.http_port) as web:
            for _ in range(5):
                self.assertEqual(web.ask("auth root wrong")["status"], "err")
            self.assertEqual(web.expect_close().code, 1008)


if __name__ == "__main__":
    unittest.main()
