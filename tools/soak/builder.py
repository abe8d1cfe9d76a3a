"""A client that changes schemas: tables of its own come, get columns and indexes, and go."""

from typing import Any

from clients import Client, is_expected
from harness.wire import Closed, FramedConnection
from machines import Machines
from world import World

TABLES_MAX = 3
DECLARED = "declared"  # in the name of a table that was made by `create table`


class Builder(Client):
    """What became of a statement without an answer is not guessed: such a table is left alone until the next quiet
    point, and is only to be the same everywhere."""

    def __init__(self, world: World, machines: Machines, number: int):
        super().__init__(world, machines, f"b{number}", world.seed)
        self.made = 0
        self.tables: dict[str, dict[str, str]] = {}
        """Values of the column v by k, of tables that are sure."""
        self.left: set[str] = set()
        self.doubted: set[str] = set()
        """All that ever were without an answer, or refused in an outage. MySQL commits each change of a schema by itself, so what it got of one in
        a crash may come to light only when a server loads the table from it."""

    def session(self, client: FramedConnection) -> None:
        while not self.world.pausing():
            self.breathe()
            works = [self.create, self.fill, self.fill, self.widen, self.index, self.drop]
            self.choose.choice(works)(client)

    def ask(self, client: FramedConnection, table: str, statement: str) -> bool:
        """Whether it succeeded. After no answer, or an outage in the middle of it, the table is left alone."""
        known = self.tables.pop(table, None)
        self.left.add(table)
        try:
            reply = client.ask(statement)
        except (Closed, OSError):
            self.doubted.add(table)
            raise
        self.world.count("schema changes")
        if reply["status"] == "err" and not is_expected(reply):
            self.world.violate(f"{self.name}: {statement}: {reply}")
            raise Closed
        if reply["status"] == "err":
            self.doubted.add(table)
            return False
        self.left.discard(table)
        self.tables[table] = known if known is not None else {}
        return True

    def create(self, client: FramedConnection) -> None:
        if len(self.tables) >= TABLES_MAX:
            return
        self.made += 1
        if self.choose.random() < 0.5:
            table = f"{self.name}_{DECLARED}{self.made}"
            columns = "id bigint auto_increment primary key, k varchar(20) unique, v text"
            self.ask(client, table, f"create table {table} ({columns})")
        else:
            table = f"{self.name}_{self.made}"
            self.ask(client, table, f"key {table} k")

    def chosen(self) -> str | None:
        return self.choose.choice([*self.tables]) if self.tables else None

    def fill(self, client: FramedConnection) -> None:
        table = self.chosen()
        if table is None:
            return
        rows = self.tables[table]
        self.made += 1
        key, value = self.choose.choice([f"k{self.made}", *list(rows)[-3:]]), f"v{self.made}"
        upsert = f"insert into {table} (k, v) values ({key}, {value}) on duplicate key update v = {value}"
        if self.ask(client, table, self.choose.choice([upsert, f"replace into {table} (k, v) values ({key}, {value})"])):
            rows[key] = value

    def widen(self, client: FramedConnection) -> None:
        """A column that is new, with a default in all rows, and often away again."""
        table = self.chosen()
        if table is None:
            return
        self.made += 1
        column = f"c{self.made}"
        declared = f" int default {self.made}" if DECLARED in table else ""
        if self.ask(client, table, f"alter table {table} add column {column}{declared}"):
            if self.choose.random() < 0.7:
                self.ask(client, table, f"alter table {table} drop column {column}")

    def index(self, client: FramedConnection) -> None:
        table = self.chosen()
        if table is None or not self.tables[table]:
            return
        self.made += 1
        if self.ask(client, table, f"create index i{self.made} on {table} (k, id)"):
            self.ask(client, table, f"drop index i{self.made} on {table}")

    def drop(self, client: FramedConnection) -> None:
        table = self.chosen()
        if table is None or self.choose.random() < 0.5:
            return
        if self.ask(client, table, f"drop table {table}"):
            del self.tables[table]

    # At quiet points

    def resolve(self, found: dict[str, list[dict[str, Any]]]) -> None:
        """`found`: the rows of all tables that there are."""
        for table, rows in self.tables.items():
            if table not in found:
                self.world.violate(f"{table} is not there, but has {rows}")
                continue
            there = {row["k"]: row["v"] for row in found[table] if row.get("v") is not None}
            if there != rows:
                self.world.violate(f"{table} has {there}, not {rows}")
        known = self.tables.keys() | self.doubted
        for table in found:
            if table.startswith(self.name + "_") and table not in known:
                self.world.violate(f"{table} is there, but was dropped")
        self.world.count("checks", len(self.tables))
        for table in (self.left | self.doubted - self.tables.keys()) & found.keys():
            self.tables[table] = {row["k"]: row["v"] for row in found[table] if row.get("v") is not None}
        self.left.clear()
