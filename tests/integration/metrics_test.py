"""/metrics, /history, /healthz and /readyz of the real server: the numbers are those of what was done, the format is one that
every reader takes, and what dashboards, alerts and documents name is there."""

import http.client
import json
import re
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness import exposition  # noqa: E402
from harness.exposition import Family, Malformed  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection, deadline_s, frame  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("1", "4")


def get(server: ServerProcess, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=deadline_s(60))
    try:
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read().decode()
    finally:
        connection.close()


def scrape(server: ServerProcess) -> dict[str, Family]:
    status, headers, text = get(server, "/metrics")
    assert status == 200, (status, text)
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8", headers
    return exposition.parse(text)


def wait_until(condition: object, seconds: float = 60) -> None:
    end = time.monotonic() + deadline_s(seconds)
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)


def names_in(expressions: str) -> set[str]:
    """The families that expressions of Prometheus name."""
    names = set(re.findall(r"\b(?:pubsubsql|process)_[a-z0-9_]+\b", expressions))
    return {re.sub(r"(_seconds|_bytes)_(bucket|sum|count)$", r"\1", name) for name in names}


class Counts(unittest.TestCase):
    def test_statements_and_errors(self) -> None:
        for threads in THREADS:
            with ServerProcess("--threads", threads, http=True) as server, server.framed() as a, server.text() as b:
                before = scrape(server)
                for table in range(8):  # on all workers
                    for value in range(5):
                        self.assertEqual(a.ask(f"insert into t{table} (v) values ({value})")["rows"], 1)
                self.assertEqual(b.ask("select * from t3")["rows"], 5)
                self.assertEqual(b.ask("select * from missing")["status"], "err")
                self.assertEqual(b.ask("select missing from t2")["status"], "err")
                self.assertEqual(b.ask("selekt 1")["status"], "err")
                b.send("stream insert into t1 (v) values (9)")
                self.assertEqual(b.ask("update t1 set v = 7 where v = 9")["rows"], 1)
                after = scrape(server)
                self.check_statements(before, after, threads)
                rows = after["pubsubsql_table_rows"].by("table")
                self.assertEqual({name: rows[name] for name in sorted(rows)},
                                 {f"t{table}": 6 if table == 1 else 5 for table in range(8)})
                self.assertEqual(after["pubsubsql_tables"].value(), 8)
                self.assertTrue(all(v > 0 for v in after["pubsubsql_table_bytes"].by("table").values()))
                self.check_status(b, after)

    def check_statements(self, before: dict[str, Family], after: dict[str, Family], threads: str) -> None:
        def grown(name: str) -> dict[str, float]:
            old = before[name].by("verb")
            return {v: n - old[v] for v, n in after[name].by("verb").items() if n != old[v]}

        self.assertEqual(grown("pubsubsql_statements_total"), {"insert": 41, "select": 3, "update": 1, "unreadable": 1})
        self.assertEqual(grown("pubsubsql_statement_errors_total"), {"select": 2, "unreadable": 1})
        # Each was alone, so each was timed.
        name = "pubsubsql_statement_duration_seconds"
        timed = after[name].count() - before[name].count()
        self.assertGreaterEqual(timed, 44)
        self.assertLessEqual(timed, 46)
        workers = after["pubsubsql_worker_statements_total"].by("worker")
        self.assertEqual(len(workers), int(threads))
        self.assertEqual(sum(workers.values()), after["pubsubsql_statements_total"].total())
        forwarded = after["pubsubsql_worker_forwarded_statements_total"].total()
        self.assertEqual(forwarded > 0, threads != "1")
        self.assertGreater(after["pubsubsql_worker_busy_seconds_total"].total(), 0)

    def check_status(self, client: FramedConnection, after: dict[str, Family]) -> None:
        status = client.ask("status")
        old = ["connections", "tables", "rows", "subscriptions", "threads", "backlogbytes", "slowdisconnects", "conflated",
               "dropped", "gaps", "uptime", "version"]
        self.assertEqual(list(status)[2:14], old)
        self.assertEqual(status["statements"], after["pubsubsql_statements_total"].total() + 1)
        self.assertEqual(status["statementerrors"], after["pubsubsql_statement_errors_total"].total())
        self.assertEqual(status["forwarded"], after["pubsubsql_worker_forwarded_statements_total"].total())
        self.assertEqual((status["rows"], status["storecommits"]), (41, 0))
        self.assertGreater(status["memorybytes"], 1 << 20)

    def test_many_at_a_time_are_sampled(self) -> None:
        many = 3200
        with ServerProcess("--threads", "1", http=True) as server, server.framed() as client:
            before = scrape(server)["pubsubsql_statement_duration_seconds"].count()
            client.socket.sendall(b"".join(frame(i + 1, f"insert into t (v) values ({i})") for i in range(many)))
            for _ in range(many):
                self.assertEqual(json.loads(client.read_reply())["rows"], 1)
            after = scrape(server)
            self.assertEqual(after["pubsubsql_statements_total"].value(verb="insert"), many)
            timed = after["pubsubsql_statement_duration_seconds"].count() - before
            self.assertGreater(timed, many - 32)
            self.assertLess(timed, many + 32)

    def test_connections(self) -> None:
        with ServerProcess("--threads", "4", http=True) as server:
            with server.framed() as a, server.framed() as b, server.text() as c:
                for client in (a, b, c):
                    client.ask("status")
                families = scrape(server)
                open_now = families["pubsubsql_connections"].by("protocol")
                self.assertEqual((open_now["framed"], open_now["text"]), (2, 1))
                self.assertGreaterEqual(families["pubsubsql_connections_total"].value(), 3)
                self.assertGreater(families["pubsubsql_received_bytes_total"].value(), 3 * len("status"))
                self.assertGreater(families["pubsubsql_sent_bytes_total"].value(), 3 * len("status"))
                self.assertEqual(families["pubsubsql_tls_connections"].value(), 0)
            wait_until(lambda: scrape(server)["pubsubsql_connections"].by("protocol")["framed"] == 0)
            self.assertGreaterEqual(scrape(server)["pubsubsql_connections_total"].value(), 3)

    def test_events(self) -> None:
        for threads in THREADS:
            with ServerProcess("--threads", threads, http=True) as server, server.framed() as writer:
                readers = [server.framed() for _ in range(6)]
                for reader in readers:
                    self.assertEqual(reader.ask("subscribe skip * from t")["status"], "ok")
                writer.ask("insert into t (v) values (1)")
                writer.ask("update t set v = 2")
                writer.ask("delete from t")
                for reader in readers:
                    self.assertEqual([reader.read_event()["action"] for _ in range(3)], ["insert", "update", "delete"])
                families = scrape(server)
                made = families["pubsubsql_events_total"].by("action")
                self.assertEqual(made, {"add": 0, "insert": 1, "update": 1, "remove": 0, "delete": 1, "publish": 0})
                self.assertEqual(families["pubsubsql_event_deliveries_total"].value(), 18)
                self.assertEqual(families["pubsubsql_subscriptions"].value(), 6)
                self.assertEqual(families["pubsubsql_table_subscriptions"].value(table="t"), 6)
                for reader in readers:
                    reader.close()
                wait_until(lambda: scrape(server)["pubsubsql_subscriptions"].value() == 0)

    def test_slow_subscriber(self) -> None:
        flags = ("--threads", "1", "--max-backlog-bytes", "65536")
        with ServerProcess(*flags, http=True) as server, server.framed() as writer, server.framed() as reader:
            writer.ask("insert into t (v) values (1)")
            self.assertEqual(reader.ask("subscribe skip * from t")["status"], "ok")
            value = "x" * 60_000
            for i in range(2_000):
                writer.ask(f"update t set v = '{i}{value}'")
                if i % 20 == 0 and writer.ask("status")["slowdisconnects"] > 0:
                    break
            families = scrape(server)
            self.assertEqual(families["pubsubsql_slow_disconnects_total"].value(), 1)
            self.assertEqual(families["pubsubsql_limit_refusals_total"].value(limit="max-backlog-bytes"), 1)
            self.assertEqual(families["pubsubsql_limit"].value(limit="max-backlog-bytes"), 65536)
            self.assertEqual(families["pubsubsql_backlog_bytes"].value(), 0)

    def test_many_tables(self) -> None:
        with ServerProcess("--threads", "1", http=True) as server, server.framed() as client:
            for i in range(205):
                client.send(f"insert into t{i} (v) values ({'x' * i})")
            for _ in range(205):
                client.read_reply()
            for _ in range(7):
                client.ask("insert into `(others)` (v) values (1)")
            families = scrape(server)
            tables = client.ask("status")["tables"]
            rows = families["pubsubsql_table_rows"].by("table")
            self.assertEqual(len(rows), 201)
            self.assertEqual(sum(rows.values()), client.ask("status")["rows"])
            self.assertEqual(rows["(others)"], client.ask("status")["rows"] - 200)
            self.assertEqual(families["pubsubsql_tables"].value(), tables)


class Stores(unittest.TestCase):
    def test_data_directory(self) -> None:
        for threads in THREADS:
            with tempfile.TemporaryDirectory(prefix="pubsubsql-metrics-") as data:
                flags = ("--data", data, "--threads", threads)
                with ServerProcess(*flags, http=True) as server, server.framed() as client:
                    for i in range(10):
                        self.assertEqual(client.ask(f"insert into t (v) values ({i})")["rows"], 1)
                    client.ask("begin")
                    client.ask("update t set v = 1 where v = 2")
                    self.assertEqual(client.ask("commit")["status"], "ok")
                    families = scrape(server)
                    self.assertEqual(families["pubsubsql_commit_duration_seconds"].count(), 11)
                    commits = families["pubsubsql_store_commits_total"].value(store="sqlite")
                    self.assertGreaterEqual(commits, 11)
                    self.assertEqual(families["pubsubsql_store_errors_total"].value(store="sqlite"), 0)
                    self.assertEqual(families["pubsubsql_mysql_online"].samples, [])
                    self.assertEqual(client.ask("status")["storecommits"], commits)
                    wait_until(lambda: scrape(server)["pubsubsql_store_queued_bytes"].value() == 0)
                    self.assertEqual(scrape(server)["pubsubsql_store_lag_rows"].value(store="sqlite"), 0)


class SlowStatements(unittest.TestCase):
    def test_log(self) -> None:
        for threads in THREADS:
            flags = ("--slow-statement-ms", "1", "--threads", threads, "--log-level", "warning")
            with ServerProcess(*flags, http=True) as server, server.framed() as client:
                rows = ", ".join(f"({i})" for i in range(20_000))  # milliseconds on any machine
                for i in range(8):
                    self.assertEqual(client.ask(f"insert into t{i} (v) values {rows}")["rows"], 20_000)
                    self.assertEqual(client.ask(f"update t{i}\tset v = v + 1")["rows"], 20_000)
                server.wait_for_log(r'20000 rows, \S+: "insert into t. \(v\) values \(0\), .*" and \d+ more bytes$')
                line = server.wait_for_log(r'slow statement: (\S+) ms, 20000 rows, 127\.0\.0\.1:\d+: "update t.\\x09set v = v \+ 1"$')
                self.assertGreaterEqual(float(line[1]), 1)
                families = scrape(server)
                self.assertGreaterEqual(families["pubsubsql_slow_statements_total"].value(), 1)
                timed = families["pubsubsql_statement_duration_seconds"].count()
                self.assertEqual(timed, families["pubsubsql_statements_total"].total())

    def test_waiting_for_a_transaction(self) -> None:
        with ServerProcess("--slow-statement-ms", "50", "--threads", "2", http=True) as server:
            with server.framed() as holder, server.framed() as waiter:
                holder.ask("insert into t (v) values (1)")
                holder.ask("begin")
                holder.ask("update t set v = 2")
                waiter.send("update t set v = 3")
                wait_until(lambda: server_waited(holder, 0.2))
                holder.ask("commit")
                self.assertEqual(json.loads(waiter.read_reply())["rows"], 1)
                line = server.wait_for_log(r"slow statement: (\S+) ms, 1 rows, .*: \"update t set v = 3\"")
                self.assertGreaterEqual(float(line[1]), 50)

    def test_passwords_are_hidden(self) -> None:
        with ServerProcess("--slow-statement-ms", "1", "--log-level", "debug", http=True) as server, server.framed() as c:
            self.assertEqual(c.ask("auth me " + "hidden" * 200_000)["status"], "err")
            self.assertEqual(c.ask("create user u identified by '" + "hidden" * 200_000 + "'")["status"], "err")
            c.ask("status")
        self.assertNotIn("hiddenhidden", "\n".join(server.log))


def server_waited(client: FramedConnection, seconds: float, began: list[float] = []) -> bool:  # noqa: B006
    """Whether so much time has passed at the server, by its own answers."""
    client.ask("select 1")
    began.append(time.monotonic())
    return began[-1] - began[0] > seconds


class Pages(unittest.TestCase):
    def test_history(self) -> None:
        with ServerProcess("--threads", "2", http=True) as server, server.framed() as client:
            status, headers, text = get(server, "/history")
            self.assertEqual((status, headers["content-type"]), (200, "application/json"))
            history = json.loads(text)
            self.assertEqual(history, {"interval": 10, "columns": ["time", "statements", "events", "connections",
                                                                  "backlogbytes", "storelagrows", "storelagseconds"],
                                       "data": []})
            client.ask("insert into t (v) values (1)")
            wait_until(lambda: json.loads(get(server, "/history")[2])["data"] != [])
            point = dict(zip(history["columns"], json.loads(get(server, "/history")[2])["data"][0]))
            self.assertGreater(point["statements"], 0)
            self.assertGreaterEqual(point["connections"], 1)
            self.assertAlmostEqual(point["time"], time.time(), delta=deadline_s(60))

    def test_health(self) -> None:
        with ServerProcess(http=True) as server:
            self.assertEqual(get(server, "/healthz")[::2], (200, "ok\n"))
            self.assertEqual(get(server, "/readyz")[::2], (200, "ready\n"))


class Names(unittest.TestCase):
    """What is said of metrics elsewhere is true."""

    def setUp(self) -> None:
        with ServerProcess("--threads", "1", http=True) as server:
            self.families = scrape(server)

    def test_dashboard(self) -> None:
        dashboard = json.loads((ROOT / "tools/grafana/pubsubsql.json").read_text())
        targets = [t for p in dashboard["panels"] for t in p.get("targets", [])]
        self.assertGreater(len(targets), 40)
        variables = [v["query"]["query"] for v in dashboard["templating"]["list"] if v["type"] == "query"]
        named = names_in(" ".join([t["expr"] for t in targets] + variables))
        self.assertEqual(named - set(self.families), set())
        self.assertEqual(set(self.families) - named, set(), "the dashboard does not show these")
        places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]]
        self.assertEqual(len(places), len(set(places)))
        for target in targets:
            self.assertNotIn("_bucket", re.sub(r"rate\([a-z_]+_bucket\{[^}]*\}\[[^]]*\]\)", "", target["expr"]))

    def test_counters_are_rated(self) -> None:
        expressions = [t["expr"] for p in json.loads((ROOT / "tools/grafana/pubsubsql.json").read_text())["panels"]
                       for t in p.get("targets", [])]
        for expression in expressions:
            for name in names_in(expression):
                if self.families[name].type == "counter":
                    self.assertRegex(expression, rf"rate\({name}\{{")

    def test_alerts(self) -> None:
        expressions = re.findall(r"^ +expr: (.*)$", (ROOT / "tools/grafana/alerts.yml").read_text(), re.MULTILINE)
        self.assertGreater(len(expressions), 5)
        self.assertEqual(names_in(" ".join(expressions)) - set(self.families), set())

    def test_document(self) -> None:
        text = (ROOT / "docs/operations.md").read_text()
        section = text[text.index("## Metrics"):text.index("## Slow statements")]
        documented = dict(re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|", section, re.MULTILINE))
        self.assertEqual(documented, {name: f.type for name, f in self.families.items()})


class Parser(unittest.TestCase):
    """The reader of this test finds what is wrong."""

    def test_malformed(self) -> None:
        head = "# HELP a_total x\n# TYPE a_total counter\n"
        good = head + 'a_total{b="c\\"\\n\\\\"} 1\n'
        self.assertEqual(exposition.parse(good)["a_total"].value(b='c"\n\\'), 1)
        histogram = "# HELP h x\n# TYPE h histogram\n"
        for text in (
            good[:-1],
            good + good,
            head + "a_total 1\na_total 2\n",
            head + "a_total -1\n",
            head + "a_total one\n",
            head + "b_total 1\n",
            head + 'a_total{b="c"d} 1\n',
            head + 'a_total{b="\\x"} 1\n',
            head + 'a_total{b="c",b="d"} 1\n',
            "a_total 1\n",
            "# HELP a x\n# TYPE a counter\na 1\n",
            histogram + 'h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
            histogram + 'h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
            histogram + 'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n',
        ):
            with self.assertRaises(Malformed, msg=text):
                exposition.parse(text)


if __name__ == "__main__":
    unittest.main()
