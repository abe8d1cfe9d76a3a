"""Queues: pops that wait, leases that end, dead letters, and that no message is lost."""

import json
import random
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection, deadline_s, ok  # noqa: E402

LONG = "1 hour"


def rows(client: FramedConnection, statement: str) -> list[list[str]]:
    return ok(client, statement)["data"]


def kill_one(client: FramedConnection) -> None:
    """A job of queue q, whose jobs have one attempt each, is tried in vain."""
    ok(client, "push into q (job) values (a)")
    ok(client, f"nack q {rows(client, 'pop 1 from q')[0][0]}")


def until(what: str, check: Any) -> Any:
    end = time.monotonic() + deadline_s(60)
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"in time there was not: {what}")
        time.sleep(0.005)


def queue_numbers(client: FramedConnection, queue: str) -> dict[str, int]:
    shown = ok(client, "show queues")
    row = next(row for row in shown["data"] if row[0] == queue)
    return dict(zip(shown["columns"][1:], map(int, row[1:])))


def waiting(client: FramedConnection, queue: str, count: int) -> None:
    until(f"{count} waiting pops", lambda: queue_numbers(client, queue)["Waiting"] == count)


class Waiting(unittest.TestCase):
    """Pops that wait for rows."""

    def each_placement(self) -> Any:
        for threads in ("1", "3"):
            with ServerProcess("--threads", threads, "--log-level", "warning") as server:
                yield server

    def test_first_come_first_served(self) -> None:
        for server in self.each_placement():
            with server.framed() as boss:
                ok(boss, "create queue q (job text)")
                workers = [server.framed() for _ in range(5)]
                for n, worker in enumerate(workers):
                    worker.send(f"pop 1 job from q wait {LONG}")
                    waiting(boss, "q", n + 1)
                ok(boss, "push into q (job) values (a), (b), (c)")
                ok(boss, "push into q (job) values (d)")
                ok(boss, "push into q (job) values (e)")
                got = [json.loads(worker.read_reply())["data"] for worker in workers]
                self.assertEqual(got, [[["a"]], [["b"]], [["c"]], [["d"]], [["e"]]])
                for worker in workers:
                    worker.close()

    def test_the_time_is_over(self) -> None:
        for server in self.each_placement():
            with server.framed() as client:
                ok(client, "create queue q (job text)")
                self.assertEqual(rows(client, "pop 3 from q wait 20 milliseconds"), [])

    def test_a_predicate_lets_others_pass(self) -> None:
        for server in self.each_placement():
            with server.framed() as boss, server.framed() as picky, server.framed() as any_job:
                ok(boss, "create queue q (job text)")
                picky.send(f"pop 1 job from q where job = special wait {LONG}")
                waiting(boss, "q", 1)
                any_job.send(f"pop 1 job from q wait {LONG}")
                waiting(boss, "q", 2)
                ok(boss, "push into q (job) values (plain)")
                self.assertEqual(json.loads(any_job.read_reply())["data"], [["plain"]])
                ok(boss, "push into q (job) values (special)")
                self.assertEqual(json.loads(picky.read_reply())["data"], [["special"]])

    def test_woken_by_all_that_makes_rows_ready(self) -> None:
        for server in self.each_placement():
            with server.framed() as boss, server.framed() as worker:
                ok(boss, "create queue q (job text) max attempts 0")

                def waits(what: str) -> None:
                    worker.send(f"pop 1 id, job from q wait {LONG}")
                    waiting(boss, "q", 1)
                    self.what = what

                def comes() -> str:
                    row = json.loads(worker.read_reply())["data"][0]
                    ok(worker, f"ack q {row[0]}")
                    return row[1]

                waits("nack")
                ok(boss, "begin")
                ok(boss, "push into q (job) values (committed)")
                ok(boss, "commit")
                self.assertEqual(comes(), "committed")
                ok(boss, "push into q (job) values (refused)")
                row = rows(boss, "pop 1 from q")[0][0]
                waits("nack")
                ok(boss, f"nack q {row}")
                self.assertEqual(comes(), "refused")
                waits("delay")
                ok(boss, "push into q (job) values (late) delay 30 milliseconds")
                self.assertEqual(comes(), "late")
                ok(boss, "push into q (job) values (short)")
                rows(boss, "pop 1 from q lease 30 milliseconds")
                waits("lease")
                self.assertEqual(comes(), "short")
                ok(boss, "push into q (job) values (left)")
                ok(boss, "begin")
                rows(boss, "pop 1 from q")
                worker.send(f"pop 1 id, job from q wait {LONG}")
                ok(boss, "rollback")
                self.assertEqual(comes(), "left")
                gone = server.framed()
                ok(boss, "push into q (job) values (orphan)")
                rows(gone, "pop 1 from q")
                waits("connection")
                gone.close()
                self.assertEqual(comes(), "orphan")

    def test_a_client_that_ends_gets_no_more(self) -> None:
        for server in self.each_placement():
            with server.framed() as boss:
                ok(boss, "create queue q (job text)")
                gone = server.framed()
                gone.send(f"pop 1 from q wait {LONG}")
                waiting(boss, "q", 1)
                gone.close()
                waiting(boss, "q", 0)
                ok(boss, "push into q (job) values (a)")
                self.assertEqual(rows(boss, "pop 1 job, attempts from q"), [["a", "1"]])

    def test_the_server_stops(self) -> None:
        for server in self.each_placement():
            with server.framed() as boss:
                ok(boss, "create queue q (job text)")
                worker = server.framed()
                worker.send(f"pop 1 from q wait {LONG}")
                waiting(boss, "q", 1)
                server.signal()
                self.assertEqual(json.loads(worker.read_reply())["rows"], 0)
                worker.expect_closed()
                worker.close()

    def test_a_dropped_queue(self) -> None:
        for server in self.each_placement():
            with server.framed() as boss, server.framed() as worker:
                ok(boss, "create queue q (job text)")
                worker.send(f"pop 1 from q wait {LONG}")
                waiting(boss, "q", 1)
                ok(boss, "drop queue q")
                self.assertEqual(json.loads(worker.read_reply())["status"], "err")

    def test_requests_over_http_lease_nothing(self) -> None:
        with ServerProcess("--log-level", "warning", http=True) as server, server.framed() as client:
            ok(client, "create queue q (job text)")
            request = urllib.request.Request(
                f"http://127.0.0.1:{server.http_port}/sql",
                data=b"pop 1 from q",
                headers={"Content-Type": "application/sql"},
            )
            try:
                with urllib.request.urlopen(request) as answer:
                    text = answer.read().decode()
            except urllib.error.HTTPError as error:
                text = error.read().decode()
            self.assertIn("a lease ends with its connection", text)


class Dead(unittest.TestCase):
    """Rows that have had their attempts."""

    def test_dead_letters(self) -> None:
        for threads in ("1", "4"):
            for data in (False, True):
                with tempfile.TemporaryDirectory(prefix="pubsubsql-queues-") as directory:
                    flags = ["--data", directory] if data else []
                    with ServerProcess("--threads", threads, "--log-level", "warning", *flags) as server:
                        for number in range(4):
                            self.bury(server, f"q{number}", f"d{number}", "durable" if number % 2 else "")

    def bury(self, server: ServerProcess, queue: str, dead: str, kind: str) -> None:
        with server.framed() as boss, server.framed() as watcher:
            ok(watcher, f"subscribe * from {dead}")
            ok(boss, f"create queue {queue} (job text, n int) {kind} max attempts 2 dead letter {dead}")
            ok(boss, f"push into {queue} (job, n) values (a, 1), (b, null)")
            ok(boss, f"bind alarm_{queue} to {dead}")
            for _ in range(2):
                got = rows(boss, f"pop 2 from {queue} wait {LONG}")
                self.assertEqual([row[1] for row in got], ["a", "b"])
                ok(boss, f"nack {queue} {got[0][0]}, {got[1][0]}")
            until("both dead", lambda: len(boss.ask(f"select * from {dead}").get("data", [])) == 2)
            self.assertEqual(
                rows(boss, f"select job, n, attempts, reason from {dead}"),
                [["a", "1", "2", "nack"], ["b", None, "2", "nack"]],
            )
            self.assertEqual(rows(boss, f"select job from alarm_{queue}"), [["a"], ["b"]])
            self.assertEqual(rows(boss, f"select * from {queue}"), [])
            event = watcher.read_event()
            self.assertEqual(event["action"], "insert")
            self.assertEqual(queue_numbers(boss, queue)["Dead"], 2)
            # Whose lease ends by itself
            ok(boss, f"push into {queue} (job) values (c)")
            for _ in range(2):
                rows(boss, f"pop 1 from {queue} wait {LONG} lease 10 milliseconds")
            until("the third", lambda: len(rows(boss, f"select * from {dead}")) == 3)
            self.assertEqual(rows(boss, f"select reason from {dead} where job = c"), [["lease ended"]])

    def test_a_table_that_cannot_have_them(self) -> None:
        with ServerProcess("--log-level", "warning") as server, server.framed() as client:
            ok(client, "create table d (job text)")
            ok(client, "create queue q (job text) max attempts 1 dead letter d")
            kill_one(client)
            server.wait_for_log("cannot be moved to table d")
            self.assertEqual(rows(client, "select job from q"), [["a"]])
            self.assertEqual(rows(client, "pop 1 from q"), [])

    def test_one_that_does_not_fit(self) -> None:
        """It alone stays."""
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as client:
            ok(client, "create table d (job varchar(5), attempts int, died_at datetime(6), reason varchar(50))")
            ok(client, "create queue q (job text) max attempts 1 dead letter d")
            jobs = ["a", "much too long", "b", "much too long", "c"]
            ok(client, "push into q (job) values " + ", ".join(f"('{job}')" for job in jobs))
            ids = ", ".join(row[0] for row in rows(client, "pop 5 from q"))
            ok(client, f"nack q {ids}")
            until("the others", lambda: rows(client, "select job from d order by job") == [["a"], ["b"], ["c"]])
            server.wait_for_log("rows that had their attempts stay, because they cannot be moved to table d")
            self.assertEqual(rows(client, "select job from q"), [["much too long"], ["much too long"]])

    def test_a_subscription_of_their_name(self) -> None:
        with ServerProcess("--log-level", "warning") as server, server.framed() as client:
            ok(client, "create queue q (job text) max attempts 1 dead letter d")
            ok(client, "subscribe * from t as d")
            kill_one(client)
            server.wait_for_log("cannot be moved to table d: d is a subscription")
            self.assertEqual(rows(client, "select job from q"), [["a"]])

    def test_the_log_tells_of_drops_now_and_then(self) -> None:
        with ServerProcess("--log-level", "warning") as server, server.framed() as client:
            ok(client, "create queue q (job text) max attempts 1")
            for _ in range(7):
                kill_one(client)
            server.wait_for_log("queue q: 1 rows had their 1 attempts")
            server.wait_for_log("queue q: 6 rows had their 1 attempts")
            self.assertEqual(sum("had their" in line for line in server.log), 2)


class Counted(unittest.TestCase):
    """What is counted is what has been committed."""

    def test_transactions(self) -> None:
        for threads in ("1", "4"):
            for kind in ("", "durable"):
                with tempfile.TemporaryDirectory(prefix="pubsubsql-queues-") as directory:
                    flags = ["--data", directory] if kind else []
                    with ServerProcess("--threads", threads, "--log-level", "warning", *flags) as server:
                        with server.framed() as client:
                            self.work(server, client, kind)

    def numbers(self, client: FramedConnection) -> list[int]:
        found = queue_numbers(client, "q")
        return [found[name] for name in ("Pushed", "Popped", "Acked", "Returned", "Dead")]

    def copied(self, client: FramedConnection) -> list[str]:
        return [row[3] for row in rows(client, "show bindings")]

    def work(self, server: ServerProcess, client: FramedConnection, kind: str) -> None:
        ok(client, f"create queue q (job text) {kind} max attempts 1")
        ok(client, "bind q to t")
        ok(client, "bind c to t where job = a")
        for end, numbers, copied in (("rollback", [0] * 5, ["0", "0"]), ("commit", [3, 2, 1, 1, 1], ["1", "2"])):
            ok(client, "begin")
            ok(client, "insert into t (job) values (a)")
            ok(client, "push into q (job) values (b)")
            ok(client, "publish into t (job) values (b)")
            got = rows(client, "pop 2 from q")
            ok(client, f"ack q {got[0][0]}")
            ok(client, f"nack q {got[1][0]}")
            client.ask(f"ack q {got[0][0]}")
            ok(client, end)
            self.assertEqual(self.numbers(client), numbers)
            self.assertEqual(self.copied(client), copied)
        server.wait_for_log("queue q: 1 rows had their 1 attempts")
        # A statement that fails by itself
        ok(client, "key c job")
        client.ask("insert into t (job) values (b), (a)")
        self.assertEqual(self.numbers(client), [3, 2, 1, 1, 1])
        self.assertEqual(self.copied(client), ["1", "2"])
        ok(client, "push into q (job) values (c)")
        ok(client, f"ack q {rows(client, 'pop 1 from q')[0][0]}")
        self.assertEqual(self.numbers(client), [4, 3, 2, 1, 1])


class Durable(unittest.TestCase):
    """What outlives the server."""

    def test_restarts(self) -> None:
        for how in ("stop", "kill"):
            with tempfile.TemporaryDirectory(prefix="pubsubsql-queues-") as directory:
                flags = ("--data", directory, "--threads", "2", "--log-level", "warning")
                with ServerProcess(*flags) as server:
                    with server.framed() as client:
                        ok(client, "create queue d (job text, p int) durable lease 2 hours max attempts 2 priority p")
                        ok(client, "create queue n (job text)")
                        ok(client, "push into d (job, p) values (a, 1), (b, 2), (c, 3)")
                        ok(client, "push into n (job) values (a)")
                        got = rows(client, "pop 2 from d")
                        self.assertEqual([row[1] for row in got], ["c", "b"])
                        ok(client, f"ack d {got[0][0]}")
                        if how == "kill":
                            server.kill()
                with ServerProcess(*flags) as server, server.framed() as client:
                    self.assertEqual(client.ask("select * from n")["status"], "err")
                    self.assertEqual(
                        rows(client, f"pop 1 job, attempts from d wait {LONG}"), [["b", "2"]]
                    )
                    self.assertEqual(rows(client, "pop 5 job, attempts, leased_by from d")[0][:2], ["a", "1"])
                    self.assertEqual(rows(client, "describe d")[3][0], "attempts")
                    self.assertEqual(queue_numbers(client, "d")["InFlight"], 2)


class Mirrored(unittest.TestCase):
    """What makes a table a queue comes back from MySQL, too."""

    def test_restarts(self) -> None:
        with MariadbServer() as mariadb:
            for number, with_data in enumerate((False, True)):
                mariadb.create_database(f"queues{number}", "app", "secret")
                with tempfile.TemporaryDirectory(prefix="pubsubsql-queues-") as directory:
                    flags = ["--mysql", mariadb.url(f"queues{number}", "app", "secret"), "--log-level", "warning"]
                    flags += ["--data", directory] if with_data else []
                    with ServerProcess(*flags) as server, server.framed() as client:
                        ok(client, "create queue d (job text, p int) durable max attempts 2 dead letter x priority p")
                        ok(client, "create queue n (job text)")
                        ok(client, "push into d (job, p) values (a, 1), (b, 2)")
                        rows(client, "pop 1 from d")
                    with ServerProcess(*flags) as server, server.framed() as client:
                        self.assertEqual(client.ask("select * from n")["status"], "err")
                        got = rows(client, f"pop 2 id, job, attempts from d wait {LONG}")
                        self.assertEqual([row[1:] for row in got], [["b", "2"], ["a", "1"]])
                        ok(client, f"nack d {got[0][0]}")
                        until("a dead letter", lambda: client.ask("select job from x").get("data") == [["b"]])


class Messages:
    """Numbered messages: which were pushed, which seen, which acknowledged."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pushed: set[int] = set()
        self.seen: Counter[int] = Counter()
        self.acked: set[int] = set()
        self.seen_after_ack: list[int] = []

    def on_seen(self, n: int) -> None:
        with self.lock:
            self.seen[n] += 1
            if n in self.acked:
                self.seen_after_ack.append(n)

    def on_acked(self, n: int) -> None:
        with self.lock:
            self.acked.add(n)


def work(server: ServerProcess, m: Messages, seed: int, done: threading.Event) -> None:
    """A worker that gets killed now and then: its connection ends wherever it is."""
    choose = random.Random(seed)
    while not done.is_set():
        try:
            with server.framed() as client:
                while not done.is_set():
                    got = client.ask(f"pop {choose.randint(1, 5)} id, n from q wait 100 milliseconds")
                    if got["status"] != "ok":
                        break
                    for row in got["data"]:
                        m.on_seen(int(row[1]))
                    fate = choose.random()
                    if fate < 0.1 and got["data"]:
                        break  # killed with leases
                    if fate < 0.2 and got["data"]:
                        client.ask(f"nack q {', '.join(row[0] for row in got['data'])}")
                        continue
                    for row in got["data"]:
                        if client.ask(f"ack q {row[0]}")["status"] == "ok":
                            m.on_acked(int(row[1]))
        except (Closed, OSError):
            time.sleep(0.01)


class NothingLost(unittest.TestCase):
    """Every message is seen at least once, and none after it was acknowledged."""

    def check(self, m: Messages) -> None:
        self.assertEqual(m.pushed - set(m.seen), set())
        self.assertEqual(m.seen_after_ack, [])
        self.assertEqual(m.pushed - m.acked, set())

    def test_workers_killed_at_random(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as boss:
            ok(boss, "create queue q (n int) max attempts 0")
            m, done = Messages(), threading.Event()
            workers = [threading.Thread(target=work, args=(server, m, seed, done)) for seed in range(6)]
            for worker in workers:
                worker.start()
            for n in range(400):
                ok(boss, f"push into q (n) values ({n})")
                m.pushed.add(n)
            until("all acknowledged", lambda: len(rows(boss, "select id from q")) == 0)
            done.set()
            for worker in workers:
                worker.join()
            self.check(m)

    def test_the_server_killed(self) -> None:
        """An acknowledgement that was not answered may or may not have been; one that was is kept."""
        with tempfile.TemporaryDirectory(prefix="pubsubsql-queues-") as directory:
            flags = ("--data", directory, "--threads", "2", "--log-level", "error")
            m = Messages()
            next_number = 0
            choose = random.Random(5)
            for round_number in range(4):
                server = ServerProcess(*flags)
                done = threading.Event()
                boss = server.framed()
                ok(boss, "create queue if not exists q (n int) durable max attempts 0")
                workers = [threading.Thread(target=work, args=(server, m, seed, done)) for seed in range(4)]
                for worker in workers:
                    worker.start()
                for _ in range(100):
                    ok(boss, f"push into q (n) values ({next_number})")
                    m.pushed.add(next_number)
                    next_number += 1
                if round_number < 3:
                    time.sleep(choose.random() * 0.05)
                    server.kill()
                else:
                    until("all acknowledged", lambda: len(rows(boss, "select id from q")) == 0)
                done.set()
                for worker in workers:
                    worker.join()
                boss.close()
                if round_number == 3:
                    server.signal()
                    server.wait()
            # What was acknowledged without an answer is not in m.acked, but gone.
            self.assertEqual(m.pushed - set(m.seen), set())
            self.assertEqual(m.seen_after_ack, [])


if __name__ == "__main__":
    unittest.main()
