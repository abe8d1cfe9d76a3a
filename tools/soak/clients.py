"""Clients that come back however often they are cut off."""

import random
import socket
import struct
import threading
import time
from typing import Any

from harness.wire import Closed, Connection, FramedConnection, TextConnection
from machines import Machines
from rows import OUTAGE
from world import World

DEADLOCK = 1213
TOO_LONG = "the transaction took longer than"
STOPPING = "the connection ends, so its transaction was rolled back"
RETRY_S = 0.02
BREATH_S = 0.02  # between batches at most, so that subscribers in Python can follow


class Client(threading.Thread):
    """Runs `session` again and again, each time with a new connection. Named for the histories."""

    def __init__(self, world: World, machines: Machines, name: str, seed: int):
        super().__init__(name=name, daemon=True)
        self.world = world
        self.machines = machines
        self.choose = random.Random(f"{seed} {name}")

    def session(self, client: Connection) -> None:
        """Works until it is to stand still or stop; a connection that is lost is an OSError or Closed."""
        raise NotImplementedError

    def between(self) -> None:
        """Called where no connection is open."""
        self.world.checkpoint()

    def connect(self, text: bool = False) -> Connection:
        port = self.machines.clients.port if self.choose.random() < 0.5 else self.machines.port
        if port is None:
            raise ConnectionRefusedError
        return TextConnection(port) if text else FramedConnection(port)

    def breathe(self) -> None:
        time.sleep(self.choose.random() * BREATH_S)

    def run(self) -> None:
        while not self.world.stopping.is_set():
            self.between()
            try:
                with self.connect() as client:
                    self.session(client)
            except TimeoutError:
                self.world.violate(f"{self.name} waits for an answer that does not come")
            except (Closed, OSError):
                self.world.count("disconnections")
                time.sleep(RETRY_S)
            except AssertionError as failure:
                self.world.violate(f"{self.name}: {failure}")
            except Exception as failure:  # noqa: BLE001
                self.world.violate(f"{self.name} cannot go on: {failure!r}")


def vanish(client: Connection) -> None:
    """Ends a connection with a reset, with no word of farewell."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def is_expected(reply: dict[str, Any]) -> bool:
    """Whether an error is one that the faults of this run may lead to."""
    return reply.get("code") == DEADLOCK or any(text in reply["msg"] for text in (OUTAGE, TOO_LONG, STOPPING))


class TransactionFailed(Exception):
    """One statement of a transaction was refused; `reply` is the answer, and nothing of it remains."""

    def __init__(self, reply: dict[str, Any]):
        super().__init__(reply)
        self.reply = reply


def transact(client: FramedConnection, statements: list[str]) -> list[dict[str, Any]]:
    """Asks them one by one between `begin` and `commit`. `CommitUnknown` when only the answer to `commit` is missing."""
    replies = []
    for statement in ["begin", *statements]:
        reply = client.ask(statement)
        if reply["status"] == "err":
            client.ask("rollback")
            raise TransactionFailed(reply)
        replies.append(reply)
    try:
        reply = client.ask("commit")
    except TimeoutError:
        raise
    except (Closed, OSError) as lost:
        raise CommitUnknown from lost
    if reply["status"] == "err":
        raise TransactionFailed(reply)
    return replies[1:]


class CommitUnknown(Closed):
    """The connection was lost between `commit` and its answer."""

