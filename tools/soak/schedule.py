"""What is done to the server, to MariaDB and to the network between them, chosen by the seed."""

import contextlib
import random
import subprocess
import signal
from collections.abc import Callable, Iterator

from harness.faults import FAULTS
from harness.mariadb import MariadbError
from link import Link
from machines import Machines
from world import Violation, World


LOST_S = 5  # that the next COMMIT is waited for


class Schedule:
    """One round after the other, each a few seconds with faults of which some overlap. Afterwards all is well again."""

    def __init__(self, world: World, machines: Machines):
        self.world = world
        self.machines = machines
        self.r = random.Random(f"{world.seed} schedule")
        self.mysql_is_away = False
        self.server_has_to_wait = False

    def wait(self, least_s: float, most_s: float) -> None:
        self.world.stopping.wait(self.r.uniform(least_s, most_s))
        self.world.check()
        status = self.machines.ended_by_itself()
        if status is not None:
            raise Violation(f"the server ended by itself with status {status}")

    def round(self) -> None:
        self.wait(0.2, 1)
        if self.machines.mysql and self.r.random() < 0.2:
            self.die_between_stores()
        elif self.machines.mysql and self.r.random() < 0.75:
            with self.mysql_fault():
                self.others(self.r.choice([0, 0, 1, 1, 2]))
                self.wait(0, 1.5)
        else:
            self.others(self.r.choice([1, 1, 2, 3]))
        self.wait(0.1, 0.8)

    def others(self, count: int) -> None:
        for _ in range(count):
            fault = self.r.choice([self.kill, self.kill, self.stop, self.freeze, self.clients, self.clients, self.clients])
            fault()
            self.wait(0, 0.7)

    def die_between_stores(self) -> None:
        """Killed when MySQL has got, or has not got, a COMMIT that nobody else knows of. With a data directory the
        server starts again before MySQL is there."""
        what = self.r.choice(["request", "answer", "both ways", "both ways"])
        self.world.note(f"kill -9 of the server right after a COMMIT whose {what} is lost")
        self.world.count("deaths between the stores")
        self.mysql_is_away = True
        self.machines.commits.lose_commit(what, self.r.choice([0, 1, 5]))
        with contextlib.suppress(AssertionError):
            self.machines.commits.wait_until_lost(LOST_S)
        self.kill()
        self.wait(0, 1)
        self.find_commits()
        self.mysql_is_back()

    # The server

    def kill(self) -> None:
        if self.server_has_to_wait:
            return
        self.world.note("kill -9 of the server")
        self.machines.kill()
        self.start_again()

    def stop(self) -> None:
        if self.server_has_to_wait:
            return
        self.world.note("SIGTERM to the server")
        self.machines.stop()
        self.start_again()

    def start_again(self) -> None:
        self.wait(0, 0.4)
        if self.mysql_is_away and not self.machines.data:
            self.server_has_to_wait = True  # without a data directory it starts only where MySQL is
            return
        if self.r.random() < 0.3:
            self.die_while_starting()
        self.machines.start()
        self.world.note(f"server {self.world.incarnation} is up")

    def die_while_starting(self) -> None:
        server = subprocess.Popen(
            [self.machines.program, "--port", "0", "--http-port", "0", *self.machines.flags()],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.world.incarnation += 1
        self.wait(0, 0.15)
        server.kill()
        server.wait()
        self.world.note("kill -9 of the server while it started")
        self.world.count("kills")

    def freeze(self) -> None:
        if self.server_has_to_wait or self.machines.server is None:
            return
        self.world.note("the server stands still")
        self.machines.server.signal(signal.SIGSTOP)
        try:
            self.wait(0.05, 0.8)
        finally:
            self.machines.server.signal(signal.SIGCONT)

    # The network to the clients

    def clients(self) -> None:
        self.network("clients", self.machines.clients)

    def network(self, name: str, link: Link) -> None:
        share = self.r.choice([0.3, 1.0])
        kind = self.r.choice(["cut", "cut", "stall", "stall", "delay", "refuse", "trickle"])
        ways = self.r.choice(["requests", "answers", "both"])
        self.world.note(f"network of {name}: {kind} {share} {ways if kind in ('stall', 'delay') else ''}")
        self.world.count("cuts")
        if kind == "cut":
            link.cut(share)
        elif kind in ("stall", "delay"):
            link.stall(share, ways)
        elif kind == "refuse":
            link.refuse()
        else:
            link.trickle(self.r.choice([1, 7, 100]))
        try:
            self.wait(0.1, 1)
        finally:
            if kind == "delay":
                link.flow_again()
            link.heal()

    # MySQL

    @contextlib.contextmanager
    def mysql_fault(self) -> Iterator[None]:
        """Within it MySQL is away, or may be."""
        begin, end = self.chosen_mysql_fault()
        self.mysql_is_away = True
        begin()
        try:
            yield
        finally:
            end()
        self.mysql_is_back()

    def mysql_is_back(self) -> None:
        self.mysql_is_away = False
        self.world.note("MySQL is well again")
        if self.server_has_to_wait:
            self.server_has_to_wait = False
            self.machines.start()
            self.world.note(f"server {self.world.incarnation} is up")

    def chosen_mysql_fault(self) -> tuple[Callable[[], object], Callable[[], object]]:
        m = self.machines
        name = self.r.choice(
            ["kill", "kill", "stop", "hang", "hang", "lost commit", "lost commit", "lost commit", "cut", "stall", "refuse"]
            + ["trickle", *(f for f in FAULTS if f not in ("crash", "stop", "hang"))]
        )
        what = self.r.choice(["request", "answer", "both ways"])
        after = self.r.choice([0, 0, 1, 5])
        ways = self.r.choice(["requests", "answers", "both"])
        self.world.note(f"MySQL: {name} {what + f' after {after}' if name == 'lost commit' else ''}{ways if name == 'stall' else ''}")
        self.world.count(f"MySQL {name}")
        link = m.to_mysql
        mine: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "kill": (m.mariadb.kill, m.mariadb.start),
            "stop": (m.mariadb.stop, m.mariadb.start),
            "hang": (m.mariadb.pause, m.mariadb.resume),
            "lost commit": (lambda: m.commits.lose_commit(what, after), self.find_commits),
            "cut": (lambda: link.cut(0.6), link.heal),
            "stall": (lambda: link.stall(1.0, ways), link.heal),
            "refuse": (link.refuse, link.heal),
            "trickle": (lambda: link.trickle(3), link.heal),
        }
        if name in mine:
            return mine[name]
        break_it, mend_it = FAULTS[name]
        return lambda: break_it(m.db), lambda: self.mend(lambda: mend_it(m.db))

    def find_commits(self) -> None:
        """A connection that hangs since its COMMIT was lost both ways would hang on: it is cut."""
        self.machines.commits.disarm()
        self.machines.commits.close()
        self.machines.commits.open()

    def mend(self, mend_it: Callable[[], object]) -> None:
        try:
            mend_it()
        except MariadbError as failure:
            raise Violation(f"MariaDB cannot be mended: {failure}") from None
