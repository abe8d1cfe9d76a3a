"""Flags, environment, configuration file, and what is said when they are wrong."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.wire import deadline_s  # noqa: E402


def run(*flags: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *flags], capture_output=True, text=True, timeout=deadline_s(20), check=False,
                          env={**os.environ, **(environment or {})})


class Options(unittest.TestCase):
    def test_help_and_version(self) -> None:
        for flag, expected in (("--help", "--max-backlog-bytes"), ("--version", "pubsubsqld 2.")):
            result = run(flag)
            self.assertEqual(result.returncode, 0)
            self.assertIn(expected, result.stdout)

    def test_flag_before_environment_before_file(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
            config.write("threads = 2\nmax-columns = 20\nlog-level = \"warning\"\n")
            config.flush()
            with ServerProcess("--config", config.name) as server, server.text() as client:
                self.assertEqual(client.ask("status")["threads"], 2)
            environment = {"PUBSUBSQL_THREADS": "3"}
            with ServerProcess("--config", config.name, environment=environment) as server, server.text() as client:
                self.assertEqual(client.ask("status")["threads"], 3)
            flags = ("--config", config.name, "--threads", "1")
            with ServerProcess(*flags, environment=environment) as server, server.text() as client:
                self.assertEqual(client.ask("status")["threads"], 1)

    def test_workers_that_spin(self) -> None:
        with ServerProcess("--spin-us", "200", "--threads", "2") as server, server.framed() as client:
            self.assertEqual(client.ask("insert into t (a) values (1)")["status"], "ok")
            with server.text() as watcher:
                self.assertEqual(watcher.ask("subscribe skip * from t")["status"], "ok")
                self.assertEqual(client.ask("update t set a = 2")["rows"], 1)
                self.assertEqual(watcher.read_event()["action"], "update")

    def test_port_in_use(self) -> None:
        with ServerProcess("--log-level", "warning") as server:
            result = run("--port", str(server.port), "--http-port", "0")
            self.assertEqual(result.returncode, 1)
            self.assertIn("choose another with --bind and --port", result.stderr)

    def test_mistakes(self) -> None:
        for flags in (["--port", "99999"], ["--nonsense"], ["--bind", "nowhere", "--port", "0"],
                      ["--config", "/does/not/exist"]):
            result = run(*flags)
            self.assertNotEqual(result.returncode, 0, flags)
            self.assertNotEqual(result.stderr + result.stdout, "", flags)

    def test_a_file_that_is_no_text_sets_nothing(self) -> None:
        for text in (b"\xff", "users = \"/etc/users\"\n".encode("utf-16"), b"port = 0\n# caf\xe9\n"):
            with tempfile.NamedTemporaryFile("wb", suffix=".conf") as config:
                config.write(text)
                config.flush()
                result = run("--check-config", "--config", config.name)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, "--config: byte [0-9]+ of the file is not UTF-8; save it as such")

    def test_a_variable_that_somebody_forgot_to_set(self) -> None:
        for flag in ("users", "tls-cert", "tls-key", "tls-client-ca"):
            variable = "PUBSUBSQL_" + flag.upper().replace("-", "_")
            result = run("--check-config", environment={variable: ""})
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"--{flag}: name the file, or leave --{flag} and {variable} out", result.stderr)
        unset = run("--check-config", environment={"PUBSUBSQL_BIND": "", "PUBSUBSQL_HTTP_DEFLATE": ""})
        self.assertEqual(unset.returncode, 0)
        self.assertIn('bind = "127.0.0.1"', unset.stdout)
        deflates = run("--check-config", environment={"PUBSUBSQL_HTTP_DEFLATE": "true"})
        self.assertIn('http-deflate = "true"', deflates.stdout)

    def test_ipv6(self) -> None:
        with ServerProcess("--bind", "::1", "--log-level", "off") as server:
            self.assertGreater(server.port, 0)


if __name__ == "__main__":
    unittest.main()
