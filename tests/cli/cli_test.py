"""Drives the command line program through a pseudo-terminal, and as a script, against a real server.

PUBSUBSQL_CLI and PUBSUBSQLD name the two programs. Every wait is for some output, with a deadline.
"""

import errno
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

CLI = os.environ["PUBSUBSQL_CLI"]
SERVER = os.environ["PUBSUBSQLD"]
DEADLINE_SECONDS = 60
PROMPT = "pubsubsql> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Server:
    """A server process, in memory if no flag says otherwise, on a port that the kernel chose or that the caller wants
    again."""

    def __init__(self, port=0, *flags):
        self.process = subprocess.Popen(
            [SERVER, "--bind", "127.0.0.1", "--port", str(port), "--http-port", "0", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.port = self._port_said(time.monotonic() + DEADLINE_SECONDS)

    def _port_said(self, deadline):
        said = ""
        while time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 0.5)[0]:
                part = os.read(self.process.stdout.fileno(), 65536).decode()
                if not part:
                    break
                said += part
            found = re.search(r"(?<!http )listening on \S+:(\d+)", said)
            if found:
                return int(found.group(1))
        raise AssertionError("the server did not start: " + said)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(DEADLINE_SECONDS)
        self.process.stdout.close()


def run_cli(port, *arguments, stdin="", timeout=DEADLINE_SECONDS):
    return subprocess.run([CLI, "--port", str(port), *arguments], input=stdin, capture_output=True, text=True,
                          timeout=timeout)


class Terminal:
    """The program at a pseudo-terminal: types, and keeps what was shown."""

    def __init__(self, port, home, columns=120):
        self.shown = ""
        self.at = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = dict(os.environ, TERM="xterm", HOME=home, INPUTRC="/dev/null", LC_ALL="C.UTF-8")
            environment.pop("XDG_STATE_HOME", None)
            os.execve(CLI, [CLI, "--host", "127.0.0.1", "--port", str(port)], environment)
        self.resize(columns)

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def line(self, text):
        self.type(text + "\r")

    def expect(self, wanted, regex=False):
        """Waits until something is shown behind what was expected before."""
        pattern = re.compile(wanted if regex else re.escape(wanted))
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            found = pattern.search(self.shown, self.at)
            if found:
                self.at = found.end()
                return found
            if time.monotonic() > deadline or not self._read(deadline):
                ended = self._status_if_ended()
                raise AssertionError(f"expected {wanted!r}, shown was {self.shown[self.at:]!r}{ended}")

    def _status_if_ended(self):
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return ""
        self.pid = None
        return f"; the program ended with status {os.waitstatus_to_exitcode(status)}"

    def _read(self, deadline):
        ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return True
        try:
            part = os.read(self.fd, 65536)
        except OSError as failure:
            if failure.errno != errno.EIO:
                raise
            return False
        self.shown += ESCAPES.sub("", part.decode(errors="replace"))
        return bool(part)

    def wait_for_exit(self):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self._read(deadline):
            if time.monotonic() > deadline:
                raise AssertionError(f"the program did not end, shown was {self.shown[self.at:]!r}")
        _, status = os.waitpid(self.pid, 0)
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None
        os.close(self.fd)


class CliTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.server = Server()
        self.addCleanup(lambda: self.server.stop())

    def path(self, name, content=None):
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(content)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return file.read()

    def terminal(self, **options):
        terminal = Terminal(self.server.port, self.folder.name, **options)
        self.addCleanup(terminal.close)
        terminal.expect(PROMPT)
        return terminal

    def execute(self, sql, *arguments):
        done = run_cli(self.server.port, "-e", sql, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class InteractiveTest(CliTest):
    def test_results_are_tables_with_count_and_time(self):
        t = self.terminal()
        t.line("insert into stocks (ticker, price) values (IBM, 120.5), ('日本', null);")
        t.expect(r"2 rows inserted \(\d+\.\d ms\)", regex=True)
        t.line("select * from stocks;")
        t.expect("+----+--------+-------+\r\n| id | ticker | price |\r\n+----+--------+-------+\r\n"
                 "|  0 | IBM    | 120.5 |\r\n|  1 | 日本   |  NULL |\r\n+----+--------+-------+\r\n")
        t.expect(r"2 rows \(\d+\.\d ms\)", regex=True)
        t.expect(PROMPT)
        t.line("\\format vertical")
        t.expect("The format is vertical.")
        t.line("select ticker from stocks where ticker = IBM;")
        t.expect("---- row 1 ----\r\nticker: IBM\r\n")
        t.line("\\q")
        self.assertEqual(t.wait_for_exit(), 0)

    def test_the_prompt_tells_of_a_transaction(self):
        t = self.terminal()
        t.line("begin;")
        t.expect("pubsubsql*> ")
        t.line("insert into transacted (n) values (1);")
        t.expect("1 row inserted")
        t.expect("pubsubsql*> ")
        t.line("rollback;")
        t.expect(PROMPT)
        t.line("select * from transacted;")
        t.expect("table transacted does not exist")

    def test_statements_take_several_lines(self):
        t = self.terminal()
        t.line("insert into t (a)")
        t.expect("        -> ")
        t.line("values ('x;")
        t.expect("        -> ")
        t.line("y');")
        t.expect("1 row inserted")
        t.expect(PROMPT)
        self.assertEqual(self.execute("select a from t", "--format", "csv"), 'a\n"x;\ny"\n')

    def test_mistakes_are_shown_with_a_caret(self):
        t = self.terminal()
        t.line("select * form t;")
        t.expect(r"select \* form t\r\n {9}\^", regex=True)
        t.expect(PROMPT)

    def test_completion_of_keywords_tables_and_columns(self):
        self.execute("insert into measurements (sensor, reading_value) values (a, 1)")
        t = self.terminal()
        t.type("sel\t")
        t.expect("select ")
        t.type("* from meas\t")
        t.expect("measurements ")
        t.type("wh\treading_\t")
        t.expect("where reading_value ")
        t.line("= 1;")
        t.expect("1 row ")
        t.expect(PROMPT)
        t.type("\\imp\t")
        t.expect("\\import ")

    def test_history_is_kept_from_run_to_run(self):
        first = self.terminal()
        first.line("insert into t (a)")
        first.expect("        -> ")
        first.line("values (kept);")
        first.expect("1 row inserted")
        first.expect(PROMPT)
        first.type("\x04")
        self.assertEqual(first.wait_for_exit(), 0)
        second = self.terminal()
        second.type("\x1b[A")
        second.expect("insert into t (a) values (kept);")
        second.type("\r")
        second.expect("1 row inserted")
        mode = os.stat(self.path(".pubsubsql_history")).st_mode & 0o777
        self.assertEqual(mode, 0o600)

    def test_control_c_drops_the_line(self):
        t = self.terminal()
        t.type("select nonsense")
        t.expect("select nonsense")
        t.type("\x03")
        t.expect("^C")
        t.expect(PROMPT)
        t.line("select")
        t.expect("        -> ")
        t.type("\x03")
        t.expect(PROMPT)
        t.line("status;")
        t.expect("connections: 1")

    def test_events_appear_above_the_line_being_typed(self):
        self.execute("insert into stocks (ticker) values (OLD)")
        t = self.terminal()
        t.line("subscribe * from stocks;")
        t.expect("subscribed, pubsubid 1")
        t.expect("[add #1] id=0, ticker=OLD")
        t.expect(PROMPT)
        t.type("select ticker fro")
        t.expect("select ticker fro")
        self.execute("insert into stocks (ticker) values (LIVE)")
        t.expect("[insert #1] id=1, ticker=LIVE\r\n")
        t.expect(PROMPT + "select ticker fro")
        t.line("m stocks where ticker = LIVE;")
        t.expect("| LIVE   |")
        t.expect("1 row ")
        self.execute("update stocks set ticker = '\x1b[2Jevil' where ticker = OLD")
        t.expect("[update #1] id=0, ticker=\\x1b[2Jevil")

    def test_terminal_is_resized(self):
        self.execute("insert into t (a) values ('" + "x" * 100 + "')")
        t = self.terminal(columns=60)
        t.line("select * from t;")
        t.expect("xxx...")
        t.expect("cut to fit the terminal")
        t.expect(PROMPT)
        t.resize(200)
        t.line("select * from t;")
        t.expect("x" * 100 + " |")

    def test_subscriptions_come_back_with_the_server(self):
        t = self.terminal()
        t.line("subscribe * from t;")
        t.expect("subscribed")
        t.expect(PROMPT)
        port = self.server.port
        self.server.stop()
        t.expect("lost the server")
        t.expect(PROMPT)
        t.line("status;")
        t.expect("Connect to 127.0.0.1:" + str(port) + "? [Y/n] ")
        t.line("y")
        t.expect("cannot connect")
        t.expect(PROMPT)
        self.server = Server(port)
        t.expect("Connected to 127.0.0.1:" + str(port) + " again.")
        t.expect("[resync ")
        t.line("insert into t (a) values (again);")
        t.expect("[insert #1] id=0, a=again")
        t.expect(PROMPT)
        t.line("\\c")
        t.expect("Connected to")

    def test_a_subscription_goes_on_after_a_reconnect(self):
        self.server.stop()
        data = os.path.join(self.folder.name, "data")
        self.server = Server(0, "--data", data)
        self.execute("insert into t (a) values (before)")
        t = self.terminal()
        t.line("subscribe * from t;")
        t.expect("[add #1] id=0, a=before")
        t.expect(PROMPT)
        port = self.server.port
        self.server.stop(signal.SIGKILL)
        t.expect("lost the server")
        t.expect(PROMPT)
        self.server = Server(port, "--data", data)
        self.execute("insert into t (a) values (meanwhile)")
        t.expect("[resumed #1] subscribed again after a reconnect; what was missed comes now")
        t.expect("[insert #1] id=1, a=meanwhile")
        t.expect(PROMPT)
        t.line("subscribe skip * from t with seq;")
        t.expect(PROMPT)
        t.line("insert into t (a) values (asked);")
        t.expect("[insert #2 seq ")

    def test_a_server_that_is_not_there_does_not_end_the_session(self):
        port = self.server.port
        self.server.stop()
        t = Terminal(port, self.folder.name)
        self.addCleanup(t.close)
        t.expect("cannot connect")
        t.expect(PROMPT)
        t.line("\\?")
        t.expect("\\import FILE.csv into TABLE")
        t.expect(PROMPT)
        t.type("\x04")
        self.assertEqual(t.wait_for_exit(), 0)

    def test_a_connection_that_was_closed_stays_closed(self):
        t = self.terminal()
        t.line("close;")
        t.expect(PROMPT)
        t.line("status;")
        t.expect("[Y/n] ")
        t.line("n")
        t.expect(PROMPT)
        t.line("\\c")
        t.expect("Connected to")
        self.assertNotIn("again", t.shown)

    def test_stop_is_no_error(self):
        t = self.terminal()
        t.line("stop;")
        t.expect("the server closed the connection")
        t.expect(PROMPT)
        self.assertEqual(self.server.process.wait(DEADLINE_SECONDS), 0)

    def test_tables_and_describe(self):
        self.execute("key stocks ticker; insert into stocks (ticker) values (IBM)")
        t = self.terminal()
        t.line("\\dt")
        t.expect("| stocks |")
        t.line("\\d stocks")
        t.expect(r"\| ticker +\|", regex=True)

    def test_resized_while_it_starts(self):
        for _ in range(20):
            t = Terminal(self.server.port, self.folder.name)
            self.addCleanup(t.close)
            for columns in range(80, 110):
                t.resize(columns)
            t.expect(PROMPT)

    def test_import_shows_progress(self):
        rows = "".join(f"{i},text {i}\n" for i in range(20000))
        self.path("many.csv", "number,text\n" + rows)
        t = self.terminal()
        t.line("\\import " + self.path("many.csv") + " into many")
        t.expect("20000 rows inserted")
        t.expect(PROMPT)


class TransferTest(CliTest):
    def test_import_and_export_are_inverse(self):
        content = 'id,name,note\n0,plain,a\n1,"comma, quote "" and\nline",\n2,,""\n3,žluť,null\n'
        self.path("in.csv", content)
        out = self.execute(f"\\import {self.path('in.csv')} into t\n\\export t to {self.path('out.csv')}")
        self.assertEqual(out, f"4 rows inserted\n4 rows written to {self.path('out.csv')}\n")
        self.assertEqual(self.read("out.csv"), content)
        self.execute(f"\\export select name from t where name = plain to {self.path('one.csv')}")
        self.assertEqual(self.read("one.csv"), "name\nplain\n")
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["in.csv", "one.csv", "out.csv"])

    def test_import_stops_at_the_first_refused_row(self):
        self.execute("key t a")
        self.path("twice.csv", "a\n1\n2\n1\n")
        done = run_cli(self.server.port, "-e", f"\\import {self.path('twice.csv')} into t")
        self.assertEqual(done.returncode, 1)
        self.assertIn("twice.csv:4: ", done.stderr)
        self.assertIn("2 rows inserted, 1 refused; stopped at the error", done.stdout)

    def test_import_goes_on_when_asked_to(self):
        self.execute("key t a")
        self.path("twice.csv", "a\n1\n1\n2,3\n4\n")
        done = run_cli(self.server.port, "-e", f"\\import {self.path('twice.csv')} into t on error continue")
        self.assertEqual(done.returncode, 1)
        self.assertIn("twice.csv:3: ", done.stderr)
        self.assertIn("twice.csv:4: 2 fields, and the first line names 1 column", done.stderr)
        self.assertIn("2 rows inserted, 2 refused\n", done.stdout)

    def test_files_that_cannot_be_used(self):
        self.path("empty.csv", "")
        self.path("quote.csv", 'a\n"open\n')
        for command, wanted in [(f"\\import {self.path('none.csv')} into t", "No such file"),
                                (f"\\import {self.path('empty.csv')} into t", "the file is empty"),
                                (f"\\import {self.path('quote.csv')} into t", "quote.csv:2: "),
                                (f"\\export t to {self.path('none/x.csv')}", "t"),
                                ("\\import a.csv", "write \\import")]:
            with self.subTest(command):
                done = run_cli(self.server.port, "-e", command)
                self.assertEqual(done.returncode, 1)
                self.assertIn(wanted, done.stderr)


class ScriptTest(CliTest):
    def test_exit_statuses(self):
        port = self.server.port
        self.assertEqual(run_cli(port, "-e", "status").returncode, 0)
        self.assertEqual(run_cli(port, "-e", "nonsense").returncode, 1)
        self.assertEqual(run_cli(port, "--nonsense").returncode, 2)
        self.assertEqual(run_cli(port, self.path("none.sql")).returncode, 2)
        self.assertEqual(run_cli(port, stdin="status;\n\\q\nnonsense;\n").returncode, 0)
        self.assertEqual(run_cli(port, "-e", "stop; status").returncode, 3)
        self.server.process.wait(DEADLINE_SECONDS)
        self.assertEqual(run_cli(port, "-e", "status").returncode, 3)

    def test_a_script_stops_at_the_first_failure_and_says_where(self):
        script = self.path("s.sql", "insert into t (a) values (1);\n\n-- wrong:\nselect *\n  form t;\n"
                                    "insert into t (a) values (2);\n")
        done = run_cli(self.server.port, script)
        self.assertEqual(done.returncode, 1)
        self.assertIn(script + ":5: ", done.stderr)
        self.assertIn("\n  form t\n  ^", done.stderr)
        self.assertEqual(self.execute("select a from t", "--format", "csv"), "a\n1\n")
        self.assertEqual(run_cli(self.server.port, "--force", script).returncode, 1)
        self.assertEqual(self.execute("select a from t", "--format", "csv"), "a\n1\n1\n2\n")

    def test_json_has_one_object_per_line(self):
        out = self.execute("insert into t (a) values (null); select * from t; status", "--format", "json")
        inserted, selected, status = out.splitlines()
        self.assertEqual(inserted, '{"status":"ok","action":"insert","rows":1}')
        self.assertEqual(selected, '{"status":"ok","action":"select","columns":["id","a"],"rows":1,"fromrow":1,'
                                   '"torow":1,"data":[["0",null]]}')
        self.assertEqual(json.loads(status)["connections"], 1)

    def test_a_large_result_is_whole(self):
        values = ", ".join(f"({i})" for i in range(1234))
        self.execute(f"insert into t (n) values {values}")
        lines = self.execute("select n from t", "--format", "csv").splitlines()
        self.assertEqual(lines, ["n"] + [str(i) for i in range(1234)])

    def test_stream_statements_are_waited_for(self):
        self.assertEqual(self.execute("stream insert into t (a) values (1); select a from t", "--format", "csv"), "a\n1\n")
        self.assertEqual(run_cli(self.server.port, "-e", "stream select * from none").returncode, 1)

    def test_waiting_for_events(self):
        out = self.execute("subscribe skip * from t; insert into t (a) values (1), (2); \\wait 2 30", "--format", "csv")
        self.assertEqual(out, "insert,1,0,1\ninsert,1,1,2\n")
        done = run_cli(self.server.port, "-e", "subscribe * from nothing_there; \\wait 1 0.05")
        self.assertEqual(done.returncode, 1)
        self.assertIn("waited for 1 event, and 0 came", done.stderr)

    def test_environment_names_the_server(self):
        environment = dict(os.environ, PUBSUBSQL_HOST="127.0.0.1", PUBSUBSQL_PORT=str(self.server.port))
        done = subprocess.run([CLI, "-e", "status", "--format", "csv"], env=environment, capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 0)
        self.assertIn("connections: 1\n", done.stdout)

    def test_events_are_shown_while_a_pipe_is_open(self):
        process = subprocess.Popen([CLI, "--port", str(self.server.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, bufsize=1)
        process.stdin.write("subscribe * from t;\n")
        self.assertIn("subscribed", process.stdout.readline())
        self.execute("insert into t (a) values (1)")
        self.assertIn("[insert #1] id=0, a=1", process.stdout.readline())
        process.stdin.close()
        self.assertEqual(process.wait(DEADLINE_SECONDS), 0)
        process.stdout.close()


if __name__ == "__main__":
    unittest.main()
