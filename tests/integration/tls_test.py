"""TLS on the SQL port: beside plain connections, in pieces, cut off, refused, with client certificates and new ones."""

import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import unittest
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.certificates import Authority, Pair  # noqa: E402
from harness.server_process import ServerProcess, refused_start  # noqa: E402
from harness.tls import TlsByHand, secured  # noqa: E402
from harness.wire import FramedConnection, deadline_s, frame  # noqa: E402


class TlsCase(unittest.TestCase):
    """One CA for all, and a server certificate; each test has a server of its own."""

    ca: Authority
    pair: Pair

    @classmethod
    def setUpClass(cls) -> None:
        cls.ca = Authority()
        cls.pair = cls.ca.issue("localhost")
        cls.context = cls.ca.client_context()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.ca.__exit__()

    def serve(self, *flags: str) -> ServerProcess:
        return ServerProcess("--tls-cert", self.pair.certificate, "--tls-key", self.pair.key, *flags)

    def framed(self, server: ServerProcess) -> FramedConnection:
        return secured(server.framed(), self.context)

    def assert_serves(self, server: ServerProcess) -> None:
        with self.framed(server) as client:
            self.assertEqual(client.ask("status")["status"], "ok")

    def assert_closed(self, plain: socket.socket) -> None:
        plain.settimeout(deadline_s(60))
        try:
            while plain.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass


class Connections(TlsCase):
    def test_one_port_for_all(self) -> None:
        with self.serve() as server:
            clients = [server.framed(), server.text(), self.framed(server), secured(server.text(), self.context)]
            for number, client in enumerate(clients):
                self.assertEqual(client.ask(f"insert into t (a) values ({number})")["status"], "ok")
            for client in clients:
                self.assertEqual(client.ask("select a from t")["data"], [["0"], ["1"], ["2"], ["3"]])
                client.close()
            server.wait_for_log(r"ended: client closed the connection; framed over TLSv1\.3 \S+, 2 statements")
            server.wait_for_log(r"ended: client closed the connection; text over TLSv1\.3 \S+, 2 statements")
            server.wait_for_log(r"ended: client closed the connection; text, 2 statements")

    def test_versions(self) -> None:
        with self.serve() as server:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = self.ca.client_context()
                context.maximum_version = version
                with secured(server.framed(), context) as client:
                    self.assertEqual(client.ask("status")["status"], "ok")
                    self.assertIn(client.socket.cipher()[0].split("_")[0].split("-")[0], ("ECDHE", "TLS"))
            old = self.ca.client_context()
            old.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # which is what this is about
                old.minimum_version = ssl.TLSVersion.TLSv1
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            with server.framed() as client, self.assertRaises(ssl.SSLError):
                secured(client, old)
            server.wait_for_log("ended: the TLS handshake failed: unsupported protocol; silent")
            weak = self.ca.client_context()
            weak.maximum_version = ssl.TLSVersion.TLSv1_2
            weak.set_ciphers("ECDHE-ECDSA-AES128-SHA")
            with server.framed() as client, self.assertRaises(ssl.SSLError):
                secured(client, weak)
            server.wait_for_log("ended: the TLS handshake failed: no shared cipher")
            self.assert_serves(server)

    def test_pipeline(self) -> None:
        count = 100_000 if deadline_s(1) == 1 else 10_000
        with self.serve("--threads", "2", "--log-level", "warning") as server:
            client = TlsByHand(server.port, self.context)
            client.shake_hands()
            statements = (f"insert into t{i % 3} (v) values ({i}) returning v" for i in range(count))
            wire = client.encrypted(b"".join(frame(i + 1, s) for i, s in enumerate(statements)))
            wire += client.encrypted_end()
            sender = threading.Thread(target=client.send_wire, args=(wire,))
            sender.start()
            plain, ended = client.read_to_end()
            sender.join()
            self.assertTrue(ended)
            at = 0
            for i in range(count):
                size, number = int.from_bytes(plain[at : at + 4], "big"), int.from_bytes(plain[at + 4 : at + 8], "big")
                self.assertEqual(number, i + 1)
                self.assertEqual(json.loads(plain[at + 8 : at + 8 + size])["data"], [[str(i)]])
                at += 8 + size
            self.assertEqual(at, len(plain))
            client.socket.close()

    def test_large_value(self) -> None:
        value = "x" * ((16 << 20) - 100)
        with self.serve("--log-level", "warning", "--max-row-bytes", "32MiB") as server, self.framed(server) as client:
            self.assertEqual(client.ask(f"insert into t (v) values ({value})")["rows"], 1)
            self.assertEqual(client.ask("select v from t")["data"], [[value]])

    def test_events_to_many(self) -> None:
        changes = 2_000
        with self.serve("--threads", "2", "--log-level", "warning") as server, self.framed(server) as writer:
            writer.ask("insert into t (v) values (start)")
            clients = [self.framed(server) for _ in range(30)] + [server.framed()]
            for client in clients:
                client.ask("subscribe * from t")
            writer.socket.sendall(b"".join(frame(i + 2, f"update t set v = {i}") for i in range(changes)))
            for client in clients:
                self.assertEqual(client.read_event()["data"], [["0", "start"]])
                values: list[str] = []
                while len(values) < changes:
                    values += [row[1] for row in client.read_event()["data"]]
                self.assertEqual(values, [str(i) for i in range(changes)])
                client.close()

    def test_slow_subscriber_costs_itself(self) -> None:
        with self.serve("--max-backlog-bytes", "1MiB") as server, self.framed(server) as slow:
            slow.ask("subscribe * from t")
            with self.framed(server) as writer:
                for _ in range(10_000):
                    if any("too slow a subscriber" in line for line in server.log):
                        break
                    writer.ask("insert into t (v) values (" + "x" * 10_000 + ")")
                server.wait_for_log("disconnected .*: too slow a subscriber")
                self.assertEqual(writer.ask("status")["status"], "ok")

    def test_server_says_that_it_ends(self) -> None:
        with self.serve() as server, TlsByHand(server.port, self.context) as client:
            client.shake_hands()
            client.send_wire(client.encrypted(b"status\n"))
            client.read_some()
            server.signal()
            self.assertTrue(client.read_to_end()[1])


class Pieces(TlsCase):
    def test_byte_by_byte(self) -> None:
        with self.serve("--log-level", "warning") as server, TlsByHand(server.port, self.context) as client:
            client.shake_hands(piece=1)
            client.send_wire(client.encrypted(b"insert into t (a) values (1) returning a\n"), piece=1)
            client.send_wire(client.encrypted_end(), piece=1)
            plain, ended = client.read_to_end()
            self.assertEqual(json.loads(plain)["data"], [["1"]])
            self.assertTrue(ended)

    def test_cut_at_every_byte(self) -> None:
        with self.serve("--log-level", "warning") as server:
            with TlsByHand(server.port, self.context) as whole:
                length = len(whole.first_flight())
            for at in range(0, length, 7):
                with TlsByHand(server.port, self.context) as client:
                    client.send_wire(client.first_flight()[:at])
            self.assert_serves(server)

    def test_half_closed(self) -> None:
        """As in plain text mode: the last line is complete without its end, and is answered."""
        with self.serve("--log-level", "warning") as server, TlsByHand(server.port, self.context) as client:
            client.shake_hands()
            wire = client.encrypted(b"insert into t (a) values (1)\nselect a from t") + client.encrypted_end()
            client.send_wire(wire)
            plain, ended = client.read_to_end()
            self.assertEqual([json.loads(line)["rows"] for line in plain.splitlines()], [1, 1])
            self.assertTrue(ended)

    def test_cut_off(self) -> None:
        """Without TLS saying so it is not the client that has ended the last line."""
        with self.serve("--log-level", "debug") as server, TlsByHand(server.port, self.context) as client:
            client.shake_hands()
            client.send_wire(client.encrypted(b"insert into t (a) values (1)\ndelete from t"))
            client.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(len(client.read_to_end()[0].splitlines()), 1)
            server.wait_for_log("ended without TLS saying so")
            with server.text() as after:
                self.assertEqual(after.ask("select a from t")["rows"], 1)

    def test_garbage_after_the_handshake(self) -> None:
        for garbage in (b"status\n", b"\x17\x03\x03\x00\x40" + b"x" * 64, b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"):
            with self.serve() as server, TlsByHand(server.port, self.context) as client:
                client.shake_hands()
                client.send_wire(garbage)
                self.assert_closed(client.socket)
                server.wait_for_log("ended: TLS failed: ")
                self.assert_serves(server)

    def test_changed_byte(self) -> None:
        with self.serve() as server, TlsByHand(server.port, self.context) as client:
            client.shake_hands()
            wire = bytearray(client.encrypted(b"insert into t (a) values (1)\n"))
            wire[10] ^= 1
            client.send_wire(bytes(wire))
            self.assert_closed(client.socket)
            with server.text() as after:
                self.assertEqual(after.ask("show tables")["rows"], 0)


class Refused(TlsCase):
    def test_tls_is_off(self) -> None:
        with ServerProcess() as server:
            with TlsByHand(server.port, self.context) as client:
                client.send_wire(client.first_flight())
                self.assertEqual(client.socket.recv(100), b"")
            server.wait_for_log("ended: it speaks TLS, which is off; turn it on with --tls-cert and --tls-key")

    def test_tls_is_required(self) -> None:
        with self.serve("--tls-required") as server:
            for plain in (server.framed(), server.text()):
                with plain:
                    plain.send("insert into t (a) values (1)")
                    request_id, text = plain.read_message()
                    self.assertEqual(request_id, getattr(plain, "last_id", None))
                    self.assertIn("connections with TLS only", json.loads(text)["msg"])
                    plain.expect_closed()
            server.wait_for_log("ended: it does not use TLS, which --tls-required demands")
            with self.framed(server) as client:
                self.assertEqual(client.ask("show tables")["rows"], 0)

    def test_handshake_takes_too_long(self) -> None:
        with self.serve("--handshake-timeout-seconds", "1") as server:
            patient = server.text()
            patient.ask("status")
            silent = server.text()
            with TlsByHand(server.port, self.context) as client:
                client.send_wire(client.first_flight()[:20])
                self.assert_closed(client.socket)
            server.wait_for_log("ended: no TLS handshake within --handshake-timeout-seconds")
            for plain in (patient, silent):  # nothing is asked of those
                self.assertEqual(plain.ask("status")["status"], "ok")
                plain.close()

    def test_silent_connections(self) -> None:
        with self.serve("--tls-required", "--handshake-timeout-seconds", "1") as server:
            silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
            unfinished = [TlsByHand(server.port, self.context) for _ in range(100)]
            for client in unfinished:
                client.send_wire(client.first_flight())
            self.assert_serves(server)
            with self.framed(server) as served:
                for plain in silent + [client.socket for client in unfinished]:
                    self.assert_closed(plain)
                    plain.close()
                self.assertEqual(served.ask("status")["connections"], 1)


class ClientCertificates(TlsCase):
    def test_asked_for(self) -> None:
        with self.serve("--tls-client-ca", self.ca.certificate) as server, Authority("Other CA") as other:
            self.assert_serves(server)
            with secured(server.framed(), self.ca.client_context(self.ca.issue("worker 7"))) as client:
                self.assertEqual(client.ask("status")["status"], "ok")
            server.wait_for_log("client certificate of 'worker 7', 1 statements")
            stranger = self.ca.client_context(other.issue("stranger"))
            self.assert_refused(server, stranger)
            server.wait_for_log(r"certificate verify failed \(client certificate: unable to get local issuer")
            self.assert_refused(server, self.ca.client_context(self.ca.issue("late", days=-1)))
            server.wait_for_log(r"certificate verify failed \(client certificate: certificate has expired")

    def test_demanded(self) -> None:
        flags = ("--tls-client-ca", self.ca.certificate, "--tls-client-required")
        with self.serve(*flags) as server:
            self.assert_refused(server, self.context)
            server.wait_for_log("peer did not return a certificate")
            with secured(server.framed(), self.ca.client_context(self.ca.issue("worker"))) as client:
                self.assertEqual(client.ask("status")["status"], "ok")
            with server.framed() as plain:  # without TLS there is no certificate
                self.assertEqual(plain.ask("status")["status"], "err")
                plain.expect_closed()

    def assert_refused(self, server: ServerProcess, context: ssl.SSLContext) -> None:
        """With TLS 1.3 a client is through with the handshake before it learns that."""
        with server.framed() as client, self.assertRaises(ssl.SSLError):
            secured(client, context).ask("status")


class Reload(TlsCase):
    def serial(self, server: ServerProcess) -> str:
        with self.framed(server) as client:
            return client.socket.getpeercert()["serialNumber"]

    def test_new_certificate(self) -> None:
        with Authority() as directory:
            used = Pair(str(directory.path / "used.pem"), str(directory.path / "used.key"))
            self.put(self.pair, used)
            with ServerProcess("--tls-cert", used.certificate, "--tls-key", used.key) as server:
                before = self.serial(server)
                with self.framed(server) as old:
                    self.put(self.ca.issue("localhost"), used)
                    server.signal(signal.SIGHUP)
                    server.wait_for_log(r"serial 03E\w, valid", 60)
                    self.wait_for_lines(server, "TLS is on", 2)
                    after = self.serial(server)
                    self.assertNotEqual(before, after)
                    self.assertEqual(old.ask("status")["status"], "ok")

                    Path(used.certificate).write_text("no certificate", encoding="ascii")
                    server.signal(signal.SIGHUP)
                    server.wait_for_log("error SIGHUP: cannot use --tls-cert .*the certificate that was in use stays")
                    self.assertEqual(self.serial(server), after)
                    self.assertEqual(old.ask("status")["status"], "ok")

    def test_a_certificate_for_another_type_of_key(self) -> None:
        with Authority() as directory:
            used = Pair(str(directory.path / "used.pem"), str(directory.path / "used.key"))
            for before, after in ((self.ca.issue("localhost"), self.ca.issue("localhost", rsa=True)),
                                  (self.ca.issue("localhost", rsa=True), self.ca.issue("localhost"))):
                self.put(before, used)
                with ServerProcess("--tls-cert", used.certificate, "--tls-key", used.key) as server:
                    shutil.copy(after.certificate, used.certificate)  # and its key not yet
                    server.signal(signal.SIGHUP)
                    server.wait_for_log("error SIGHUP: .* is not the key of .*the certificate that was in use stays")
                    self.assert_serves(server)
                    shutil.copy(after.key, used.key)
                    server.signal(signal.SIGHUP)
                    self.wait_for_lines(server, "TLS is on", 2)
                    self.assert_serves(server)

    def test_without_tls(self) -> None:
        with ServerProcess() as server:
            server.signal(signal.SIGHUP)
            server.wait_for_log("SIGHUP: there is nothing to read again")
            with server.text() as client:
                self.assertEqual(client.ask("status")["status"], "ok")

    @staticmethod
    def put(pair: Pair, where: Pair) -> None:
        shutil.copy(pair.certificate, where.certificate)
        shutil.copy(pair.key, where.key)

    def wait_for_lines(self, server: ServerProcess, text: str, count: int) -> None:
        server.wait_for_log("(?s)" + text)
        while len([line for line in server.log if text in line]) < count:
            self.assert_serves(server)


class Files(TlsCase):
    def start_with(self, certificate: str, key: str, *flags: str) -> str:
        return refused_start("--tls-cert", certificate, "--tls-key", key, *flags)

    def test_what_belongs_together(self) -> None:
        for flags, complaint in (
            (("--tls-cert", self.pair.certificate), "--tls-cert needs --tls-key"),
            (("--tls-key", self.pair.key), "--tls-key needs --tls-cert"),
            (("--tls-required",), "--tls-required needs --tls-cert and --tls-key"),
            (("--tls-client-ca", self.ca.certificate), "--tls-client-ca needs --tls-cert and --tls-key"),
        ):
            self.assertIn(complaint, refused_start(*flags))
        self.assertIn("--tls-client-required needs --tls-client-ca",
                      self.start_with(self.pair.certificate, self.pair.key, "--tls-client-required"))

    def test_bad_files(self) -> None:
        nothing = str(self.ca.path / "none.pem")
        empty = str(self.ca.path / "empty.pem")
        Path(empty).touch(mode=0o600)
        good, key = self.pair.certificate, self.pair.key
        self.assertIn(f"cannot use --tls-cert {nothing}: No such file", self.start_with(nothing, key))
        self.assertIn(f"cannot use --tls-cert {empty}", self.start_with(empty, key))
        self.assertIn(f"cannot read --tls-key {nothing}: No such file", self.start_with(good, nothing))
        self.assertIn(f"cannot use --tls-key {empty}", self.start_with(good, empty))
        self.assertIn("is not a file", self.start_with(good, str(self.ca.path)))
        self.assertIn("is not the key of", self.start_with(good, self.ca.issue("other").key))
        self.assertIn("is not the key of", self.start_with(good, self.ca.issue("other", rsa=True).key))
        self.assertIn(f"cannot use --tls-client-ca {empty}", self.start_with(good, key, "--tls-client-ca", empty))

    def test_key_with_a_passphrase(self) -> None:
        encrypted = str(self.ca.path / "encrypted.key")
        subprocess.run(["openssl", "pkey", "-in", self.pair.key, "-aes256", "-passout", "pass:secret", "-out",
                        encrypted], check=True, capture_output=True)
        Path(encrypted).chmod(0o600)
        self.assertIn("without a passphrase", self.start_with(self.pair.certificate, encrypted))

    def test_key_open_to_others(self) -> None:
        key = str(self.ca.path / "open.key")
        shutil.copy(self.pair.key, key)
        for mode in (0o604, 0o644, 0o660, 0o602):
            Path(key).chmod(mode)
            self.assertIn("chmod 600", self.start_with(self.pair.certificate, key))
        Path(key).chmod(0o400)
        with ServerProcess("--tls-cert", self.pair.certificate, "--tls-key", key) as server:
            self.assert_serves(server)

    def test_expiry_is_told(self) -> None:
        for days, said in ((10, r"warning the certificate \S+ expires in (9|10) days, on .*send SIGHUP"),
                           (-1, r"warning the certificate \S+ has expired on .*send SIGHUP")):
            pair = self.ca.issue("localhost", days=days)
            with ServerProcess("--tls-cert", pair.certificate, "--tls-key", pair.key) as server:
                server.wait_for_log(said)
        with self.serve() as server:
            self.assertFalse([line for line in server.log if "warning" in line])


if __name__ == "__main__":
    unittest.main()
