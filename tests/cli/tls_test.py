"""The command line program, and so the client library, with a server that speaks TLS, or does not, or is another."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.certificates import Authority, Pair  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import deadline_s  # noqa: E402

CLI = os.environ.get("PUBSUBSQL_CLI", "build/release/pubsubsql")
NO_CONNECTION = 3
USAGE = 2


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.ca = Authority()
        cls.pair = cls.ca.issue("localhost")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.ca.__exit__()

    def serve(self, *flags: str, pair: Pair | None = None) -> ServerProcess:
        shown = pair or self.pair
        return ServerProcess("--tls-cert", shown.certificate, "--tls-key", shown.key, "--log-level", "warning", *flags)

    def ask(self, server: ServerProcess, *flags: str, sql: str = "select 1 from t") -> subprocess.CompletedProcess[str]:
        return subprocess.run([CLI, "--port", str(server.port), *flags, "--format", "csv", "-e", sql],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=deadline_s(60))

    def assert_answered(self, server: ServerProcess, *flags: str) -> None:
        ended = self.ask(server, *flags, sql="insert into t (a) values (1) returning a")
        self.assertEqual((ended.returncode, ended.stdout.split()), (0, ["a", "1"]), ended.stderr)

    def assert_no_connection(self, server: ServerProcess, *flags: str, said: str) -> None:
        ended = self.ask(server, *flags)
        self.assertIn(said, ended.stderr)
        self.assertEqual(ended.returncode, NO_CONNECTION)

    def test_trusted(self) -> None:
        with self.serve("--tls-required") as server:
            self.assert_answered(server, "--tls", "--tls-ca", self.ca.certificate)
            self.assert_answered(server, "--tls", "--tls-ca", self.ca.certificate, "--host", "localhost")
            self.assert_answered(server, "--tls-insecure")

    def test_large_results(self) -> None:
        with self.serve() as server:
            script = "; ".join(f"stream insert into t (v) values ({'x' * 1000})" for _ in range(100))
            ended = subprocess.run(
                [CLI, "--port", str(server.port), "--tls", "--tls-ca", self.ca.certificate, "--format", "csv"],
                input=";\n".join([script] * 100 + ["select v from t"]) + ";\n",
                capture_output=True, text=True, timeout=deadline_s(60))
            self.assertEqual(ended.stdout.split(), ["v"] + ["x" * 1000] * 10_000, ended.stderr[:1000])

    def test_not_trusted(self) -> None:
        with self.serve() as server:
            self.assert_no_connection(
                server, "--tls", said="has a certificate that is not trusted: unable to get local issuer certificate; "
                "if it is the right server, name the file with the certificate of its CA (ca_file, --tls-ca)")

    def test_another_name(self) -> None:
        with self.serve(pair=self.ca.issue("db", alternatives="DNS:db.example")) as server:
            trust = ("--tls", "--tls-ca", self.ca.certificate)
            self.assert_no_connection(server, *trust, said="has a certificate that is not for '127.0.0.1'")
            self.assert_no_connection(server, *trust, "--host", "localhost",
                                      said="has a certificate that is not for 'localhost'")
            self.assert_answered(server, *trust, "--tls-server-name", "db.example")

    def test_expired(self) -> None:
        with self.serve(pair=self.ca.issue("localhost", days=-1)) as server:
            self.assert_no_connection(server, "--tls", "--tls-ca", self.ca.certificate,
                                      said="not valid now: certificate has expired")

    def test_client_certificate(self) -> None:
        worker = self.ca.issue("worker")
        trust = ("--tls", "--tls-ca", self.ca.certificate)
        with self.serve("--tls-client-ca", self.ca.certificate, "--tls-client-required") as server:
            self.assert_answered(server, *trust, "--tls-cert", worker.certificate, "--tls-key", worker.key)
            self.assert_no_connection(server, *trust, said="the server demands a client certificate")
            self.assert_no_connection(server, *trust, "--tls-cert", worker.certificate, "--tls-key", self.pair.key,
                                      said="cannot use the key of the client certificate")

    def test_server_without_tls(self) -> None:
        with ServerProcess("--log-level", "warning") as server:
            self.assert_no_connection(server, "--tls", said="closed the connection during the TLS handshake; is TLS on")

    def test_client_without_tls(self) -> None:
        with self.serve("--tls-required") as server:
            ended = self.ask(server)
            self.assertIn("connections with TLS only; connect with TLS, as `pubsubsql --tls` does", ended.stderr)
            self.assertNotEqual(ended.returncode, 0)

    def test_wrong_flags(self) -> None:
        with ServerProcess("--log-level", "warning") as server:
            for flags, said in (
                (("--tls-ca", self.ca.certificate), "needs --tls"),
                (("--tls", "--tls-insecure"), "give one of them"),
                (("--tls", "--tls-cert", self.pair.certificate), "needs --tls-key"),
            ):
                ended = self.ask(server, *flags)
                self.assertIn(said, ended.stderr + ended.stdout)
                self.assertEqual(ended.returncode, USAGE)
            self.assert_no_connection(server, "--tls", "--tls-ca", "/none.pem", said="cannot use the CA file /none.pem")


if __name__ == "__main__":
    unittest.main()
