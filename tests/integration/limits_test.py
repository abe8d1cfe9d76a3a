"""Limits as clients and operators meet them: what is refused, what goes on, and what `show limits` says."""

import contextlib
import json
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.wire import Closed, Connection, deadline_s  # noqa: E402

SANITIZED = os.environ.get("PUBSUBSQL_SANITIZE", "") != ""


def until(what: str, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + deadline_s(60)
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true")
        time.sleep(0.02)


def limits_of(client: Connection) -> dict[str, dict[str, Any]]:
    reply = client.ask("show limits")
    return {row[0]: dict(zip(reply["columns"], row)) for row in reply["data"]}


class Show(unittest.TestCase):
    def test_every_flag_of_a_limit_is_listed_with_its_value(self) -> None:
        flags = set(re.findall(r"--(max-[a-z-]+)", subprocess.run([PROGRAM, "--help"], capture_output=True, text=True,
                                                                  timeout=deadline_s(20), check=True).stdout))
        with ServerProcess("--max-tables", "7", "--max-memory", "3GiB") as server, server.framed() as client:
            limits = limits_of(client)
            self.assertEqual(flags - set(limits), set())
            self.assertEqual(limits["max-tables"]["Value"], "7")
            self.assertEqual(limits["max-memory"]["Value"], str(3 << 30))
            self.assertEqual(limits["max-connections"]["InUse"], "1")
            with server.text() as other:
                self.assertEqual(limits_of(other)["max-connections"]["Peak"], "2")
            self.assertGreater(int(limits["max-memory"]["InUse"]), 1 << 20)
            self.assertGreaterEqual(int(limits["max-memory"]["Peak"]), int(limits["max-memory"]["InUse"]))

    def test_refusals_are_counted_and_say_what_to_do(self) -> None:
        flags = ("--max-tables", "1", "--max-columns", "3", "--max-row-bytes", "100", "--max-result-bytes", "400",
                 "--max-subscriptions", "1", "--max-total-subscriptions", "2", "--max-statement-steps", "50",
                 "--max-transaction-rows", "1", "--max-statement-bytes", "2000")
        with ServerProcess("--threads", "2", *flags) as server, server.framed() as client, server.framed() as other:
            for i in range(20):
                self.assertEqual(client.ask(f"insert into t (a) values ({i})")["status"], "ok")
            self.assertEqual(client.ask("subscribe skip * from t")["status"], "ok")
            self.assertEqual(other.ask("subscribe skip * from t")["status"], "ok")
            for limit, who, statements in (
                ("max-tables", client, ["insert into u (a) values (1)"]),
                ("max-columns", client, ["insert into t (b, c) values (1, 2)"]),
                ("max-row-bytes", client, ["insert into t (a) values (" + "x" * 200 + ")"]),
                ("max-result-bytes", client, ["select * from t"]),
                ("max-statement-steps", client, ["select * from t where a + a + a > 1"]),
                ("max-transaction-rows", other, ["begin", "update t set a = 1"]),
            ):
                for statement in statements:
                    reply = who.ask(statement)
                self.assertIn("--" + limit, reply["msg"])
                self.assertEqual(limits_of(client)[limit]["Refused"], "1", limit)
            with server.framed() as third:
                self.assertIn("--max-total-subscriptions", third.ask("subscribe * from t")["msg"])
                self.assertEqual(client.ask("unsubscribe from t")["status"], "ok")
                self.assertEqual(third.ask("subscribe skip * from t")["status"], "ok")
                self.assertEqual(other.ask("unsubscribe from t")["status"], "ok")
                self.assertIn("--max-subscriptions", third.ask("subscribe skip * from t")["msg"])
                limits = limits_of(third)
                self.assertEqual(limits["max-total-subscriptions"]["InUse"], "1")
                self.assertEqual(limits["max-total-subscriptions"]["Peak"], "2")
            until("the subscription is gone", lambda: limits_of(client)["max-total-subscriptions"]["InUse"] == "0")
            with server.framed() as large:
                self.assertIn("--max-statement-bytes", large.ask("select " + "x" * 3000)["msg"])
            self.assertEqual(limits_of(client)["max-statement-bytes"]["Refused"], "1")


class Memory(unittest.TestCase):
    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_beyond_it_nothing_is_added_until_there_is_space(self) -> None:
        with ServerProcess("--threads", "2", "--max-memory", "200MiB") as server, server.framed() as client:
            subscriber = server.framed()
            subscriber.ask("subscribe skip * from t where a = none")
            row = "insert into t (a, b) values (key, " + "x" * 500_000 + ")"
            replies = []
            for _ in range(2_000):
                replies.append(client.ask(row))
                if replies[-1]["status"] != "ok":
                    break
            self.assertIn("Out of memory", replies[-1]["msg"])
            self.assertIn("--max-memory", replies[-1]["msg"])
            self.assertEqual(replies[-1]["code"], 1041)
            server.wait_for_log("error out of memory: ")
            rows = len(replies) - 1
            self.assertLess(rows * 500_000, 400 << 20)
            # Nothing is added, in a transaction neither; reading, shrinking and deleting go on.
            self.assertIn("Out of memory", subscriber.ask("subscribe * from t")["msg"])
            self.assertEqual(subscriber.ask("unsubscribe from t")["subscriptions"], 1)
            self.assertEqual(client.ask("begin")["status"], "ok")
            self.assertIn("Out of memory", client.ask(row)["msg"])
            self.assertEqual(client.ask("update t set a = kez where id = 1")["rows"], 1)
            self.assertEqual(client.ask("commit")["status"], "ok")
            self.assertIn("Out of memory", client.ask("update t set a = longer_than_before where id = 1")["msg"])
            self.assertEqual(client.ask("select count(*) from t")["data"], [[str(rows)]])
            self.assertGreater(int(limits_of(client)["max-memory"]["Refused"]), 1)
            self.assertEqual(client.ask("update t set b = small where id < 10")["rows"], 10)
            self.assertEqual(client.ask("delete from t")["rows"], rows)
            server.wait_for_log("memory is free again")
            until("there is space", lambda: client.ask("insert into t (a) values (1)")["status"] == "ok")
            subscriber.close()

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_what_few_deleted_rows_took_is_free_without_another_statement(self) -> None:
        with ServerProcess("--threads", "1", "--max-memory", "100MiB") as server, server.framed() as client:
            row = "insert into t (a) values (" + "x" * 20_000 + ")"
            rows = 0
            while client.ask(row)["status"] == "ok":
                rows += 1
            server.wait_for_log("error out of memory: ")
            self.assertLess(rows, 10_000)
            self.assertEqual(client.ask("delete from t")["rows"], rows)
            server.wait_for_log("memory is free again")


class Connections(unittest.TestCase):
    def test_too_many_from_one_address(self) -> None:
        with ServerProcess("--max-connections-per-address", "3") as server:
            clients = [server.framed() for _ in range(3)]
            for client in clients:
                self.assertEqual(client.ask("status")["status"], "ok")
            with server.framed() as fourth:
                self.assertIn("--max-connections-per-address", fourth.ask("status")["msg"])
                fourth.expect_closed()
            self.assertEqual(limits_of(clients[0])["max-connections-per-address"]["Refused"], "1")
            self.assertEqual(limits_of(clients[0])["max-connections-per-address"]["InUse"], "3")
            server.log.clear()
            with server.text() as silent:
                silent.expect_closed()
            server.wait_for_log("ended: too many connections from its address; silent")
            clients.pop().close()

            def served() -> bool:
                with server.framed() as again:
                    return again.ask("status")["status"] == "ok"

            until("there is room again", served)
            for client in clients:
                client.close()

    def test_a_flood_beyond_the_limit_hurts_nobody(self) -> None:
        with ServerProcess("--max-connections", "5", "--log-level", "warning") as server, server.framed() as client:
            client.ask("status")
            flood = []
            for _ in range(300):
                flood.append(server.framed())
            self.assertEqual(client.ask("insert into t (a) values (1)")["rows"], 1)
            refused = 0
            for one in flood:  # all are open until the last is answered: one that closes makes room for another
                try:
                    refused += "--max-connections" in one.ask("status").get("msg", "")
                except (Closed, OSError):
                    refused += 1
            for one in flood:
                one.close()
            self.assertGreaterEqual(refused, 295)
            self.assertGreaterEqual(int(limits_of(client)["max-connections"]["Refused"]), 295)

    @unittest.skipIf(SANITIZED, "sanitizers need file descriptors of their own to check memory")
    def test_without_file_descriptors_it_waits_and_does_not_spin(self) -> None:
        def few_files() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

        def cpu_seconds(pid: int) -> float:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        with ServerProcess("--threads", "1", before_start=few_files) as server:
            server.wait_for_log(r"warning the system allows this process 40 open files, too few for \d+ connections")
            clients = [server.framed() for _ in range(60)]
            server.wait_for_log("cannot accept connections")
            before = cpu_seconds(server.process.pid)
            time.sleep(1)  # what is measured is how little happens meanwhile
            self.assertLess(cpu_seconds(server.process.pid) - before, 0.5)
            self.assertEqual(len([line for line in server.log if "cannot accept" in line]), 1)
            self.assertEqual(clients[0].ask("status")["status"], "ok")
            for client in clients[:40]:
                client.close()
            self.assertEqual(clients[59].ask("status")["status"], "ok")
            for client in clients[40:]:
                client.close()

    def test_the_soft_limit_of_open_files_is_raised(self) -> None:
        def soft() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (50, 500))

        with ServerProcess("--threads", "1", "--max-connections", "100", before_start=soft) as server:
            clients = [server.framed() for _ in range(80)]
            for client in clients:
                self.assertEqual(client.ask("status")["status"], "ok")
                client.close()


class UnfinishedStatements(unittest.TestCase):
    """What has come and cannot be run yet."""

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_those_that_wait_for_their_table_are_few(self) -> None:
        size = 1 << 20
        with ServerProcess("--threads", "2") as server, server.framed() as client:
            client.ask("create table t (v longtext)")
            with server.text() as sender:
                for i in range(2_000):  # so that it may have many under way
                    sender.send(f"stream update t set v = {i}")
                sender.ask("status")
                client.ask("begin")
                client.ask("insert into t (v) values (a)")
                statement = f"insert into t (v) values ('{'x' * size}')"
                sending = threading.Thread(target=lambda: [sender.send(statement) for _ in range(200)])
                sending.start()
                time.sleep(1)  # nothing depends on it: there is more time for what must not happen
                self.assertLess(int(limits_of(client)["max-memory"]["Peak"]), 100 << 20)
                self.assertEqual(client.ask("commit")["status"], "ok")
                for _ in range(200):
                    self.assertEqual(json.loads(sender.read_reply())["rows"], 1)
                sending.join()
            self.assertEqual(client.ask("select count(*) from t")["data"], [["201"]])

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_without_memory_large_ones_are_refused(self) -> None:
        size = 10 << 20
        with ServerProcess("--max-memory", "150MiB", http=True) as server, server.framed() as client:
            statement = b"insert into t (v) values ('" + b"x" * size + b"')\n"
            request = f"POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(statement)}\r\n\r\n".encode()
            senders = []
            for i in range(40):
                is_http = i % 4 == 0
                senders.append(socket.create_connection(("127.0.0.1", server.http_port if is_http else server.port)))
                senders[-1].settimeout(deadline_s(60))
            rest = [memoryview(request + statement if i % 4 == 0 else statement) for i in range(40)]
            # All but the ends of as many statements as are too much.
            for at in range(0, size, 1 << 20):
                for i, s in enumerate(senders):
                    with contextlib.suppress(ConnectionError):  # HTTP may have answered
                        s.sendall(rest[i][at:at + (1 << 20)])
            until("there was no memory", lambda: int(limits_of(client)["max-memory"]["Peak"]) > 150 << 20)
            self.assertLess(int(limits_of(client)["max-memory"]["Peak"]), 300 << 20)
            self.assertEqual(client.ask("select 1")["status"], "ok")
            replies = []
            for i, s in enumerate(senders):
                with contextlib.suppress(ConnectionError):
                    s.sendall(rest[i][size:])
                    replies.append(s.recv(1000))
                s.close()
            self.assertTrue(any(b"HTTP/1.1 503" in reply for reply in replies))
            refused = [json.loads(reply) for reply in replies if b"1041" in reply and not reply.startswith(b"HTTP")]
            self.assertGreater(len(refused), 5)
            self.assertIn("--max-memory", refused[0]["msg"])
            until("there is memory", lambda: client.ask("insert into other (a) values (1)")["status"] == "ok")


    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_what_comes_behind_a_refused_one_is_run(self) -> None:
        """Also when as many statements wait before it as a connection that has just begun may have under way."""
        waiting = 15
        with ServerProcess("--max-memory", "100MiB") as server, server.framed() as client, server.text() as sender:
            for statement in ("insert into t (v) values (a)", "begin", "insert into t (v) values (b)"):
                self.assertEqual(client.ask(statement)["status"], "ok")
            large = "select '" + "x" * (1 << 20) + "'"
            sender.socket.sendall(b"select count(*) from t\n" * waiting + large[: 1 << 19].encode())
            with server.framed() as other:
                until("the memory is full", lambda: other.ask(f"insert into f (v) values ('{'x' * (1 << 20)}')")
                      .get("code") == 1041)
            sender.socket.sendall(large[1 << 19 :].encode() + b"\nselect 'behind'\n")
            time.sleep(0.2)  # nothing depends on it: there is more time for what must not happen
            self.assertEqual(client.ask("commit")["status"], "ok")
            for _ in range(waiting):
                self.assertEqual(json.loads(sender.read_reply())["data"], [["2"]])
            self.assertEqual(json.loads(sender.read_reply())["code"], 1041)
            self.assertEqual(json.loads(sender.read_reply())["data"], [["behind"]])


    @unittest.skipIf(SANITIZED, "a sanitizer's memory is not the server's")
    def test_who_hangs_up_while_memory_is_full_is_gone(self) -> None:
        with ServerProcess("--max-memory", "60MiB") as server, server.framed() as client:
            self.assertEqual(client.ask("create queue q (v text)")["status"], "ok")
            until("the memory is full",
                  lambda: client.ask(f"insert into f (v) values ('{'x' * (1 << 20)}')").get("code") == 1041)
            for _ in range(10):
                with server.framed() as popping:
                    popping.send("pop 1 v from q wait 1 hour" + " " * 70_000)
            until("they are gone", lambda: limits_of(client)["max-connections"]["InUse"] == "1")


class LongStatements(unittest.TestCase):
    def test_no_statement_makes_the_server_take_memory_or_time_out_of_proportion(self) -> None:
        def repeated(part: str, head: str, tail: str, by: str = ",") -> str:
            return head + by.join([part] * ((8 << 20) // (len(part) + len(by)))) + tail

        parts, subqueries, columns = "--max-statement-parts", "at most 1000 subqueries", "name fewer"
        with ServerProcess("--threads", "2") as server, server.framed() as client, server.framed() as other:
            client.ask("create table t (a int, b text)")
            client.ask("insert into t (a, b) values (1, x)")
            for why, statement in (
                (parts, repeated("1", "select ", " from t")),
                (parts, repeated("-a", "select ", " from t")),
                (parts, repeated("*", "select ", " from t")),
                (parts, repeated("a", "select ", " from t")),
                (parts, repeated("1", "select a from t where a in (", ")")),
                (parts, repeated("a = 1", "select a from t where ", "", " or ")),
                (parts, repeated("a", "select a from t order by ", "")),
                (parts, repeated("a", "select count(*) from t group by ", "")),
                (parts, repeated("a", "select concat(", ") from t")),
                (parts, repeated("a = 1", "update t set ", "")),
                (parts, repeated("a", "insert into t (", ") values (1)")),
                (parts, repeated("a int", "create table u (", ")")),
                (parts, repeated("1", "subscribe * from t where a in (", ")")),
                (parts, repeated("a", "subscribe ", " from t")),
                (subqueries, repeated("(select 1)", "select ", " from t")),
                (subqueries, repeated("a in (select 1)", "select a from t where ", "", " or ")),
                (columns, "select " + ",".join(["*"] * 30_000) + " from t"),
                (columns, "select " + ",".join(["a"] * 70_000) + " from t"),
                (columns, "select distinct " + ",".join(["a"] * 70_000) + " from t"),
                (columns, "update t set a = 2 returning " + ",".join(["a"] * 70_000)),
            ):
                with self.subTest(statement=statement[:40]):
                    self.assertIn(why, client.ask(statement)["msg"])
            self.assertEqual(client.ask("select a, b from t")["data"], [["1", "x"]])
            self.assertEqual(limits_of(other)["max-statement-parts"]["Refused"], "14")
            if not SANITIZED:
                self.assertLess(server.resident_bytes(at_most=True), 600 << 20)
            # What is just allowed is served.
            wanted = ",".join(str(i) for i in range(400_000))
            self.assertEqual(client.ask(f"select a from t where a in ({wanted})")["rows"], 1)


class Results(unittest.TestCase):
    def test_they_count_as_they_are_shown(self) -> None:
        names = ", ".join(f"c{i}" for i in range(500))
        refused = {
            "NULLs": ("wide", "select * from wide"),
            "control characters": ("escaped", "select * from escaped"),
            "a column named often": ("wide", "select " + ", ".join(["c0"] * 500) + " from wide"),
            "computed NULLs": ("wide", "select 1, " + names + " from wide"),
            "computed control characters": ("escaped", "select concat(a, '') from escaped"),
            "a name in each message": ("narrow", "select length('" + "x" * 2_000 + "') from narrow"),
            "returning": ("wide", "update wide set c1 = 1 returning *"),
            "returning what is gone": ("wide", "delete from wide returning *"),
            "a subscription": ("wide", "subscribe * from wide"),
            "a subscription with a condition": ("wide", "subscribe * from wide where c2 is null"),
            "a subscription with a list": ("wide", f"subscribe {names} from wide"),
        }
        with ServerProcess("--threads", "2", "--max-result-bytes", "100000") as server, server.framed() as client:
            client.ask(f"create table wide ({', '.join(f'c{i} text' for i in range(500))})")
            client.ask("insert into wide (c0) values " + ", ".join(["(x)"] * 100))
            client.ask("insert into escaped (a) values " + ", ".join(["('" + "\x01" * 100 + "')"] * 300))
            client.ask("insert into narrow (a) values " + ", ".join(["(1)"] * 5_000))
            for what, (table, statement) in refused.items():
                with self.subTest(what):
                    self.assertIn("--max-result-bytes", client.ask(statement)["msg"])
            self.assertEqual(client.ask("select count(*) from wide where c1 is null")["data"], [["100"]])
            self.assertEqual(client.ask("unsubscribe from wide")["subscriptions"], 0)
            self.assertEqual(limits_of(client)["max-result-bytes"]["Refused"], str(len(refused)))
            # What is found many times and shown once is small.
            self.assertEqual(client.ask("select distinct a from escaped")["rows"], 1)
            self.assertEqual(client.ask("select distinct c0, c1, c2 from wide")["data"], [["x", None, None]])
            self.assertEqual(client.ask("select c0 from wide")["rows"], 100)
            self.assertEqual(client.ask("select * from wide limit 20")["rows"], 20)

    def test_what_was_missed_and_is_too_much_is_not_replayed(self) -> None:
        with ServerProcess("--threads", "2", "--max-result-bytes", "100000") as server, server.framed() as client:
            client.ask(f"create table wide ({', '.join(f'c{i} text' for i in range(500))})")
            with server.framed() as subscriber:
                since = subscriber.ask("subscribe * from wide where c0 <> gone with seq")["seq"]
            client.ask("insert into wide (c0) values (x), (y)")
            with server.framed() as subscriber:
                self.assertNotIn("resync", subscriber.ask(f"subscribe * from wide where c0 <> gone since {since}"))
                self.assertEqual(subscriber.read_event()["rows"], 2)
            for _ in range(100):
                client.ask("update wide set c0 = gone")
                client.ask("update wide set c0 = x")
            with server.framed() as subscriber:
                self.assertTrue(subscriber.ask(f"subscribe * from wide where c0 <> gone since {since}")["resync"])
                first = subscriber.read_event()
                self.assertEqual((first["action"], first["rows"], first["snapshot"]), ("add", 2, "end"))
                client.ask("update wide set c1 = z where id = 1")
                self.assertEqual(subscriber.read_event()["data"], [["1", "z"]])
            with server.framed() as subscriber:
                self.assertTrue(subscriber.ask(f"subscribe skip * from wide where c0 <> gone since {since}")["resync"])
                client.ask("update wide set c1 = y where id = 1")
                self.assertEqual(subscriber.read_event()["data"], [["1", "y"]])


class UnreadReplies(unittest.TestCase):
    """What clients ask for and do not read: bounded for all of them together."""

    STATEMENT = "select * from t"

    def fill(self, client: Connection) -> None:
        """With more than the system takes of a reply that nobody reads."""
        for _ in range(4):
            client.ask("insert into t (v) values " + ", ".join([f"({'x' * 10_000})"] * 400))

    def ask_and_not_read(self, port: int, request: bytes) -> socket.socket:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", port))
        s.sendall(request)
        return s

    def test_those_that_do_not_read_end(self) -> None:
        bound = 64 << 20
        with ServerProcess("--threads", "2", "--max-total-reply-bytes", str(bound)) as server, server.framed() as client:
            self.fill(client)
            idlers = [self.ask_and_not_read(server.port, self.STATEMENT.encode() + b"\n") for _ in range(30)]
            until("some are ended", lambda: int(limits_of(client)["max-total-reply-bytes"]["Refused"]) > 10)
            server.wait_for_log("disconnected .* bytes of replies, and more than --max-total-reply-bytes")
            until("it is less again", lambda: int(limits_of(client)["max-total-reply-bytes"]["InUse"]) < bound)
            for s in idlers:
                s.close()
            until("all is free", lambda: limits_of(client)["max-total-reply-bytes"]["InUse"] == "0")
            for _ in range(5):
                self.assertEqual(client.ask(self.STATEMENT)["rows"], 1600)

    def test_http_says_when_there_are_too_many(self) -> None:
        request = b"POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\n" + self.STATEMENT.encode()
        with ServerProcess("--max-total-reply-bytes", "32MiB", http=True) as server, server.framed() as client:
            self.fill(client)
            idlers: list[socket.socket] = []

            def is_refused() -> bool:
                idlers.append(self.ask_and_not_read(server.http_port, request))
                idlers[-1].settimeout(deadline_s(60))
                return idlers[-1].recv(12) == b"HTTP/1.1 503"

            until("an answer is refused", is_refused)
            self.assertGreater(len(idlers), 2)
            for s in idlers:
                s.close()
            until("answers are free again", lambda: not is_refused())
            self.assertEqual(client.ask(self.STATEMENT)["rows"], 1600)
            idlers[-1].close()

    def ask_for_little(self, port: int) -> socket.socket:
        """A connection of which the server has learnt that many requests at a time are no harm."""
        s = socket.create_connection(("127.0.0.1", port))
        with s.makefile("rb") as replies:
            for i in range(2_000):
                s.sendall(b"update small%d set v = %d\n" % (i % 2, i))
                if i % 100 == 99:
                    for _ in range(100):
                        replies.readline()
        return s

    def check_pipelined(self, *flags: str) -> None:
        with ServerProcess("--max-total-reply-bytes", "32MiB", *flags) as server, server.framed() as client:
            self.fill(client)
            for i in range(2):
                client.ask(f"insert into small{i} (v) values (1)")
            idlers = [self.ask_for_little(server.port) for _ in range(2)]  # on two workers, if there are as many
            for s in idlers:
                with contextlib.suppress(ConnectionError):  # the first may have been too much already
                    s.sendall(b"".join(b"update t set w = %d where id = 0\nselect * from t\n" % i for i in range(100)))
            until("one is ended", lambda: int(limits_of(client)["max-total-reply-bytes"]["Refused"]) > 0)
            self.assertEqual(client.ask("select count(*) from t")["data"], [["1600"]])
            if not SANITIZED:
                self.assertLess(int(limits_of(client)["max-memory"]["Peak"]), 400 << 20)
            for s in idlers:
                s.close()

    def test_those_from_other_workers_count_before_it_is_their_turn(self) -> None:
        self.check_pipelined("--threads", "2")

    def test_those_that_wait_for_a_commit_are_few(self) -> None:
        with tempfile.TemporaryDirectory() as data:
            self.check_pipelined("--threads", "1", "--data", data)

    def test_events_behind_a_reply_that_waits_count_as_unread(self) -> None:
        with ServerProcess("--max-backlog-bytes", "100000") as server, server.framed() as client:
            client.ask("create queue q (v text)")
            client.ask("insert into t (v) values (a)")
            with server.text() as subscriber:
                subscriber.send("pop 1 v from q wait 1 hour")
                subscriber.send("subscribe * from t")
                until("it is subscribed", lambda: client.ask("show subscriptions")["rows"] == 1)
                for _ in range(20):
                    client.ask(f"insert into t (v) values ({'x' * 10_000})")
                subscriber.expect_closed()
            server.wait_for_log("disconnected .*: a subscriber that waits for replies to what it asked before, 1.* bytes")

    def test_one_that_does_not_read_is_idle(self) -> None:
        with ServerProcess("--idle-timeout-seconds", "1") as server, server.framed() as client:
            self.fill(client)
            idler = self.ask_and_not_read(server.port, self.STATEMENT.encode() + b"\n")
            server.wait_for_log("ended: idle for longer than --idle-timeout-seconds")
            idler.close()


class Filters(unittest.TestCase):
    """What a subscription computes costs those who change rows, up to a limit."""

    def test_the_dearest_end_and_all_others_are_told(self) -> None:
        dear = "v like '%" + "a" * 3000 + "b%'"
        with ServerProcess("--threads", "2", "--max-filter-steps", "100000") as server, server.framed() as client:
            self.assertEqual(client.ask("insert into t (v) values (a)")["status"], "ok")
            costly = []
            for statement in (f"subscribe skip * from t where {dear}", f"subscribe skip count(*) from t where {dear}",
                              f"subscribe skip * from t order by {dear} limit 1"):
                # One for each worker, that of the table and another one.
                for _ in range(2):
                    costly.append(server.framed())
                    self.assertEqual(costly[-1].ask(statement)["status"], "ok", statement)
            good = server.framed()
            good.ask("subscribe skip id from t where v like 'a%' and v <> b")
            for i in range(1, 3):
                self.assertEqual(client.ask("insert into t (v) values ('" + "a" * 10_000 + "')")["status"], "ok")
                self.assertEqual(good.read_event()["data"], [[str(i)]])
            for c in costly:
                c.expect_closed()
                c.close()
            server.wait_for_log("disconnected .*: its subscription .* took 1.* steps for one row of table t")
            limit = limits_of(client)["max-filter-steps"]
            self.assertEqual((limit["Value"], limit["Refused"]), ("100000", "6"))
            until("they are gone", lambda: client.ask("show subscriptions")["rows"] == 1)
            good.close()


class Idle(unittest.TestCase):
    def test_those_that_send_nothing_are_closed_but_not_subscribers(self) -> None:
        with ServerProcess("--threads", "2", "--idle-timeout-seconds", "1") as server, server.framed() as subscriber:
            self.assertEqual(subscriber.ask("subscribe * from t")["status"], "ok")
            silent, half, once = server.framed(), server.framed(), server.framed()
            half.socket.sendall(b"\0\0\0\x20\0\0\0\1select")
            once.ask("insert into t (a) values (1)")
            for client in (silent, half, once):
                client.expect_closed()
                client.close()
            server.wait_for_log("ended: idle for longer than --idle-timeout-seconds")
            self.assertEqual(subscriber.read_event()["action"], "insert")
            self.assertEqual(limits_of(subscriber)["idle-timeout-seconds"]["Refused"], "3")

    def test_the_system_is_told_to_ask_for_clients_that_are_gone(self) -> None:
        with ServerProcess("--threads", "1", "--tcp-keepalive-seconds", "77") as server, server.framed() as client:
            client.ask("status")
            port = client.socket.getsockname()[1]
            shown = subprocess.run(["ss", "-tnoH", f"dport = {port}"], capture_output=True, text=True, check=False)
            if shown.returncode != 0:
                self.skipTest("there is no ss")
            self.assertRegex(shown.stdout, r"timer:\(keepalive,1?[0-9:.]+(min|sec)")


class CheckConfig(unittest.TestCase):
    def check(self, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAM, "--check-config", *flags], capture_output=True, text=True, check=False,
                              timeout=deadline_s(20), env={**os.environ, **environment})

    def test_what_is_right_is_shown(self) -> None:
        with ServerProcess() as server:  # one that has the port does not disturb
            shown = self.check("--port", str(server.port), "--max-backlog-bytes", "2MiB", PUBSUBSQL_THREADS="3",
                               PUBSUBSQL_MYSQL="mysql://me:secret@localhost/shop")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn(f'port = "{server.port}"\n', shown.stdout)
            self.assertIn('threads = "3"\n', shown.stdout)
            self.assertIn('max-backlog-bytes = "2097152"\n', shown.stdout)
            self.assertIn('mysql = "mysql://me:***@localhost/shop"\n', shown.stdout)

    def test_what_is_shown_is_a_configuration_file(self) -> None:
        shown = self.check("--max-tables", "17")
        path = Path(os.environ.get("TMPDIR", "/tmp")) / f"config_{os.getpid()}"
        path.write_text(shown.stdout, encoding="utf-8")
        try:
            again = self.check("--config", str(path))
            self.assertEqual((again.returncode, again.stdout), (0, shown.stdout))
            path.write_text("max-tabels = 3\n", encoding="utf-8")
            misspelt = self.check("--config", str(path))
            self.assertNotEqual(misspelt.returncode, 0)
            self.assertIn("max-tabels", misspelt.stdout + misspelt.stderr)
        finally:
            path.unlink()

    def test_what_is_wrong_is_said(self) -> None:
        for flags, said in ((["--bind", "nowhere"], "--bind nowhere is not an IP address"),
                            (["--data", "/etc/passwd/below"], "/etc/passwd is not a directory"),
                            (["--mysql", "nonsense"], "--mysql: "),
                            (["--data", "/etc/passwd"], "/etc/passwd is not a directory")):
            wrong = self.check(*flags)
            self.assertEqual(wrong.returncode, 1, flags)
            self.assertIn(said, wrong.stderr)
            self.assertEqual(wrong.stdout, "")

    def test_a_database_that_was_lost_is_not_a_new_one(self) -> None:
        with tempfile.TemporaryDirectory() as data:
            with ServerProcess("--data", data) as server, server.framed() as client:
                client.ask("insert into t (a) values (1)")
            self.assertEqual(self.check("--data", data).returncode, 0)
            database = Path(data) / "pubsubsql.db"
            database.write_bytes(b"")
            self.assertIn("pubsubsql.db is empty, but it was not", self.check("--data", data).stderr)
            database.unlink()
            self.assertIn("pubsubsql.db is gone, but it was not", self.check("--data", data).stderr)
            self.assertFalse(database.exists())


if __name__ == "__main__":
    unittest.main()
