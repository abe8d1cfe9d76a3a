"""TLS to the server: over a connection of `wire`, or on a socket by hand, for what an ordinary client does not do."""

import socket
import ssl
from typing import TypeVar

from harness.wire import Connection, deadline_s

AnyConnection = TypeVar("AnyConnection", bound=Connection)


def secured(connection: AnyConnection, context: ssl.SSLContext) -> AnyConnection:
    """The same connection, with TLS on it."""
    connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
    return connection


class TlsByHand:
    """A client whose bytes go through memory, so that they can be cut, changed and left out."""

    def __init__(self, port: int, context: ssl.SSLContext):
        self.socket = socket.create_connection(("127.0.0.1", port), deadline_s(60))
        self.socket.settimeout(deadline_s(60))
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")

    def first_flight(self) -> bytes:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self._out.read()

    def shake_hands(self, piece: int = 1 << 20) -> None:
        while True:
            try:
                self._tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            self.send_wire(self._out.read(), piece)
            if done:
                return
            self._receive()

    def send_wire(self, wire: bytes, piece: int = 1 << 20) -> None:
        for at in range(0, len(wire), piece):
            self.socket.sendall(wire[at : at + piece])

    def encrypted(self, plain: bytes) -> bytes:
        self._tls.write(plain)
        return self._out.read()

    def encrypted_end(self) -> bytes:
        """The bytes that say that no more comes."""
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self._out.read()

    def _receive(self) -> None:
        wire = self.socket.recv(1 << 16)
        if wire:
            self._in.write(wire)
        else:
            self._in.write_eof()

    def read_some(self) -> bytes:
        """What comes next, at least a byte."""
        while True:
            try:
                return self._tls.read(1 << 16)
            except ssl.SSLWantReadError:
                self._receive()

    def read_to_end(self) -> tuple[bytes, bool]:
        """All that still comes, and whether the server said in TLS that this was all."""
        plain = b""
        while True:
            try:
                part = self._tls.read(1 << 16)
                if not part:
                    return plain, True
                plain += part
            except ssl.SSLWantReadError:
                self._receive()
            except ssl.SSLZeroReturnError:
                return plain, True
            except ssl.SSLEOFError:
                return plain, False

    def __enter__(self) -> "TlsByHand":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
