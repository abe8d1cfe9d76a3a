"""The HTTP port: requests one after the other, what is refused, limits and ends, TLS, and the console's page."""

import gzip
import http.client
import random
import re
import socket
import ssl
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.certificates import Authority  # noqa: E402
from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.wire import deadline_s  # noqa: E402

PAGE = Path(__file__).resolve().parents[2] / "client/console/dist/console.html"


class Raw:
    """Bytes to the HTTP port and back."""

    def __init__(self, server: ServerProcess):
        self.socket = socket.create_connection(("127.0.0.1", server.http_port), deadline_s(60))

    def ask(self, data: bytes, end: bool = False) -> bytes:
        """Everything that comes back until the server closes."""
        self.socket.sendall(data)
        if end:
            self.socket.shutdown(socket.SHUT_WR)
        received = b""
        while part := self.socket.recv(1 << 16):
            received += part
        return received

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def connect(server: ServerProcess, tls: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
    if tls is not None:
        return http.client.HTTPSConnection("localhost", server.http_port, timeout=deadline_s(60), context=tls)
    return http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=deadline_s(60))


def get(client: http.client.HTTPConnection, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    client.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = client.getresponse()
    return response, response.read()


class Requests(unittest.TestCase):
    def test_the_page(self) -> None:
        with ServerProcess(http=True) as server:
            client = connect(server)
            response, body = get(client, "/")
            self.assertEqual((response.status, body), (200, PAGE.read_bytes()))
            self.assertEqual(response.getheader("Content-Type"), "text/html; charset=utf-8")
            self.assertEqual(response.getheader("X-Content-Type-Options"), "nosniff")
            self.assertIn("frame-ancestors 'none'", response.getheader("Content-Security-Policy", ""))
            tag = response.getheader("ETag", "")
            response, body = get(client, "/", If_None_Match=tag)
            self.assertEqual((response.status, body), (304, b""))
            response, body = get(client, "/", Accept_Encoding="gzip, br")
            self.assertEqual((response.status, gzip.decompress(body)), (200, PAGE.read_bytes()))
            self.assertEqual(response.getheader("Content-Encoding"), "gzip")
            self.assertNotEqual(response.getheader("ETag"), tag)
            response, _ = get(client, "/favicon.ico")
            self.assertEqual((response.status, response.getheader("Content-Length")), (204, None))
            client.request("HEAD", "/")
            response = client.getresponse()
            self.assertEqual((response.read(), int(response.getheader("Content-Length", ""))), (b"", PAGE.stat().st_size))
            client.close()

    def test_what_is_not_there(self) -> None:
        with ServerProcess(http=True) as server:
            client = connect(server)
            self.assertEqual(get(client, "/nothing")[0].status, 404)
            self.assertEqual(get(client, "/ws")[0].status, 426)
            client.request("POST", "/", body=b"x")
            response = client.getresponse()
            self.assertEqual((response.status, response.getheader("Allow")), (405, "GET, HEAD"))
            self.assertTrue(response.read().startswith(b'{"status":"err","msg":"'))
            client.close()

    def test_requests_at_once_are_answered_in_order(self) -> None:
        one = b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n"
        other = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with ServerProcess(http=True) as server, Raw(server) as raw:
            answers = raw.ask((one + other) * 200 + last)
            statuses = re.findall(rb"HTTP/1.1 (\d+)", answers)
            self.assertEqual(len(statuses), 401)
            self.assertEqual(statuses[:4], [b"204", b"404", b"204", b"404"])

    def test_byte_by_byte(self) -> None:
        with ServerProcess(http=True) as server, Raw(server) as raw:
            raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = b"GET /favicon.ico HTTP/1.0\r\n\r\n"
            for i in range(len(request) - 1):
                raw.socket.sendall(request[i : i + 1])
            self.assertIn(b" 204 ", raw.ask(request[-1:]))

    def test_what_is_no_request(self) -> None:
        with ServerProcess(http=True) as server:
            cases = {
                b"nonsense\r\n\r\n": b" 400 ",
                b"GET / HTTP/9.9\r\n\r\n": b" 400 ",
                b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n\r\n": b" 431 ",
                b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n": b" 431 ",
                b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n": b" 413 ",
                b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n": b" 400 ",
                b"\0\0\0\x08\0\0\0\x01status  ": b" 400 ",
                b"GET / HTTP/1.1\r\n\r\n": b" 400 ",
                b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n": b" 400 ",
                b"POST /sql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\nselect 1": b" 400 ",
                b"POST /sql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n": b" 400 ",
            }
            for request, status in cases.items():
                with self.subTest(request[:50]), Raw(server) as raw:
                    answer = raw.ask(request)
                    self.assertIn(status, answer.split(b"\r\n")[0])
                    self.assertIn(b'{"status":"err","msg":"', answer)
            with Raw(server) as raw:  # a whole URL, as proxies send it
                whole = b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                self.assertIn(b" 200 ", raw.ask(whole).split(b"\r\n")[0])
            for request in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"\x16\x03\x01"):
                with self.subTest(request), Raw(server) as raw:
                    self.assertEqual(raw.ask(request, end=True), b"")

    def test_random_bytes(self) -> None:
        seed = random.randrange(1 << 30)
        r = random.Random(seed)
        with self.subTest(seed=seed), ServerProcess("--threads", "2", http=True) as server:
            for _ in range(200):
                with Raw(server) as raw:
                    begin = r.choice([b"", b"GET ", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"])
                    try:
                        raw.ask(begin + r.randbytes(r.randrange(1, 500)), end=True)
                    except OSError:
                        pass
            client = connect(server)
            self.assertEqual(get(client, "/")[0].status, 200)
            client.close()


class Ends(unittest.TestCase):
    def test_a_client_that_does_not_ask_is_sent_off(self) -> None:
        flags = ("--handshake-timeout-seconds", "1", "--log-level", "debug")
        with ServerProcess(*flags, http=True) as server:
            for begin in (b"", b"GET / HTTP/1.1\r\n"):
                with Raw(server) as raw:
                    self.assertEqual(raw.ask(begin), b"")

    def test_the_server_stops(self) -> None:
        with ServerProcess(http=True) as server, Raw(server) as silent, Raw(server) as raw:
            client = connect(server)
            get(client, "/")
            raw.socket.sendall(b"GET / HT")
            server.signal()
            self.assertEqual(server.wait(), 0)
            self.assertEqual(silent.socket.recv(1), b"")
            client.close()

    def test_too_many(self) -> None:
        with ServerProcess("--max-connections", "1", http=True) as server:
            client = connect(server)
            self.assertEqual(get(client, "/")[0].status, 200)
            with Raw(server) as raw:
                answer = raw.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(b" 503 ", answer)
                self.assertIn(b"raise --max-connections", answer)
            with server.text() as tcp:
                self.assertIn("too many connections", tcp.ask("status")["msg"])
            client.close()


class Tls(unittest.TestCase):
    def test_one_port_for_both(self) -> None:
        with Authority() as ca:
            pair = ca.issue("localhost")
            flags = ("--tls-cert", pair.certificate, "--tls-key", pair.key)
            with ServerProcess(*flags, http=True) as server:
                for tls in (None, ca.client_context()):
                    client = connect(server, tls)
                    for _ in range(3):
                        self.assertEqual(get(client, "/")[1], PAGE.read_bytes())
                    client.close()
            with ServerProcess(*flags, "--tls-required", http=True) as server:
                client = connect(server, ca.client_context())
                self.assertEqual(get(client, "/")[0].status, 200)
                client.close()
                with Raw(server) as raw:
                    self.assertIn(b" 403 ", raw.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))

    def test_tls_where_there_is_none(self) -> None:
        with ServerProcess(http=True) as server, Raw(server) as raw:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                Authority().client_context().wrap_socket(raw.socket, server_hostname="localhost")


class Ports(unittest.TestCase):
    def test_a_port_that_is_taken(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = subprocess.run(
                [PROGRAM, "--port", "0", "--http-port", str(port)], capture_output=True, text=True,
                timeout=deadline_s(60), check=False,
            )
            self.assertEqual(result.returncode, 1)
            self.assertIn("choose another with --http-port", result.stderr)

    def test_the_usual_port_is_taken_and_nobody_asked_for_it(self) -> None:
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", 7778))
                taken.listen()
            except OSError:
                pass  # somebody else has it, which is as good
            process = subprocess.Popen([PROGRAM, "--port", "0"], stderr=subprocess.PIPE, text=True)
            assert process.stderr is not None
            log = ""
            while " listening on" not in log:
                line = process.stderr.readline()
                self.assertNotEqual(line, "", log)
                log += line
            self.assertIn("going on without HTTP", log)
            process.terminate()
            self.assertEqual(process.wait(deadline_s(60)), 0)
            process.stderr.close()

    def test_no_http(self) -> None:
        with ServerProcess() as server:
            self.assertFalse([line for line in server.log if "http" in line])


if __name__ == "__main__":
    unittest.main()
