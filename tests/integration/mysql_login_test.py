"""Passwords of MySQL are shown nowhere, and connections are encrypted as the address asks.

Usage: mysql_login_test.py [Class or Class.test ...]
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import PASSWORD, USER, databases_of, memory_rows, wait_until  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.server_process import ServerProcess, refused_start  # noqa: E402

STATE = "pubsubsql_mysql"

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


class Case(MirrorCase):
    databases = staticmethod(databases_of(mariadb))


class Passwords(Case):
    def command_line(self, server: ServerProcess) -> str:
        return Path(f"/proc/{server.process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()

    def test_shown_nowhere(self) -> None:
        secret = "5ecretWord"
        for host in ("127.0.0.1", "localhost"):
            mariadb.sql(f"CREATE USER holder@{host} IDENTIFIED BY '{secret}'; GRANT ALL ON {self.db.name}.* TO holder@{host}")
        self.addCleanup(mariadb.sql, "DROP USER holder@127.0.0.1, holder@localhost")
        url = mariadb.url(self.db.name, "holder", secret)
        go_form = f"holder:{secret}@tcp(127.0.0.1:{mariadb.port})/{self.db.name}"
        for flags in (["--mysql", url], [f"--mysql={url}"], ["--mysql", go_form], [f"--mysql={go_form}"]):
            with self.subTest(flags=flags):
                with ServerProcess("--log-level", "trace", *flags, "--data", self.data) as server, server.framed() as client:
                    self.assertNotIn(secret, self.command_line(server))
                    self.assertIn("--data", self.command_line(server))
                    self.ok(client, "insert into t (k) values (1)")
                    wait_until(lambda: client.ask(f"select * from {STATE}")["status"] == "ok")
                    told = [client.ask(s) for s in ("mysql status", "status", "mysql tables", f"select * from {STATE}",
                                                    f"mysql connect {go_form}", "mysql disconnect", f"mysql connect {url}",
                                                    "mysql status", f"mysql connect {url}x")]  # fmt: skip
                    mariadb.sql("ALTER USER holder@127.0.0.1 IDENTIFIED BY 'another'")
                    self.ok(client, "mysql disconnect")
                    told.append(self.refused(client, f"mysql connect {url}", "Access denied"))
                    mariadb.sql(f"ALTER USER holder@127.0.0.1 IDENTIFIED BY '{secret}'")
                    self.assertNotIn(secret, json.dumps(told))
                self.assertNotIn(secret, "\n".join(server.log))

    def test_refused_starts(self) -> None:
        secret = "5ecretWord"
        for address in (
            f"mysql://{USER}:{secret}@127.0.0.1:{mariadb.port}/{self.db.name}",
            f"{USER}:{secret}@tcp(127.0.0.1:{mariadb.port})/{self.db.name}",
            f"mysql://{USER}:{secret}@127.0.0.1:1/{self.db.name}",
            f"mysql://{USER}:{secret}/@127.0.0.1:{mariadb.port}/{self.db.name}",
            f"mysql://{USER}:{secret}@127.0.0.1:{mariadb.port}/{self.db.name}?tls={secret}",
            f"{USER}:{secret}@127.0.0.1",
            secret,
        ):
            with self.subTest(address=address):
                log = refused_start("--mysql", address)
                self.assertIn("error", log)
                self.assertNotIn(secret, log)

    def test_from_the_environment(self) -> None:
        without = f"mysql://{USER}@127.0.0.1:{mariadb.port}/{self.db.name}"
        environment = {"PUBSUBSQL_MYSQL_PASSWORD": PASSWORD}
        with ServerProcess("--mysql", without, environment=environment) as server, server.framed() as client:
            self.ok(client, "insert into t (k) values (1)")
            self.assertEqual(len(self.db.rows("t")), 1)
            self.ok(client, "mysql disconnect")
            self.ok(client, f"mysql connect {without}")
            self.equal_everywhere(client, "t")
        # One in the address counts more.
        with ServerProcess("--mysql", self.db.url, environment={"PUBSUBSQL_MYSQL_PASSWORD": "no"}) as server, server.framed() as client:
            self.assertEqual(len(memory_rows(client, "t")), 1)
        self.assertIn("Access denied", refused_start("--mysql", without))


class Tls(unittest.TestCase):
    def test_encryption(self) -> None:
        with MariadbServer(tls=True) as tls:
            tls.create_database("d", "safe", "p")
            tls.sql("ALTER USER safe@127.0.0.1 REQUIRE SSL")
            url = tls.url("d", "safe", "p")

            def ciphers() -> set[str | None]:
                rows = tls.sql(
                    "SELECT s.variable_value FROM information_schema.processlist p JOIN"
                    " (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Ssl_finished_accepts') s"
                    " WHERE p.user = 'safe'"
                )
                return {r[0] for r in rows}

            for options in ("tls=require", f"tls=verify&ca={tls.ca_path}", "tls=skip-verify"):
                with self.subTest(options=options):
                    handshakes = int(next(iter(tls.sql("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")))[1] or 0)
                    with ServerProcess("--mysql", f"{url}?{options}") as server, server.framed() as client:
                        self.assertEqual(client.ask("insert into t (k) values (1)")["status"], "ok")
                        self.assertTrue(ciphers())
                        now = int(next(iter(tls.sql("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")))[1] or 0)
                        self.assertGreaterEqual(now, handshakes + 2)
                        self.assertEqual(client.ask("mysql check t")["data"], [])
            # Somebody who must not log in without TLS.
            self.assertIn("Access denied", refused_start("--mysql", url))
            with ServerProcess() as server, server.framed() as client:
                self.assertEqual(client.ask(f"mysql connect {url}")["status"], "err")
                self.assertEqual(client.ask(f"mysql connect '{url}?tls=verify&ca={tls.ca_path}'")["status"], "ok")
                self.assertEqual(len(client.ask("select * from t")["data"]), 3)
            with tempfile.TemporaryDirectory() as directory:
                subprocess.run(
                    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "5",
                     "-subj", "/CN=another CA", "-keyout", f"{directory}/key.pem", "-out", f"{directory}/ca.pem"],
                    check=True, capture_output=True,
                )  # fmt: skip
                Path(directory, "garbage.pem").write_text("nothing", encoding="ascii")
                for ca in (f"{directory}/ca.pem", f"{directory}/garbage.pem", f"{directory}/absent.pem"):
                    log = refused_start("--mysql", f"{url}?tls=verify&ca={ca}")
                    self.assertRegex(log, "(?i)tls|ssl|certificate")
                self.assertRegex(refused_start("--mysql", f"{url}?tls=verify"), "(?i)tls|ssl|certificate")
            # The certificate is for 127.0.0.1 and localhost: another name of the same machine is refused.
            other_name = url.replace("127.0.0.1", "127.0.0.2")
            log = refused_start("--mysql", f"{other_name}?tls=verify&ca={tls.ca_path}")
            self.assertIn("error", log)

    def test_server_without_tls(self) -> None:
        mariadb.create_database("notls", USER, PASSWORD)
        url = mariadb.url("notls", USER, PASSWORD)
        for options in ("tls=require", "tls=verify"):
            log = refused_start("--mysql", f"{url}?{options}")
            self.assertRegex(log, "(?i)tls|ssl")
            self.assertNotIn(PASSWORD, log)
        with ServerProcess() as server, server.framed() as client:
            reply = client.ask(f"mysql connect {url}?tls=require")
            self.assertEqual(reply["status"], "err")
            self.assertRegex(reply["msg"], "(?i)tls|ssl")


if __name__ == "__main__":
    unittest.main()
