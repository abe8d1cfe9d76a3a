"""A small WebSocket client (RFC 6455) that can also misbehave."""

import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import zlib
from typing import Any

from harness.wire import deadline_s

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Closed(Exception):
    """The server has closed the WebSocket, or, with code None, the connection."""

    def __init__(self, code: int | None, reason: str = ""):
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1((key + ACCEPT_SUFFIX).encode()).digest()).decode()


class WebSocket:
    """A connection to /ws. Pings are answered and pongs kept in `pongs`; messages are JSON objects."""

    def __init__(
        self,
        port: int,
        headers: dict[str, str] | None = None,
        deflate: bool = False,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int = 0,
        early: bytes = b"",
    ):
        """`early` is sent together with the request, before there is an answer."""
        self.socket = socket.socket()
        if receive_buffer > 0:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(deadline_s(60))
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.pongs: list[bytes] = []
        self.compressed_messages = 0
        self._received = b""
        self._inflate: Any = None
        self._upgrade(port, headers or {}, deflate, early)

    def _upgrade(self, port: int, headers: dict[str, str], deflate: bool, early: bytes) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            **({"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"} if deflate else {}),
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.socket.sendall(f"GET /ws HTTP/1.1\r\n{lines}\r\n".encode() + early)
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        self.response = head.decode()
        if " 101 " not in self.response.splitlines()[0]:
            self.close()
            raise Closed(None, self.response + "\n" + self._received.decode())
        self.fields = dict(
            (name.lower(), value) for name, value in (line.split(": ", 1) for line in self.response.splitlines()[1:])
        )
        assert self.fields["sec-websocket-accept"] == accept_key(key)
        if "permessage-deflate" in self.fields.get("sec-websocket-extensions", ""):
            self._inflate = zlib.decompressobj(-15)

    # Sending

    def send(self, text: str, pieces: int = 1) -> None:
        """One text message, in so many fragments."""
        data = text.encode()
        size = max(-(-len(data) // pieces), 1)
        parts = [data[i : i + size] for i in range(0, len(data), size)] or [b""]
        for i, part in enumerate(parts):
            self.send_frame(TEXT if i == 0 else CONTINUATION, part, fin=i == len(parts) - 1)

    def send_frame(self, opcode: int, data: bytes, fin: bool = True, masked: bool = True) -> None:
        self.socket.sendall(frame(opcode, data, fin, masked))

    def send_close(self, code: int = 1000, reason: str = "") -> None:
        self.send_frame(CLOSE, struct.pack("!H", code) + reason.encode())

    # Receiving

    def _receive(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError as e:
            raise Closed(None, str(e)) from e
        if not data:
            raise Closed(None)
        self._received += data

    def _take(self, size: int) -> bytes:
        while len(self._received) < size:
            self._receive()
        data, self._received = self._received[:size], self._received[size:]
        return data

    def receive_frame(self) -> tuple[int, bytes, bool, bool]:
        """Opcode, data, whether it is the last of its message, whether it is compressed."""
        first, second = self._take(2)
        size = second & 0x7F
        assert not second & 0x80, "a server does not mask"
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        return first & 15, self._take(size), bool(first & 0x80), bool(first & 0x40)

    def receive_text(self) -> str:
        """The next message; raises Closed at the end."""
        data = b""
        is_compressed = False
        while True:
            opcode, part, fin, rsv1 = self.receive_frame()
            if opcode == PING:
                self.send_frame(PONG, part)
            elif opcode == PONG:
                self.pongs.append(part)
            elif opcode == CLOSE:
                code = struct.unpack("!H", part[:2])[0] if part else 1005
                raise Closed(code, part[2:].decode())
            else:
                is_compressed = is_compressed or rsv1
                data += part
                if fin:
                    break
        if is_compressed:
            self.compressed_messages += 1
            data = self._inflate.decompress(data + b"\x00\x00\xff\xff")
        return data.decode()

    def receive(self) -> dict[str, Any]:
        return json.loads(self.receive_text())

    def ask(self, sql: str) -> dict[str, Any]:
        self.send(sql)
        return self.receive()

    def expect_close(self) -> Closed:
        """How the server ends it; messages before are skipped."""
        while True:
            try:
                self.receive_text()
            except Closed as closed:
                return closed

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def frame(opcode: int, data: bytes, fin: bool = True, masked: bool = True) -> bytes:
    """A client's frame."""
    head = bytes([opcode | (0x80 if fin else 0)])
    flag = 0x80 if masked else 0
    if len(data) < 126:
        head += bytes([flag | len(data)])
    elif len(data) < 1 << 16:
        head += bytes([flag | 126]) + struct.pack("!H", len(data))
    else:
        head += bytes([flag | 127]) + struct.pack("!Q", len(data))
    if not masked:
        return head + data
    key = os.urandom(4)
    stream = (key * (len(data) // 4 + 1))[: len(data)]
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
    return head + key + mixed.to_bytes(len(data), "big")
