"""An orderly stop: what was answered was sent, everything ends, exit status 0."""

import json
import signal
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed  # noqa: E402


class Stopping(unittest.TestCase):
    def test_signals_with_idle_clients(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with ServerProcess("--threads", "2") as server:
                idle, subscriber = server.text(), server.framed()
                subscriber.ask("subscribe * from t")
                server.signal(number)
                self.assertEqual(server.wait(), 0)
                for client in (idle, subscriber):
                    client.expect_closed()
                    client.close()

    def test_stop_statement(self) -> None:
        for make in ("text", "framed"):
            with ServerProcess("--threads", "2") as server:
                client = getattr(server, make)()
                self.assertEqual(client.ask("insert into t (a) values (1)")["rows"], 1)
                client.send("stop")
                client.expect_closed()
                client.close()
                self.assertEqual(server.wait(), 0)

    def test_under_load_no_reply_is_cut(self) -> None:
        """Each client pipelines inserts; whatever arrives are whole replies, in order, without a gap."""
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            clients = [server.framed() for _ in range(4)]
            counts = [0] * len(clients)
            problems: list[str] = []

            def write(client: object) -> None:
                try:
                    while True:
                        client.send("insert into t (a) values (some_text)")  # type: ignore[attr-defined]
                except OSError:
                    pass

            def read(index: int) -> None:
                try:
                    while True:
                        number, text = clients[index].read_message()
                        counts[index] += 1
                        if number != counts[index] or json.loads(text)["status"] != "ok":
                            problems.append(f"client {index}: {number} {text}")
                except (Closed, OSError):
                    pass

            threads = [threading.Thread(target=write, args=(c,)) for c in clients]
            threads += [threading.Thread(target=read, args=(i,)) for i in range(len(clients))]
            for thread in threads:
                thread.start()
            with server.framed() as watcher:
                while watcher.ask("status")["rows"] < 2_000:
                    pass
            server.signal()
            self.assertEqual(server.wait(), 0)
            for thread in threads:
                thread.join()
            for client in clients:
                client.close()
            self.assertEqual(problems, [])
            self.assertGreater(sum(counts), 0)

    def test_a_client_that_does_not_read_cannot_hold_it_up(self) -> None:
        with ServerProcess("--stop-grace-ms", "300", "--threads", "1") as server, server.framed() as client:
            client.ask("insert into t (a) values (" + "x" * 15_000_000 + ")")
            client.send("select * from t")  # more than the socket's buffers hold
            with server.framed() as other:
                other.ask("status")
            server.signal()
            self.assertEqual(server.wait(), 0)
            self.assertTrue(any("did not take what was due" in line for line in server.log))


if __name__ == "__main__":
    unittest.main()
