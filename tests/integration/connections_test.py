"""Many connections, too many, slow ones, and ones that go away."""

import json
import os
import re
import resource
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, frame  # noqa: E402

SANITIZED = os.environ.get("PUBSUBSQL_SANITIZE", "") != ""


class SlowSubscriber(unittest.TestCase):
    def test_is_disconnected_and_nobody_else_is_hurt(self) -> None:
        for threads in ("1", "2"):
            with ServerProcess("--threads", threads, "--max-backlog-bytes", "1MiB") as server:
                slow, fast, writer = server.framed(), server.framed(), server.framed()
                with slow, fast, writer:
                    for subscriber in (slow, fast):
                        self.assertEqual(subscriber.ask("subscribe * from t")["status"], "ok")
                    address = "%s:%d" % slow.socket.getsockname()
                    count, received = 12_000, 0
                    for i in range(count):
                        self.assertEqual(writer.ask(f"insert into t (v) values ({'x' * 1000})")["rows"], 1)
                        while received <= i:
                            event = fast.read_event()
                            self.assertEqual(event["data"][0][0], str(received))
                            received += event["rows"]
                    line = server.wait_for_log(r"disconnected (\S+): too slow a subscriber, (\d+) bytes")
                    self.assertEqual(line[1], address)
                    self.assertGreater(int(line[2]), 1 << 20)
                    with self.assertRaises(Closed):
                        while True:
                            slow.read_event()
                    self.assertEqual(writer.ask("show tables")["data"], [["t", str(count), "2", "1"]])

    def test_a_client_that_reads_no_replies_waits(self) -> None:
        """Its statements are held back; what it already asked is answered once it reads."""
        with ServerProcess("--threads", "1", "--log-level", "warning") as server, server.framed() as client:
            client.ask("insert into t (v) values (" + "x" * 100_000 + ")")
            before = server.resident_bytes()
            asked = 2_000
            client.socket.sendall(b"".join(frame(i + 2, "select * from t") for i in range(asked)))
            with server.framed() as other:
                self.assertEqual(other.ask("status")["connections"], 2)
            self.assertLess(server.resident_bytes() - before, 64 << 20)
            for i in range(asked):
                self.assertEqual(client.read_message()[0], i + 2)


class Subscribers(unittest.TestCase):
    def test_a_gone_subscriber_is_forgotten(self) -> None:
        with ServerProcess("--threads", "3", "--log-level", "warning") as server, server.framed() as watcher:
            for _ in range(50):
                with server.framed() as client:
                    for table in ("a", "b", "c"):
                        client.ask(f"subscribe * from {table}")
            watcher.ask("subscribe * from a")
            # The server learns of a closed connection a moment later; a deadline bounds the wait.
            for _ in range(1000):
                if watcher.ask("status")["subscriptions"] == 1:
                    break
            self.assertEqual(watcher.ask("status")["subscriptions"], 1)

    def test_every_subscriber_sees_every_change_in_order(self) -> None:
        subscribers, changes = 40, 500
        with ServerProcess("--threads", "4", "--log-level", "warning") as server, server.framed() as writer:
            writer.ask("insert into t (v) values (start)")
            clients = [server.framed() for _ in range(subscribers)]
            for client in clients:
                client.ask("subscribe * from t")
            writer.socket.sendall(b"".join(frame(i + 2, f"update t set v = {i}") for i in range(changes)))
            for client in clients:
                rows = [row for row in client.read_event()["data"]]
                self.assertEqual(rows, [["0", "start"]])
                values: list[str] = []
                while len(values) < changes:
                    values += [row[1] for row in client.read_event()["data"]]
                self.assertEqual(values, [str(i) for i in range(changes)])
                client.close()


class Limits(unittest.TestCase):
    def test_one_connection_too_many_is_told_so(self) -> None:
        with ServerProcess("--max-connections", "3", "--log-level", "warning") as server:
            held = [server.text() for _ in range(3)]
            for client in held:
                client.ask("status")
            for client in (server.framed(), server.text()):
                with client:
                    client.send("status")
                    self.assertIn("too many connections", json.loads(client.read_message()[1])["msg"])
                    client.expect_closed()
            held.pop().close()
            for _ in range(1000):
                with server.text() as client:
                    if client.ask("status")["status"] == "ok":
                        break
            else:
                self.fail("a place that became free was not given again")
            for client in held:
                client.close()

    def test_thousands_of_idle_connections_cost_little(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(5_000, soft - 100)
        with ServerProcess("--log-level", "warning") as server:
            with server.text() as first:
                first.ask("status")
            before = server.resident_bytes()
            clients = [server.text() for _ in range(count)]
            for client in clients:
                client.ask("status")
            each = (server.resident_bytes() - before) / count
            print(f"{count} idle connections: {each:.0f} bytes of server memory each")
            if not SANITIZED:
                self.assertLess(each, 4096)
            for client in clients:
                client.close()


class Log(unittest.TestCase):
    def test_one_line_for_each_connection_and_none_for_statements(self) -> None:
        with ServerProcess("--threads", "1") as server:
            with server.text() as client:
                address = "%s:%d" % client.socket.getsockname()
                for _ in range(10):
                    client.ask("status")
            server.wait_for_log(re.escape(address) + ".*ended: client closed the connection; text, 10 statements")
            self.assertEqual(len([line for line in server.log if address in line]), 1)


if __name__ == "__main__":
    unittest.main()
