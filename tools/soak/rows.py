"""What may be in the rows of a publisher: exactly one state of each, unless an answer is missing.

A row that an answer is missing for is left alone until the next quiet point, where the server has to show one of the
states that are possible. What one statement or transaction did to several rows must be there wholly or not at all.
"""

import collections
import dataclasses
from typing import NamedTuple

from world import World

OUTAGE = "MySQL is not available"
HISTORY = 30


class State(NamedTuple):
    """The values of a row: its version, which each change raises by one, its group, and what the last change wrote."""

    n: int
    g: str
    v: str


class Name(NamedTuple):
    table: str
    key: str


@dataclasses.dataclass
class Change:
    """What a statement does to one row."""

    row: Name
    kind: str  # insert, update, touch (the version alone), delete
    g: str = ""
    v: str = ""

    def after(self, before: State | None) -> State | None:
        if self.kind == "delete":
            return None
        if self.kind == "insert":
            return State(1, self.g, self.v) if before is None else before
        if before is None:
            return None
        if self.kind == "touch":
            return State(before.n + 1, before.g, before.v)
        return State(before.n + 1, self.g, self.v)


class Row:
    def __init__(self) -> None:
        self.possible: set[State | None] = {None}
        self.ghosts: set[State | None] = set()
        """Possible as well if another server was started since `ghosts_of`: refused, yet MySQL may have got it."""
        self.ghosts_of = 0
        self.history: collections.deque[str] = collections.deque(maxlen=HISTORY)

    def sure(self) -> bool:
        return len(self.possible) == 1 and not self.ghosts

    def state(self) -> State | None:
        return next(iter(self.possible))


@dataclasses.dataclass
class Doubt:
    """Changes that are there together or not at all."""

    rows: dict[Name, tuple[State | None, State | None]]
    what: str


class Rows:
    """Used by one publisher, and by the checks while it stands still."""

    def __init__(self, world: World, owner: str):
        self.world = world
        self.owner = owner
        self.rows: dict[Name, Row] = collections.defaultdict(Row)
        self.doubts: list[Doubt] = []

    def names(self, table: str, there: bool) -> list[Name]:
        """Those that nothing is unsure of."""
        return [n for n, r in self.rows.items() if n.table == table and r.sure() and (r.state() is not None) == there]

    def unsure(self) -> int:
        return sum(not r.sure() for r in self.rows.values())

    def log(self, change: Change, outcome: str) -> None:
        text = f"{self.world.elapsed_s():9.3f} {change.kind} g={change.g} v={change.v[:20]}: {outcome}"
        self.rows[change.row].history.append(text)

    def made(self, change: Change) -> None:
        row = self.rows[change.row]
        row.possible = {change.after(s) for s in row.possible}
        row.ghosts = set()
        self.log(change, "ok")

    def may_come_back(self, message: str) -> bool:
        """Whether MySQL may have what was refused, and keeps it if the server ends before it can take it back."""
        return self.world.stores == "mysql" and OUTAGE in message

    def refused(self, change: Change, message: str) -> None:
        row = self.rows[change.row]
        if self.may_come_back(message):
            row.ghosts_of = row.ghosts_of if row.ghosts else self.world.incarnation
            row.ghosts |= {change.after(s) for s in row.possible | row.ghosts}
        self.log(change, f"refused: {message}")

    def unanswered(self, change: Change) -> None:
        row = self.rows[change.row]
        row.possible = row.possible | {change.after(s) for s in row.possible}
        row.ghosts = row.ghosts | {change.after(s) for s in row.ghosts}
        self.log(change, "no answer")

    def refused_together(self, changes: list[Change], message: str) -> None:
        """The changes of a statement or transaction, about rows that were sure before it."""
        if not self.may_come_back(message):
            for change in changes:
                self.log(change, f"refused: {message}")
            return
        for name, (_, after) in self._together(changes, f"refused: {message}").items():
            row = self.rows[name]
            row.ghosts, row.ghosts_of = {after}, self.world.incarnation

    def unanswered_together(self, changes: list[Change]) -> None:
        for name, states in self._together(changes, "no answer").items():
            self.rows[name].possible = set(states)

    def _together(self, changes: list[Change], outcome: str) -> dict[Name, tuple[State | None, State | None]]:
        together: dict[Name, tuple[State | None, State | None]] = {}
        for change in changes:
            state = self.rows[change.row].state()
            before, now = together.get(change.row, (state, state))
            together[change.row] = (before, change.after(now))
            self.log(change, outcome)
        self.doubts.append(Doubt(together, ", ".join(f"{c.kind} {c.row.table} {c.row.key}" for c in changes)))
        return together

    def resolve(self, found: dict[Name, State]) -> None:
        """Compares with what the server has, which is what is so from now on."""
        for name, row in self.rows.items():
            actual = found.get(name)
            allowed = set(row.possible)
            if row.ghosts and self.world.incarnation > row.ghosts_of:
                allowed |= row.ghosts
            if actual not in allowed:
                text = f"{name.table} {name.key}: found {actual}, possible {sorted(map(str, allowed))}"
                self.world.violate(text, row.history)
        for doubt in self.doubts:
            self._resolve_together(doubt, found)
        self.doubts.clear()
        for name in [*self.rows]:
            row = self.rows[name]
            row.possible, row.ghosts = {found.get(name)}, set()
        self.world.count("checks", len(self.rows))

    def _resolve_together(self, doubt: Doubt, found: dict[Name, State]) -> None:
        changed = {n: after for n, (before, after) in doubt.rows.items() if before != after}
        made = [n for n, after in changed.items() if found.get(n) == after]
        if not made or len(made) == len(changed):
            return
        half = f"{doubt.what} is there by half: {made} of {[*changed]}"
        self.world.violate(half, [line for n in changed for line in [str(n), *self.rows[n].history]])
