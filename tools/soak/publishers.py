"""Publishers: each changes rows of its own in all row tables, and knows what they must be."""

import json
from typing import Any, NamedTuple

from clients import Client, CommitUnknown, TransactionFailed, is_expected, transact
from harness.wire import Closed, FramedConnection, frame
from machines import Machines
from rows import Change, Name, Rows, State
from world import World

TABLES = ["r0", "r1", "r2", "r3"]
DECLARED = "r2"
ADOPTED = "r3"  # MySQL had it before the server, and computes a column of it
UNDECLARED = [t for t in TABLES if t not in (DECLARED, ADOPTED)]
GROUPS = 5
ROWS_MAX = 60  # of a publisher in a table


class Statement(NamedTuple):
    """A statement and what it does when it succeeds, or the rows that it reads."""

    text: str
    changes: list[Change]
    reads: list[Name] = []


class Publisher(Client):
    def __init__(self, world: World, machines: Machines, number: int, ids: "Ids"):
        super().__init__(world, machines, f"p{number}", world.seed)
        self.ids = ids
        self.rows = Rows(world, self.name)
        self.made = 0

    def session(self, client: FramedConnection) -> None:
        while not self.world.pausing():
            self.breathe()
            dice = self.choose.random()
            if dice < 0.25:
                self.transaction(client)
            elif dice < 0.3:
                self.given_up(client)
            else:
                self.batch(client, self.choose.choice([1, 1, 5, 30]))

    # What it says

    def value(self) -> str:
        self.made += 1
        return f"{self.name}.{self.made}" + "." * self.choose.choice([0, 0, 0, 0, 50, 300])

    def group(self) -> str:
        return str(self.choose.randrange(GROUPS))

    def inserted(self, table: str, taken: set[Name]) -> Name:
        gone = [n for n in self.rows.names(table, False) if n not in taken]
        if gone and self.choose.random() < 0.4:
            return self.choose.choice(gone)
        self.made += 1
        return Name(table, f"{self.name}-{self.made}")

    def insert(self, table: str, taken: set[Name]) -> Statement:
        names = {self.inserted(table, taken) for _ in range(self.choose.choice([1, 1, 1, 3]))}
        changes = [Change(n, "insert", self.group(), self.value()) for n in sorted(names)]
        values = ", ".join(f"({c.row.key}, {self.name}, {c.g}, 1, {c.v})" for c in changes)
        verb = "push front into" if table in UNDECLARED and self.choose.random() < 0.15 else "insert into"
        return Statement(f"{verb} {table} (k, owner, g, n, v) values {values} returning id, v", changes)

    def update(self, table: str, names: list[Name]) -> Statement:
        keys = ", ".join(n.key for n in names)
        if self.choose.random() < 0.3:
            touches = [Change(n, "touch") for n in names]
            return Statement(f"update {table} set n = n + 1 where k in ({keys})", touches)
        g, v = self.group(), self.value()
        changes = [Change(n, "update", g, v) for n in names]
        return Statement(f"update {table} set n = n + 1, g = {g}, v = {v} where k in ({keys})", changes)

    def select(self, table: str, names: list[Name]) -> Statement:
        keys = ", ".join(n.key for n in names)
        return Statement(f"select k, n, g, v from {table} where k in ({keys})", [], names)

    def statement(self, taken: set[Name]) -> Statement:
        """About rows that no other statement under way changes: these are `taken`."""
        table = self.choose.choice(TABLES)
        there = [n for n in self.rows.names(table, True) if n not in taken]
        dice = self.choose.random()
        if not there or (dice < 0.3 and len(there) < ROWS_MAX):
            return self.insert(table, taken)
        if dice < 0.75:
            return self.update(table, self.choose.sample(there, min(len(there), self.choose.choice([1, 1, 1, 4]))))
        if dice < 0.85:
            return self.select(table, self.choose.sample(there, min(len(there), 3)))
        name = self.choose.choice(there)
        return Statement(f"delete from {table} where k = {name.key}", [Change(name, "delete")])

    def follow_up(self, chained: list[Name]) -> Statement:
        """About a row that earlier statements of the batch change, each by itself."""
        name = self.choose.choice(chained)
        dice = self.choose.random()
        if dice < 0.6:
            return self.update(name.table, [name])
        if dice < 0.9:
            return self.select(name.table, [name])
        return Statement(f"delete from {name.table} where k = {name.key}", [Change(name, "delete")])

    # What becomes of it

    def statements(self, count: int) -> list[Statement]:
        made: list[Statement] = []
        taken: set[Name] = set()
        chained: list[Name] = []
        for _ in range(count):
            if chained and self.choose.random() < 0.4:
                made.append(self.follow_up(chained))
                continue
            made.append(self.statement(taken))
            taken |= {c.row for c in made[-1].changes}
            if len(made[-1].changes) == 1:
                chained.append(made[-1].changes[0].row)
        return made

    def batch(self, client: FramedConnection, count: int) -> None:
        statements = self.statements(count)
        answered = 0
        try:
            first = client.last_id + 1
            client.last_id += count
            client.socket.sendall(b"".join(frame(first + i, s.text) for i, s in enumerate(statements)))
            while answered < count:
                number, text = client.read_message()
                assert number == first + answered, f"a reply out of order: {number} {text}"
                self.answer(statements[answered], json.loads(text))
                answered += 1
        except (Closed, OSError):
            for s in statements[answered:]:
                self.unanswered(s.changes)
            self.world.count("unanswered", count - answered)
            raise
        finally:
            self.world.count("statements", answered)

    def unanswered(self, changes: list[Change]) -> None:
        if len(changes) == 1:
            self.rows.unanswered(changes[0])
        elif changes:
            self.rows.unanswered_together(changes)

    def refused(self, changes: list[Change], reply: dict[str, Any]) -> None:
        assert is_expected(reply), reply
        self.world.count("refused")
        if len(changes) == 1:
            self.rows.refused(changes[0], reply["msg"])
        elif changes:
            self.rows.refused_together(changes, reply["msg"])

    def answer(self, statement: Statement, reply: dict[str, Any]) -> None:
        if reply["status"] == "err":
            self.refused(statement.changes, reply)
        elif statement.reads:
            self.compare(statement, reply)
        else:
            self.changed(statement, reply)

    def changed(self, statement: Statement, reply: dict[str, Any]) -> None:
        rows = [self.rows.rows[c.row] for c in statement.changes]
        if all(len(r.possible) == 1 for r in rows):
            expected = sum(c.kind == "insert" or r.state() is not None for c, r in zip(statement.changes, rows))
            if reply["rows"] != expected:
                self.world.violate(f"{statement.text}: {reply}", [h for r in rows for h in r.history])
        self.world.count("changes")
        for change in statement.changes:
            self.rows.made(change)
        for number, v in reply.get("data", []):
            self.ids.inserted(statement.changes[0].row.table, int(number), v)

    def compare(self, statement: Statement, reply: dict[str, Any]) -> None:
        """Replies come in the order of the statements, so it is the state after all that was answered before."""
        found = {row[0]: State(int(row[1]), row[2], row[3]) for row in reply["data"]}
        for name in statement.reads:
            row = self.rows.rows[name]
            if len(row.possible) == 1 and found.get(name.key) != row.state():
                self.world.violate(f"{name}: read {found.get(name.key)}, but it is {row.state()}", row.history)

    def transaction(self, client: FramedConnection) -> None:
        statements = self.several()
        changes = [c for s in statements for c in s.changes]
        try:
            replies = transact(client, [s.text for s in statements])
        except CommitUnknown:
            self.rows.unanswered_together(changes)
            raise
        except TransactionFailed as failure:
            assert is_expected(failure.reply), failure.reply
            self.world.count("refused")
            self.rows.refused_together(changes, failure.reply["msg"])
            return
        for statement, reply in zip(statements, replies):
            self.changed(statement, reply)
        self.world.count("transactions")

    def given_up(self, client: FramedConnection) -> None:
        """A transaction that is rolled back: nothing of it remains, which the next reads will tell."""
        for text in ["begin", *(s.text for s in self.several()), "rollback"]:
            reply = client.ask(text)
            assert reply["status"] == "ok" or is_expected(reply), f"{text}: {reply}"
            if reply["status"] == "err":
                client.ask("rollback")
                return

    def several(self) -> list[Statement]:
        """Each about other rows, and none that only reads."""
        statements: list[Statement] = []
        taken: set[Name] = set()
        for _ in range(self.choose.randint(2, 5)):
            made = self.statement(taken)
            taken |= {c.row for c in made.changes}
            if made.changes:
                statements.append(made)
        return statements


class Ids:
    """No id is given twice, and each is above those of the last quiet point."""

    def __init__(self, world: World):
        self.world = world
        self.given: dict[tuple[str, int], str] = {}
        self.top: dict[str, int] = {}

    def inserted(self, table: str, number: int, v: str) -> None:
        """`v` is of one insert alone, so it tells whether two are meant."""
        before = self.given.setdefault((table, number), v)
        if before != v:
            self.world.violate(f"{table}: id {number} was given to {before[:20]} and to {v[:20]}")
        if number <= self.top.get(table, -1):
            self.world.violate(f"{table}: id {number} of {v[:20]} is not above {self.top[table]}, given before")

    def quiet(self) -> None:
        for (table, number), _ in self.given.items():
            self.top[table] = max(self.top.get(table, -1), number)
        self.given.clear()
