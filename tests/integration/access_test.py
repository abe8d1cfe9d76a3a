"""Users: authentication, rights, rows, and what becomes of those who lose them."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import PROGRAM, ServerProcess, refused_start  # noqa: E402
from harness.wire import Closed, deadline_s, frame  # noqa: E402

CLI = os.environ.get("PUBSUBSQL_CLI") or os.path.join(os.path.dirname(PROGRAM), "pubsubsql")

GRANTS = """
grant all on * to 'root'
grant select, insert, update, delete, subscribe on orders to 'web' where owner = current_user()
grant select on stocks to 'web'
"""


def user_command(*arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CLI, "user", *arguments], input=password, capture_output=True, text=True, timeout=deadline_s(60)
    )


class WithUsers(unittest.TestCase):
    """A folder with a file of the users root (admin), web and guest, whose passwords are their names and `-secret`."""

    template: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.template = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.template)
        file = os.path.join(cls.template, "users")
        for name, flags in (("root", ["--admin"]), ("web", []), ("guest", [])):
            made = user_command("add", "--file", file, *flags, name, password=f"{name}-secret\n")
            assert made.returncode == 0, made.stderr

    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.users = os.path.join(self.folder, "users")
        shutil.copy(os.path.join(self.template, "users"), self.users)
        with open(self.users, "a", encoding="utf-8") as file:
            file.write(GRANTS)

    def server(self, *flags: str, http: bool = False) -> ServerProcess:
        return ServerProcess("--users", self.users, *flags, http=http)

    def login(self, server: ServerProcess, user: str, framed: bool = True):
        connection = server.framed() if framed else server.text()
        self.addCleanup(connection.close)
        self.done(connection, f"auth {user} {user}-secret")
        return connection

    def done(self, connection, statement: str) -> dict:
        reply = connection.ask(statement)
        self.assertEqual(reply["status"], "ok", (statement, reply))
        return reply

    def refused(self, connection, statement: str, code: int | None = None) -> str:
        reply = connection.ask(statement)
        self.assertEqual(reply["status"], "err", (statement, reply))
        if code is not None:
            self.assertEqual(reply.get("code"), code, reply)
        return reply["msg"]

    def expect_end(self, connection) -> None:
        """Whatever was on the way, and then the end."""
        with self.assertRaises(Closed):
            for _ in range(1000):
                connection.read_message()


class Authentication(WithUsers):
    def test_nothing_before_it(self) -> None:
        with self.server() as server:
            for connection in (server.framed(), server.text()):
                with connection:
                    for statement in ("status", "select 1", "insert into orders (a) values (1)", "stop", "show tables",
                                      "nonsense"):
                        self.assertIn("auth USER PASSWORD", self.refused(connection, statement, 1045))
                    self.assertEqual(self.done(connection, "auth web web-secret")["action"], "auth")
                    self.assertEqual(self.done(connection, "select current_user() as u")["data"], [["web"]])

    def test_a_stranger_is_not_listened_to_for_long(self) -> None:
        with self.server() as server:
            for connection, begin in ((server.framed(), b"\0\1\0\0\0\0\0\1"), (server.text(), b"")):
                with connection:
                    connection.socket.sendall(begin + b"x" * 20_000)
                    self.assertIn("the most before authentication", connection.read_reply())
                    connection.expect_closed()

    def test_strangers_have_limited_time(self) -> None:
        with self.server("--handshake-timeout-seconds", "1") as server, server.framed() as connection:
            self.refused(connection, "status", 1045)
            connection.expect_closed()
            server.wait_for_log("no authentication within --handshake-timeout-seconds")

    def test_an_attempt_that_has_to_wait_does_not_run_out_of_time(self) -> None:
        with self.server("--handshake-timeout-seconds", "1") as server:
            with server.framed() as guesser:
                for _ in range(4):
                    self.refused(guesser, "auth web guess", 1045)
            with server.framed() as connection:
                self.assertEqual(self.done(connection, "auth web web-secret")["action"], "auth")
                self.done(connection, "status")

    def test_many_attempts_of_one_address_keep_nobody_else_out(self) -> None:
        with self.server() as server:
            root = self.login(server, "root")
            for _ in range(80):
                one = socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.2", 0))
                self.addCleanup(one.close)
                one.sendall(frame(1, "auth nobody wrong"))
            self.done(root, "create user late identified by late-secret")
            self.login(server, "late")
            server.log.clear()
            server.signal(signal.SIGHUP)
            server.wait_for_log("users of .*users")

    def test_close_needs_none(self) -> None:
        with self.server() as server, server.framed() as connection:
            connection.send("close")
            connection.expect_closed()

    def test_wrong_passwords(self) -> None:
        with self.server() as server, server.framed() as connection:
            waits = []
            for user in ("web", "nobody", "web", "'a\nb'", "web"):
                message = self.refused(connection, f"auth {user} wrong-secret", 1045)
                self.assertNotIn("wrong-secret", message)
                waits.append(int(re.search(r"waits (\d+) ms", message)[1]))
            self.assertEqual(waits[0], 250)
            self.assertTrue(all(wait in (250, 500, 1000, 2000, 4000) for wait in waits), waits)
            connection.expect_closed()
            server.wait_for_log("refused to authenticate 127.0.0.1:.* as user 'a\\?b'")
            server.wait_for_log("too many failed authentications")
            self.assertNotIn("secret", "\n".join(server.log))

    def test_passwords_are_not_shown(self) -> None:
        with self.server() as server, server.framed() as connection:
            self.assertNotIn("hidden", self.refused(connection, "auth web 'my' hidden"))
            root = self.login(server, "root")
            self.assertNotIn("hidden", self.refused(root, "create user x identified by my hidden"))

    def test_statements_behind_it_wait(self) -> None:
        with self.server() as server, server.framed() as connection:
            for statement in ("auth web web-secret", "select current_user() as u", "auth root root-secret",
                              "select current_user() as u"):
                connection.send(statement)
            replies = [connection.read_reply() for _ in range(4)]
            self.assertIn('["web"]', replies[1])
            self.assertIn('["root"]', replies[3])

    def test_as_another_user(self) -> None:
        with self.server() as server:
            web = self.login(server, "web")
            self.done(web, "begin")
            self.refused(web, "auth root root-secret")
            self.done(web, "rollback")
            self.done(self.login(server, "root"), "insert into orders (owner, n) values (web, 1)")
            self.done(web, "subscribe skip * from orders")
            self.assertIn("subscriptions", self.refused(web, "auth root root-secret"))
            self.done(web, "unsubscribe from orders")
            self.done(web, "auth root root-secret")
            self.assertEqual(self.done(web, "select current_user() as u")["data"], [["root"]])

    def test_without_users(self) -> None:
        with ServerProcess() as server, server.framed() as connection:
            for statement in ("auth web secret", "create user web identified by x", "grant select on t to web",
                              "show users", "show grants"):
                self.assertIn("--users FILE", self.refused(connection, statement))
            self.assertEqual(self.done(connection, "select current_user() as u")["data"], [[None]])


class Rights(WithUsers):
    def test_tables_and_verbs(self) -> None:
        with self.server("--threads", "4") as server:
            root, web, guest = (self.login(server, user) for user in ("root", "web", "guest"))
            self.done(root, "insert into stocks (ticker, price) values (IBM, 120)")
            self.assertEqual(self.done(web, "select ticker from stocks")["data"], [["IBM"]])
            for statement, verb in (
                ("update stocks set price = 1", "UPDATE"),
                ("insert into stocks (ticker) values (HP)", "INSERT"),
                ("delete from stocks", "DELETE"),
                ("truncate stocks", "DELETE"),
                ("pop from stocks", "DELETE"),
                ("subscribe * from stocks", "SUBSCRIBE"),
                ("drop table stocks", "CREATE"),
                ("key stocks ticker", "CREATE"),
                ("insert into orders (owner) select ticker from other", "SELECT"),
            ):
                message = self.refused(web, statement, 1142)
                self.assertIn(f"{verb} command denied to user 'web'", message)
            for _ in range(3):  # forms that repeat
                self.refused(guest, "select ticker from stocks where price = 1", 1142)
                self.done(web, "select ticker from stocks where price = 1")
            self.refused(guest, "describe stocks", 1142)
            self.done(web, "describe stocks")
            self.assertEqual([r[0] for r in self.done(root, "show tables")["data"]], ["stocks"])
            self.assertEqual([r[0] for r in self.done(web, "show tables")["data"]], ["stocks"])
            self.assertEqual(self.done(guest, "show tables")["rows"], 0)
            self.done(guest, "status")

    def test_no_statement_tells_which_tables_there_are(self) -> None:
        with self.server("--threads", "4") as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.done(root, "insert into secret1 (a) values (1)")
            for statement in ("unsubscribe from {}", "unsubscribe from {} where pubsubid = 1", "describe {}",
                              "select * from {}", "explain select * from {}", "drop table if exists {}",
                              "insert into {} (a) values (1)", "subscribe * from {}", "alter table {} set ack = memory"):
                told = {self.refused(web, statement.format(table), 1142).replace(table, "T")
                        for table in ("secret1", "secret2")}
                self.assertEqual(len(told), 1, told)
            self.assertIn("does not exist", self.refused(web, "unsubscribe from orders"))

    def test_what_is_refused_makes_nothing(self) -> None:
        with self.server() as server:
            web = self.login(server, "web")
            for statement in ("insert into made (a) values (1)", "subscribe * from made", "tag made a"):
                self.refused(web, statement, 1142)
            root = self.login(server, "root")
            self.assertEqual(self.done(root, "show tables")["rows"], 0)

    def test_administration(self) -> None:
        with self.server() as server:
            web = self.login(server, "web")
            for statement in ("stop", "mysql status", "show users", "show grants for root", "drop user root",
                              "create user x identified by y", "alter user root identified by x",
                              "grant admin to web", "revoke select on stocks from web"):
                self.refused(web, statement, 1227)
            self.assertEqual(len(self.done(web, "show grants")["data"]), 2)
            self.assertEqual(len(self.done(web, "show grants for web")["data"]), 2)
            root = self.login(server, "root")
            self.assertEqual(self.done(root, "show users")["data"], [["guest", "no"], ["root", "yes"], ["web", "no"]])

    def test_stream_means_silence(self) -> None:
        with self.server("--threads", "2") as server:
            for connection in (server.framed(), server.text()):
                with connection:
                    self.done(connection, "auth root root-secret")
                    for statement in ("create user x identified by y", "grant select on t to x",
                                      "revoke select on t from x", "drop user x", "show users", "show grants",
                                      "show limits", "show subscriptions", "show tables", "status", "mysql status",
                                      "begin", "commit", "unsubscribe from nowhere"):
                        connection.send("stream " + statement)
                    self.assertIn("nowhere", connection.read_reply())
                    connection.send("stream drop user x")
                    connection.send("select current_user() as u")
                    self.assertIn("there is no user", connection.read_reply())
                    self.assertIn('"root"', connection.read_reply())

    def test_publishing_and_binding(self) -> None:
        with self.server("--threads", "2") as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.refused(web, "publish into stocks (ticker) values (HP)", 1142)
            self.refused(web, "bind q to stocks", 1142)
            self.done(root, "grant create, select on news to 'web'")
            self.assertIn("INSERT", self.refused(web, "bind q to news", 1142))
            self.done(root, "grant insert on q to 'web'")
            self.done(web, "bind q to news where topic = 'x'")
            self.done(root, "bind q to stocks")
            # Who inserts needs no right on the queue, and who has none on a table does not learn what is bound to it.
            self.done(root, "create user writer identified by 'writer secret'")
            self.done(root, "grant insert on news to 'writer'")
            writer = server.framed()
            self.done(writer, "auth writer 'writer secret'")
            self.done(writer, "publish into news (topic) values (x)")
            self.assertEqual(self.done(root, "select topic from q")["data"], [["x"]])
            self.assertEqual(self.done(writer, "show bindings")["data"], [])
            self.assertEqual([row[:2] for row in self.done(web, "show bindings")["data"]], [["q", "news"], ["q", "stocks"]])
            self.refused(writer, "unbind q from news", 1142)
            self.done(web, "unbind q from news")
            # A binding copies all rows, so it is not for whoever has a right to some.
            self.done(root, "grant create on orders to 'web'")
            self.assertIn("some rows only", self.refused(web, "bind q to orders"))

    def test_changes_last(self) -> None:
        with self.server() as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.done(root, "create user 'new one' identified by 'new secret'")
            self.done(root, "grant select on orders to 'new one'")
            self.done(web, "alter user web identified by changed")
            self.done(root, "grant insert on stocks to web")
            self.done(web, "insert into stocks (ticker) values (IBM)")
            self.done(root, "revoke insert on stocks from web")
            self.refused(web, "insert into stocks (ticker) values (IBM)", 1142)
            self.assertIn("there is no user", self.refused(root, "grant select on t to nobody"))
            self.refused(root, "create user web identified by x")
            self.refused(root, "create user x identified by ''")
        self.assertEqual(stat.S_IMODE(os.stat(self.users).st_mode), 0o600)
        with self.server() as server, server.text() as connection:
            self.done(connection, "auth 'new one' 'new secret'")
            self.assertEqual(self.done(connection, "show grants")["data"], [["grant select on orders to 'new one'"]])
            self.done(connection, "auth web changed")

    def test_what_cannot_be_written_is_not_done(self) -> None:
        with self.server() as server:
            root = self.login(server, "root")
            os.rename(self.users, self.users + ".away")
            self.assertIn("SIGHUP", self.refused(root, "grant select on stocks to guest"))
            os.rename(self.users + ".away", self.users)
            self.refused(self.login(server, "guest"), "select * from stocks", 1142)
            self.done(root, "grant select on stocks to guest")

    def test_those_who_lose_their_rights(self) -> None:
        with self.server("--threads", "4") as server:
            root, web, guest = (self.login(server, user) for user in ("root", "web", "guest"))
            self.done(root, "grant subscribe on stocks to web")
            self.done(root, "grant subscribe on stocks to guest")
            self.done(web, "subscribe * from stocks")
            self.done(guest, "subscribe * from stocks")
            self.done(root, "revoke subscribe on stocks from guest")
            self.expect_end(guest)
            self.done(root, "insert into stocks (ticker) values (IBM)")
            self.assertEqual(web.read_event()["action"], "insert")
            self.done(root, "drop user web")
            self.expect_end(web)
            with server.framed() as again:
                self.refused(again, "auth web web-secret", 1045)
            server.wait_for_log("its user was dropped")

    def test_who_drops_himself_is_answered(self) -> None:
        with self.server("--threads", "4") as server:
            root = self.login(server, "root")
            self.done(root, "create user other identified by 'other-secret'")
            self.done(root, "grant admin to other")
            for _ in range(4):  # on each worker
                with server.framed() as other:
                    self.done(other, "auth other other-secret")
                    self.done(other, "drop user other")
                    self.expect_end(other)
                self.done(root, "create user other identified by 'other-secret'")
                self.done(root, "grant admin to other")

    def test_another_user_of_the_same_name(self) -> None:
        with self.server("--threads", "4") as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.done(root, "drop user web")
            self.done(root, "create user web identified by 'web-secret'")
            self.expect_end(web)
            again = self.login(server, "web")
            self.assertEqual(self.done(again, "show grants")["rows"], 0)
            server.log.clear()
            server.signal(signal.SIGHUP)
            server.wait_for_log("3 users of")
            self.done(again, "status")

    def test_a_pop_that_waits(self) -> None:
        """It is answered when the right to it is taken away, and gets no row."""
        for threads in ("1", "4"):
            with self.server("--threads", threads) as server:
                root, web, guest = (self.login(server, user) for user in ("root", "web", "guest"))
                self.done(root, "create queue jobs (job text)")
                for user in ("web", "guest"):
                    self.done(root, f"grant select, delete on jobs to {user}")
                web.send("pop 1 job from jobs wait 1 hour")
                guest.send("pop 1 job from jobs wait 1 hour")
                end = time.monotonic() + deadline_s(60)
                while self.done(root, "show queues")["data"][0][5] != "2":
                    self.assertLess(time.monotonic(), end)
                self.done(root, "revoke delete on jobs from web")
                self.assertEqual(json.loads(web.read_reply())["code"], 1142)
                self.done(root, "push into jobs (job) values (a)")
                self.assertEqual(json.loads(guest.read_reply())["data"], [["a"]])
                self.done(guest, "ack jobs 0")
                guest.send("pop 1 job from jobs wait 1 hour")
                self.done(root, "drop user guest")
                self.done(root, "push into jobs (job) values (b)")
                self.assertEqual(self.done(root, "pop 1 job from jobs")["data"], [["b"]])
                self.done(root, "create user guest identified by 'guest-secret'")

    def test_a_pop_that_waits_is_run_with_the_rights_of_now(self) -> None:
        with self.server("--threads", "2") as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.done(root, "create queue jobs (job text)")
            self.done(root, "grant select on jobs to web where job = mine")
            self.done(root, "grant delete on jobs to web")
            self.done(root, "push into jobs (job) values (other)")
            web.send("pop 1 job from jobs wait 1 hour")
            end = time.monotonic() + deadline_s(60)
            while self.done(root, "show queues")["data"][0][5] != "1":
                self.assertLess(time.monotonic(), end)
            self.done(root, "grant select on jobs to web where job = other")
            self.assertEqual(json.loads(web.read_reply())["data"], [["other"]])

    def test_another_filter_ends_a_subscription(self) -> None:
        with self.server() as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.done(root, "insert into orders (owner) values (web)")
            self.done(web, "subscribe * from orders")
            self.done(root, "grant subscribe on orders to web where owner = shared")
            self.expect_end(web)


class Rows(WithUsers):
    def test_what_hidden_rows_are_not_told_by(self) -> None:
        with open(self.users, "a", encoding="utf-8") as file:
            file.write("grant select on secrets to web where owner = current_user()\n"
                       "grant insert, update on secrets to web\n")
        with self.server() as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.done(root, "create table secrets (id bigint primary key, owner varchar(20), word varchar(20), n int)")
            self.done(root, "create index by_word on secrets (word)")
            self.done(root, "insert into secrets values (2, root, hunter2, 0), (3, web, hunter3, 0)")
            guess = "insert into secrets (id, owner) values ({}, web) on duplicate key update n = if(word like 'h%', 1, n)"
            self.refused(web, guess.format(2), 1062)
            self.assertEqual(self.done(web, guess.format(3))["rows"], 2)
            for word in ("hunter2", "nobody"):
                row = self.done(web, f"explain select * from secrets where word = '{word}'")["data"][0]
                self.assertEqual(row, ["secrets", None, None, None, None, "where"])

    def test_a_password_of_ones_own_is_no_hash(self) -> None:
        with self.server() as server:
            web = self.login(server, "web")
            self.done(web, "alter user web identified by other")
            self.refused(web, "alter user web identified by password '$argon2id$v=19$m=65536,t=2,p=1$a$b'", 1227)
            with server.framed() as again:
                self.done(again, "auth web other")

    def check_rows(self, *flags: str) -> None:
        with self.server("--threads", "4", *flags) as server:
            root, web = self.login(server, "root"), self.login(server, "web", framed=False)
            self.done(root, "insert into orders (owner, n) values (web, 1), (root, 2), (web, 3)")
            self.done(root, "insert into stocks (n) values (1), (2)")
            self.assertEqual(self.done(web, "select n from orders")["data"], [["1"], ["3"]])
            self.done(web, "subscribe * from orders")
            self.assertEqual(len(web.read_event()["data"]), 2)
            self.refused(web, "insert into orders (owner, n) values (root, 4)", 1369)
            self.assertEqual(self.done(web, "insert into orders (owner, n) values (web, 4)")["rows"], 1)
            self.assertEqual(web.read_event()["action"], "insert")
            self.assertEqual(self.done(web, "update orders set n = 10 where n < 3")["rows"], 1)
            self.assertEqual(web.read_event()["action"], "update")
            self.done(root, "update orders set owner = root, n = 77 where n = 10")
            gone = web.read_event()
            self.assertEqual(gone["action"], "remove")
            self.assertNotIn("77", str(gone["data"]))
            self.assertEqual(self.done(web, "select n from stocks where n in (select n from orders)")["data"], [])
            self.done(web, "begin")
            self.assertEqual(self.done(web, "update orders set n = n + 1 where n > 0")["rows"], 2)
            self.refused(web, "update orders set owner = root where n > 0", 1369)
            self.refused(web, "insert into stocks (n) values (3)", 1142)
            self.assertEqual(self.done(web, "select n from orders")["data"], [["4"], ["5"]])
            self.done(web, "rollback")
            self.assertEqual(self.done(root, "select n from orders order by id")["data"], [["77"], ["2"], ["3"], ["4"]])
            self.assertEqual(self.done(web, "delete from orders where n > 0")["rows"], 2)
            self.refused(web, "truncate orders", 1142)
            self.assertEqual(self.done(root, "select count(*) as c from orders")["data"], [["2"]])

    def test_in_memory(self) -> None:
        self.check_rows()

    def test_acknowledged_when_committed(self) -> None:
        self.check_rows("--data", os.path.join(self.folder, "data"))

    def test_a_filter_that_cannot_be_asked(self) -> None:
        with self.server() as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            self.done(root, "insert into orders (n) values (1)")
            for statement in ("select * from orders", "delete from orders", "subscribe * from orders",
                              "insert into orders (n) values (2)"):
                self.assertIn("owner", self.refused(web, statement))


class File(WithUsers):
    def test_permissions(self) -> None:
        os.chmod(self.users, 0o644)
        self.assertIn("chmod 600", refused_start("--users", self.users))

    def test_mistakes_have_a_line(self) -> None:
        with open(self.users, "a", encoding="utf-8") as file:
            file.write("grant fly on t to web\n")
        self.assertRegex(refused_start("--users", self.users), r"users:\d+: expected")

    def test_no_file(self) -> None:
        self.assertIn("pubsubsql user add", refused_start("--users", self.users + "2"))

    def test_read_again(self) -> None:
        with self.server() as server:
            root, web = self.login(server, "root"), self.login(server, "web")
            with open(self.users, "a", encoding="utf-8") as file:
                file.write("# by hand\n-- and more\n\ngrant insert on stocks to web;\n")
            self.refused(web, "insert into stocks (a) values (1)", 1142)
            self.assertIn("SIGHUP", self.refused(root, "grant select on a to web"))
            server.log.clear()
            server.signal(signal.SIGHUP)
            server.wait_for_log("3 users of")
            self.done(web, "insert into stocks (a) values (1)")
            with open(self.users, "a", encoding="utf-8") as file:
                file.write("nonsense\n")
            server.signal(signal.SIGHUP)
            server.wait_for_log("users stay as they were: .*:\\d+: expected")
            self.done(web, "insert into stocks (a) values (1)")

    def test_binding(self) -> None:
        self.assertIn("--insecure-no-auth", refused_start("--bind", "0.0.0.0"))
        with ServerProcess("--bind", "0.0.0.0", "--insecure-no-auth") as server:
            server.wait_for_log("warning .*anyone who reaches .* can read and change everything")
        with self.server("--bind", "0.0.0.0") as server:
            server.wait_for_log("warning passwords and data go")


class Cli(WithUsers):
    def run_cli(self, server: ServerProcess, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CLI, "--port", str(server.port), *flags, "-e", "select current_user() as u", "--format", "csv"],
            env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=deadline_s(60), start_new_session=True,
        )

    def test_users(self) -> None:
        made = user_command("add", "--file", self.users, "new", password="new-secret\n")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        self.assertIn("already", user_command("add", "--file", self.users, "new", password="x\n").stderr)
        self.assertIn("empty", user_command("add", "--file", self.users, "other", password="\n").stderr)
        self.assertIn("no user", user_command("passwd", "--file", self.users, "other", password="x\n").stderr)
        self.assertEqual(user_command("passwd", "--file", self.users, "guest", password="changed\n").returncode, 0)
        self.assertEqual(user_command("remove", "--file", self.users, "web").returncode, 0)
        listed = user_command("list", "--file", self.users).stdout
        self.assertIn("root\n  grant admin to 'root'\n", listed)
        self.assertNotIn("argon2", listed)
        os.chmod(self.users, 0o666)
        self.assertIn("chmod 600", user_command("list", "--file", self.users).stderr)
        os.chmod(self.users, 0o600)
        with self.server() as server:
            self.login(server, "new")
            with server.framed() as connection:
                self.refused(connection, "auth web web-secret", 1045)
                self.done(connection, "auth guest changed")

    def test_typed_passwords(self) -> None:
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(CLI, [CLI, "user", "add", "--file", self.users, "typed"])
        shown = b""
        for question in (b"New password: ", b"Once more: "):
            while not shown.endswith(question):
                shown += os.read(terminal, 1024)
            os.write(terminal, b"typed-secret\n")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        os.close(terminal)
        self.assertNotIn(b"typed-secret", shown)
        with self.server() as server:
            self.login(server, "typed")

    def test_connecting(self) -> None:
        password = os.path.join(self.folder, "password")
        with open(password, "w", encoding="utf-8") as file:
            file.write("web-secret\n")
        with self.server() as server:
            self.assertIn("web", self.run_cli(server, "--user", "web", PUBSUBSQL_PASSWORD="web-secret").stdout)
            self.assertIn("web", self.run_cli(server, "--user", "web", "--password-file", password).stdout)
            self.assertIn("no terminal", self.run_cli(server, "--user", "web").stderr)
            self.assertIn("auth USER PASSWORD", self.run_cli(server).stderr)
            wrong = self.run_cli(server, "--user", "web", PUBSUBSQL_PASSWORD="wrong-secret")
            self.assertIn("Access denied", wrong.stderr)
            self.assertNotIn("wrong-secret", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
