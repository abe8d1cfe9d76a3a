"""Named subscriptions: their position outlives connections and servers, and nothing behind it is missed."""

import os
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Mirror, wait_until  # noqa: E402
from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection, ok  # noqa: E402

CLI = os.environ.get("PUBSUBSQL_CLI") or os.path.join(os.path.dirname(PROGRAM), "pubsubsql")
ROUNDS = 4
FEED = "subscribe * from t where n >= 0 as feed"


def refused(client: FramedConnection, statement: str) -> str:
    reply = client.ask(statement)
    assert reply["status"] == "err", (statement, reply)
    return str(reply["msg"])


def named(client: FramedConnection) -> dict[str, dict[str, str]]:
    """What is shown of each named subscription, by name."""
    reply = ok(client, "show subscriptions")
    rows = [dict(zip(reply["columns"], row)) for row in reply["data"]]
    return {row["Name"]: row for row in rows if row["Name"] is not None}


def events_up_to(client: FramedConnection, position: int) -> list[dict[str, Any]]:
    events = []
    while not events or events[-1]["seq"] < position:
        events.append(client.read_event())
    return events


class Worker:
    """Does with each row of a table what is to be done, and acknowledges that in the same transaction, until the server
    is gone; then again with the next server."""

    def __init__(self) -> None:
        self.resyncs = 0

    def work(self, client: FramedConnection) -> None:
        reply = ok(client, FEED)
        self.resyncs += reply.get("resync", False)
        while True:
            event = client.read_event()
            ok(client, "begin")
            if event["action"] == "insert":
                at = event["columns"].index("n")
                for row in event["data"]:
                    ok(client, f"insert into done (n) values ({row[at]})")
            ok(client, f"ack feed {event['seq']}")
            ok(client, "commit")

    def run(self, server: ServerProcess) -> None:
        try:
            with server.framed() as client:
                self.work(client)
        except (Closed, OSError):
            pass


class Restarts(unittest.TestCase):
    """The server is killed, again and again."""

    def exactly_once(self, *flags: str) -> None:
        """What is done in the transaction of the acknowledgement is done once."""
        worker = Worker()
        written: list[str] = []
        for round_ in range(ROUNDS):
            with ServerProcess(*flags, "--log-level", "warning") as server, server.framed() as client:
                if round_ == 0:
                    ok(client, "insert into t (n) values (-1)")
                    ok(client, FEED)
                    ok(client, "ack feed " + str(ok(client, "subscribe skip * from t with seq")["seq"]))
                    ok(client, "unsubscribe from t")
                thread = threading.Thread(target=worker.run, args=(server,))
                thread.start()
                for i in range(30):
                    number = str(100 * round_ + i)
                    ok(client, f"insert into t (n) values ({number})")
                    written.append(number)
                server.kill()
                thread.join()
        with ServerProcess(*flags, "--log-level", "warning") as server, server.framed() as client:
            thread = threading.Thread(target=worker.run, args=(server,))
            thread.start()
            wait_until(lambda: int(ok(client, "select count(*) from done")["data"][0][0]) >= len(written))
            done = [row[0] for row in ok(client, "select n from done")["data"]]
            self.assertEqual(sorted(done, key=int), written)
            server.kill()
            thread.join()
        self.assertEqual(worker.resyncs, 0)

    def outlive(self, *flags: str) -> None:
        with ServerProcess(*flags, "--log-level", "warning") as server, server.framed() as client:
            ok(client, "insert into t (n) values (1), (2)")
            ok(client, FEED)
            first = events_up_to(client, 1)[0]
            ok(client, "subscribe skip n from t as gone")
            ok(client, "subscribe skip * from other as dropped")
            ok(client, "subscribe * from t as `never acknowledged`")
            held = named(client)["never acknowledged"]["Statement"]
            ok(client, f"ack feed {first['seq']}")
            ok(client, "drop subscription gone")
            ok(client, "drop table other")
            ok(client, "insert into t (n) values (3)")
            server.kill()
        for _ in range(2):
            with ServerProcess(*flags, "--log-level", "warning") as server, server.framed() as client:
                shown = named(client)
                self.assertEqual(sorted(shown), ["feed", "never acknowledged"])
                self.assertEqual(shown["feed"]["Position"], str(first["seq"]))
                self.assertIsNone(shown["feed"]["Connection"])
                self.assertIsNone(shown["never acknowledged"]["Position"])
                self.assertEqual(shown["never acknowledged"]["Statement"], held)
                self.assertIn("drop subscription feed first", refused(client, "subscribe * from t as feed"))
                self.assertIn("feed is a subscription", refused(client, "insert into feed (a) values (1)"))
                reply = ok(client, "subscribe * from t as `never acknowledged`")
                self.assertEqual([e["rows"] for e in events_up_to(client, reply["seq"])], [3])
                ok(client, "unsubscribe from t")
                reply = ok(client, FEED)
                rows = [row[1] for row in client.read_event()["data"]]
                self.assertEqual(rows, ["1", "2", "3"] if reply.get("resync") else ["3"])
                server.kill()

    def test_in_a_data_directory(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pubsubsql-named-") as directory:
            self.outlive("--data", directory, "--threads", "2")

    def test_exactly_once_in_a_data_directory(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pubsubsql-named-") as directory:
            self.exactly_once("--data", directory, "--threads", "2")

    def test_in_mysql(self) -> None:
        with MariadbServer() as mariadb:
            mirror = Mirror(mariadb, "alone")
            self.outlive("--mysql", mirror.url, "--threads", "2")
            rows = mirror.sql("select name, table_name, owner, statement from pubsubsql_subscriptions order by name")
            self.assertEqual(rows[0], ["feed", "t", "", "subscribe * from t where n >= 0"])
            self.assertEqual([row[0] for row in rows], ["feed", "never acknowledged"])
            with tempfile.TemporaryDirectory(prefix="pubsubsql-named-") as directory:
                self.outlive("--mysql", Mirror(mariadb, "both").url, "--data", directory, "--threads", "2")

    def test_mysql_is_away(self) -> None:
        """What is made and acknowledged meanwhile gets there from the journal."""
        with MariadbServer() as mariadb, tempfile.TemporaryDirectory(prefix="pubsubsql-named-") as directory:
            mirror = Mirror(mariadb, "away")
            with mirror.server("--data", directory) as server, server.framed() as client:
                ok(client, "insert into t (n) values (1)")
                mariadb.kill()
                ok(client, FEED)
                ok(client, "insert into t (n) values (2)")
                position = events_up_to(client, ok(client, "subscribe skip * from t with seq")["seq"])[-1]["seq"]
                ok(client, f"ack feed {position}")
                mariadb.start()
                stored = "select position from pubsubsql_subscriptions where name = 'feed'"
                wait_until(lambda: ok(client, "mysql status")["online"] == 1)
                wait_until(lambda: mirror.sql(stored) == [[str(position)]])
                server.kill()
            with mirror.server("--data", directory) as server, server.framed() as client:
                self.assertEqual(named(client)["feed"]["Position"], str(position))


class Crowds(unittest.TestCase):
    """Many connections and workers at once."""

    def test_a_half_open_connection_does_not_keep_it(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            for _ in range(8):
                with server.framed() as dead, server.framed() as client:
                    ok(dead, FEED)
                    taken = ok(client, FEED)
                    self.assertEqual(named(client)["feed"]["Pubsubid"], taken["pubsubid"])
                    ok(client, "insert into t (n) values (5)")
                    while (told := dead.read_event())["action"] != "ended":
                        pass
                    self.assertIn("a later subscriber has the subscription now", told["msg"])
                    self.assertEqual(ok(dead, "unsubscribe from t")["subscriptions"], 0)

    def test_one_name_is_one_subscription(self) -> None:
        """Tables and subscriptions of the same names are made by all workers at once."""
        with ServerProcess("--threads", "4", "--log-level", "warning") as server:
            made: list[tuple[str, str]] = []

            def make(number: int) -> None:
                with server.framed() as client:
                    for i in range(50):
                        table = f"t{number}_{i}"
                        for statement, what in (
                            (f"subscribe skip * from {table} as s{i}", table),
                            (f"insert into s{i} (a) values (1)", "the table"),
                        ):
                            if client.ask(statement)["status"] == "ok":
                                made.append((f"s{i}", what))

            threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len({name for name, _ in made}), 50)
            self.assertEqual(len(set(made)), 50, "a name is that of a table, or of a subscription to one table")


    def test_one_that_ends_before_its_reply_could_leave(self) -> None:
        """The reply to `subscribe` waits behind another; its connection goes on as ever when that is there."""
        for ending in ("drop subscription feed", FEED):
            with self.subTest(ending), ServerProcess("--threads", "2") as server, server.framed() as client:
                ok(client, "insert into t (n) values (1)")
                ok(client, "create queue q (v text)")
                with server.framed() as waiting, server.framed() as other:
                    waiting.send("pop 1 v from q wait 1 hour")
                    waiting.send(FEED)
                    wait_until(lambda: "feed" in named(client))
                    ok(other, ending)
                    ok(client, "push into q (v) values (x)")
                    self.assertIn('"x"', waiting.read_reply())
                    self.assertIn('"subscribe"', waiting.read_reply())
                    self.assertEqual(ok(waiting, "select 1")["rows"], 1)
                    self.assertTrue(any('"ended"' in event for event in waiting.events), waiting.events)


class Users(unittest.TestCase):
    """A subscription is its owner's, and shows what the owner may see."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="pubsubsql-named-")
        self.addCleanup(self.folder.cleanup)
        self.users = os.path.join(self.folder.name, "users")
        for user in (["--admin", "root"], ["ann"], ["bob"]):
            subprocess.run([CLI, "user", "add", "--file", self.users, *user], input="secret\n", text=True,
                           check=True, capture_output=True)
        with open(self.users, "a", encoding="utf-8") as file:
            file.write("grant all on * to 'root'\n")

    def connect(self, server: ServerProcess, user: str) -> FramedConnection:
        client = server.framed()
        ok(client, f"auth {user} 'secret'")
        return client

    def test_rights(self) -> None:
        with ServerProcess("--users", self.users, "--data", os.path.join(self.folder.name, "d"), "--threads", "2",
                           "--log-level", "warning") as server, \
                self.connect(server, "root") as root, self.connect(server, "ann") as ann, \
                self.connect(server, "bob") as bob:
            ok(root, "insert into t (n, who) values (1, ann), (2, bob)")
            ok(root, "grant subscribe on t to ann")
            ok(root, "grant subscribe on t to bob where who = current_user()")
            reply = ok(ann, "subscribe * from t as hers")
            self.assertEqual(ann.read_event()["rows"], 2)
            self.assertIn("another user's", refused(bob, "subscribe * from t as hers"))
            self.assertIn("another user's", refused(bob, f"ack hers {reply['seq']}"))
            self.assertIn("another user's", refused(bob, "drop subscription hers"))
            ok(ann, f"ack hers {reply['seq']}")
            # One goes on where one was, as long as one may see what one could see.
            ok(bob, "subscribe * from t as his")
            self.assertEqual([row[1] for row in bob.read_event()["data"]], ["2"])
            ok(bob, f"ack his {reply['seq']}")
            ok(bob, "unsubscribe from t")
            ok(root, "insert into t (n, who) values (3, ann), (4, bob)")
            self.assertTrue(ok(bob, "subscribe * from t as his").get("resumed"))
            self.assertEqual([row[1] for row in bob.read_event()["data"]], ["4"])
            ok(bob, "unsubscribe from t")
            ok(root, "grant subscribe on t to bob where who = ann")
            reply = ok(bob, "subscribe * from t as his")
            self.assertTrue(reply.get("resync"))
            self.assertEqual([row[1] for row in bob.read_event()["data"]], ["1", "2", "3", "4"])
            # Whoever may not see the table any more has only the way out.
            ok(root, "revoke all on t from bob")
            with self.connect(server, "bob") as again:
                self.assertIn("denied", refused(again, "subscribe * from t as his"))
                ok(again, "drop subscription his")
            ok(root, "drop subscription hers")
            self.assertEqual(named(root), {})

    def test_beginning_anew(self) -> None:
        """Whoever subscribes next goes on from there, or is told that it begins anew as well."""
        with ServerProcess("--users", self.users, "--log-level", "warning") as server, self.connect(server, "root") as root:
            ok(root, "insert into t (n, who) values (1, ann), (2, bob)")
            ok(root, "grant subscribe on t to bob where who = current_user()")
            with self.connect(server, "bob") as bob:
                ok(bob, "subscribe skip * from t as later")
                reply = ok(bob, "subscribe * from t as whole")
                ok(bob, f"ack whole {reply['seq']}")
            ok(root, "grant subscribe on t to bob where who = ann")
            with self.connect(server, "bob") as bob:
                anew = ok(bob, "subscribe skip * from t as later")
                self.assertTrue(anew["resync"])
            ok(root, "insert into t (n, who) values (9, ann)")
            with self.connect(server, "bob") as bob:
                reply = ok(bob, "subscribe skip * from t as later")
                self.assertTrue(reply.get("resumed"))
                self.assertEqual(reply["seq"], anew["seq"])
                self.assertEqual([row[1] for row in bob.read_event()["data"]], ["9"])
            self.assertTrue(ok(root, "subscribe * from t as whole")["resync"])
            with self.connect(server, "bob") as bob:
                self.assertTrue(ok(bob, "subscribe * from t as whole").get("resync"))


if __name__ == "__main__":
    unittest.main()
