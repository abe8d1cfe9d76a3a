"""Random schemas and statements that mean the same to PubSubSQL and to MySQL.

Where a lone word would be a text to one and a column to the other, columns stand in backquotes and expressions in
parentheses. Results are ordered as far as they are to be compared in order.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

NUMBER, TEXT, DAY, TIME, LABEL = "number", "text", "day", "time", "label"


class Type(NamedTuple):
    sql: str
    kind: str
    valid: list[str]
    invalid: list[str]


DAYS = ["'2026-01-31'", "'2024-02-29'", "'1999-12-31'", "'2026-07-04'"]
MOMENTS = ["'2026-01-31 23:59:59'", "'2024-02-29 00:00:00'", "'2026-07-04 12:30:45.678912'", "'2038-01-01 01:02:03'"]
NO_DAYS = ["'2026-02-30'", "'soon'", "''", "'2026-13-01'", "-1", "'0000-00-00'"]

TYPES = [
    Type("tinyint", NUMBER, ["0", "1", "-128", "127", "'5'", "2.5"], ["128", "-129", "'x'", "'5x'", "''", "1e3"]),
    Type("tinyint unsigned", NUMBER, ["0", "1", "255", "'7'"], ["256", "-1", "'1 2'"]),
    Type("smallint", NUMBER, ["0", "-32768", "32767", "12"], ["32768", "'abc'"]),
    Type("mediumint", NUMBER, ["0", "-8388608", "99"], ["8388608"]),
    Type("int", NUMBER, ["0", "1", "2", "3", "-7", "2147483647", "'12'", "1.4", "-1.5", "1e2"], ["2147483648", "'1.5.5'"]),
    Type("int unsigned", NUMBER, ["0", "3", "4294967295"], ["-1", "4294967296"]),
    Type("bigint", NUMBER, ["0", "9223372036854775807", "-9223372036854775808", "17"], ["9223372036854775808", "1e30"]),
    Type("bigint unsigned", NUMBER, ["0", "18446744073709551615", "17"], ["18446744073709551616", "-1"]),
    Type("decimal(8,2)", NUMBER, ["0", "1.5", "-2.345", "999999.99", "'3.14159'", "1e2"], ["1000000", "'1,5'", "'x'"]),
    Type("decimal(30,10)", NUMBER, ["0.0000000001", "-12345678901234567890.5", "2"], ["1e25", "'nan'"]),
    Type("decimal(5,0)", NUMBER, ["0", "1.5", "2.5", "-99999"], ["100000", "99999.5"]),
    Type("double", NUMBER, ["0", "1.5", "-0.1", "1e300", "1e-5", "123456789.125", "1e15", "'2.5'"], ["'1e400'", "'x'"]),
    Type("float", NUMBER, ["0", "1.5", "0.1", "3e5", "-2.25"], ["1e39", "'1f'"]),
    Type("boolean", NUMBER, ["true", "false", "0", "1", "5"], ["300", "'yes'"]),
    Type("year", NUMBER, ["2026", "1999", "70", "'69'", "0"], ["1800", "'x'", "3000"]),
    Type("char(5)", TEXT, ["'abc'", "'b'", "''", "'x  '", "'grün'", "'A'", "12"], ["'abcdef'", "123456"]),
    Type("varchar(8)", TEXT, ["'abc'", "'b'", "''", "'x '", "'%a_'", "'10'", "'9'", "'-1.5e1'", "'Ab'", "7"], ["'abcdefghi'"]),
    Type("varchar(30)", TEXT, ["'a long text of words'", "'2026-01-31'", "'12abc'", "'é'", "'1e3'"], []),
    Type("text", TEXT, ["'text'", "''", "'Some text, longer'", "'3'"], []),
    Type("tinytext", TEXT, ["'t'", "'u v'"], ["'" + "z" * 256 + "'"]),
    Type("date", DAY, [*DAYS, "'20260315'", "20260316", "'2026-1-2'", "'26-03-04'"], NO_DAYS),
    Type("datetime", DAY, [*DAYS, *MOMENTS, "20260315101112"], [*NO_DAYS, "'2026-01-01 25:00:00'"]),
    Type("datetime(3)", DAY, [*MOMENTS, "'2026-01-01 00:00:00.9996'"], NO_DAYS),
    Type("timestamp", DAY, MOMENTS[:3], ["'1960-01-01'", "'soon'"]),
    Type("time", TIME, ["'10:11:12'", "'-01:00:00'", "'838:59:59'", "'1 02:03:04'", "101112", "'10:20'"], ["'x'", "'10:60:00'"]),
    Type("time(2)", TIME, ["'10:11:12.345'", "'00:00:00.01'"], ["'noon'"]),
    Type("enum('new','done','b,c')", LABEL, ["'new'", "'done'", "'b,c'", "1"], ["'old'", "0", "4", "''"]),
    Type("set('x','y','z')", LABEL, ["'x'", "'z,x'", "''", "'y,y'"], ["'w'", "'x,w'"]),
]


class Column(NamedTuple):
    name: str
    type: Type
    nullable: bool
    default: str | None


class Table:
    """A table of random columns; `n` is its primary key, which every insert gives."""

    def __init__(self, name: str, r: random.Random):
        self.name = name
        self.columns = [Column("n", Type("int", NUMBER, [], []), False, None)]
        for i, t in enumerate(r.sample(TYPES, r.randint(5, 9))):
            nullable = r.random() < 0.7
            default = r.choice(t.valid) if r.random() < 0.3 and t.kind != LABEL and "text" not in t.sql else None
            self.columns.append(Column(f"c{i}", t, nullable, default))
        self.last_number = 0
        self.extra: list[str] = []
        short = [c for c in self.columns[1:] if "text" not in c.type.sql]
        if r.random() < 0.5:
            self.extra.append(f"unique u1 (`{r.choice(short).name}`, `n`)")
        self.unique = None
        if r.random() < 0.4:
            self.unique = r.choice([c for c in short if len(c.type.valid) > 3] or short)
            self.extra.append(f"unique u2 (`{self.unique.name}`)")
        if r.random() < 0.6:
            self.extra.append("index i1 (" + ", ".join(f"`{c.name}`" for c in r.sample(short, min(2, len(short)))) + ")")

    def create(self) -> str:
        parts = ["`n` int not null primary key"]
        for c in self.columns[1:]:
            null = "null" if c.nullable else "not null"
            parts.append(f"`{c.name}` {c.type.sql} {null}" + (f" default {c.default}" if c.default else ""))
        return f"create table `{self.name}` ({', '.join(parts + self.extra)})"

    def names(self) -> str:
        return ", ".join(f"`{c.name}`" for c in self.columns)


class Generator:
    def __init__(self, seed: int, tables: list[Table]):
        self.r = random.Random(seed)
        self.tables = tables
        self.table = tables[0]

    # Expressions, as they stand where a word is a column

    def column(self, kind: str | None = None) -> str:
        fitting = [c for c in self.table.columns if kind is None or c.type.kind == kind]
        return f"`{self.r.choice(fitting).name}`" if fitting else self.literal(kind or TEXT)

    def literal(self, kind: str) -> str:
        r = self.r
        if r.random() < 0.05:
            return "(null)"
        if kind == NUMBER:
            return r.choice(["0", "1", "2", "3", "7", "10", "1.5", "0.25", "2.50", "100", "1e1", "12345678901", "99.995"])
        if kind == DAY:
            return r.choice(DAYS + MOMENTS)
        if kind == TIME:
            return r.choice(["'10:11:12'", "'00:00:01.5'", "'-02:30:00'"])
        return r.choice(["'abc'", "'b'", "''", "'x'", "'10'", "'2.5'", "'new'", "'Ab'", "'grün'", "'%'", "'12abc'"])

    def kind(self) -> str:
        return self.r.choices([NUMBER, TEXT, DAY, TIME, LABEL], [8, 5, 4, 1, 1])[0]

    def expression(self, depth: int, kind: str | None = None) -> str:
        """An operand: in parentheses, or one that needs none."""
        kind = kind or self.kind()
        r = self.r
        if r.random() < 0.04:
            kind = r.choice([NUMBER, TEXT])
        if depth <= 0 or r.random() < 0.3:
            return self.column(kind) if r.random() < 0.65 else self.literal(kind)
        made = {NUMBER: self.number, DAY: self.day}.get(kind, self.text)(depth - 1)
        return made if made.endswith(")") and not made.startswith("(") and " " not in made.split("(")[0] else f"({made})"

    def number(self, depth: int) -> str:
        r = self.r
        a, b = (self.expression(depth, NUMBER) for _ in range(2))
        text, day = self.expression(depth, TEXT), self.expression(depth, DAY)
        small = r.randint(-2, 4)
        choices: list[Callable[[], str]] = [
            lambda: f"{a} {r.choice(['+', '-', '*', '/', 'div', '%', 'mod'])} {b}",
            lambda: f"{a} {r.choice(['+', '-', '*', '/'])} {b}",
            lambda: f"- {a}",
            lambda: f"{r.choice(['abs', 'sign', 'floor', 'ceil', 'round', 'sqrt'])}({a})",
            lambda: f"{r.choice(['round', 'truncate'])}({a}, {small})",
            lambda: f"{r.choice(['mod', 'power'])}({a}, {r.choice(['2', '3', '0', b])})",
            lambda: f"{r.choice(['length', 'char_length'])}({text})",
            lambda: f"{r.choice(['locate', 'instr'])}({text}, {self.expression(depth, TEXT)})",
            lambda: f"{r.choice(['coalesce', 'ifnull', 'nullif'])}({a}, {b})",
            lambda: f"if({self.predicate(depth)}, {a}, {b})",
            lambda: f"{r.choice(['greatest', 'least'])}({a}, {b})",
            lambda: f"{r.choice(['year', 'month', 'day', 'weekday', 'dayofweek', 'dayofyear', 'quarter'])}({day})",
            lambda: f"{r.choice(['hour', 'minute', 'second', 'microsecond', 'unix_timestamp'])}({day})",
            lambda: f"datediff({day}, {self.expression(depth, DAY)})",
            lambda: f"timestampdiff({r.choice(['second', 'hour', 'day', 'month', 'year', 'week'])}, {day}, {self.expression(depth, DAY)})",
            lambda: f"isnull({text})",
            lambda: self.predicate(depth),
        ]
        return r.choice(choices)()

    def text(self, depth: int) -> str:
        r = self.r
        a, b = (self.expression(depth, TEXT) for _ in range(2))
        n = r.randint(-2, 4)
        choices: list[Callable[[], str]] = [
            lambda: f"{a} || {b}",
            lambda: f"concat({a}, {self.expression(depth)})",
            lambda: f"concat_ws('-', {a}, {self.expression(depth)}, {b})",
            lambda: f"{r.choice(['upper', 'lower', 'trim', 'ltrim', 'rtrim'])}({a})",
            lambda: f"{r.choice(['left', 'right', 'substring'])}({a}, {n})",
            lambda: f"substring({a}, {n}, {r.randint(-1, 4)})",
            lambda: f"replace({a}, {b}, 'q')",
            lambda: f"{r.choice(['coalesce', 'ifnull', 'nullif'])}({a}, {b})",
            lambda: f"coalesce({self.expression(depth)}, {a})",
            lambda: f"if({self.predicate(depth)}, {a}, {b})",
            lambda: f"{r.choice(['greatest', 'least'])}({a}, {b})",
        ]
        return r.choice(choices)()

    def day(self, depth: int) -> str:
        r = self.r
        a, b = (self.expression(depth, DAY) for _ in range(2))
        unit = r.choice(["second", "minute", "hour", "day", "week", "month", "quarter", "year"])
        amount = r.choice(["1", "2", "40", "1000", self.expression(depth, NUMBER)])
        choices: list[Callable[[], str]] = [
            lambda: f"{r.choice(['date_add', 'date_sub'])}({a}, interval {amount} {unit})",
            lambda: f"{a} {r.choice('+-')} interval {amount} {unit}",
            lambda: f"{r.choice(['date', 'last_day'])}({a})",
            lambda: f"{r.choice(['coalesce', 'ifnull', 'nullif'])}({a}, {b})",
            lambda: f"if({self.predicate(depth)}, {a}, {b})",
            lambda: f"{r.choice(['greatest', 'least'])}({a}, {b})",
            lambda: f"from_unixtime({r.choice(['0', '1000000000', '1.5'])})",
        ]
        return r.choice(choices)()

    # Predicates

    def operand(self, depth: int, kind: str, left: str) -> str:
        """What stands on the right of `left`: anything in parentheses, a text, or a number by itself beside a column of
        numbers."""
        if self.r.random() < 0.5:
            found = self.literal(kind)
            beside_number = any(left == f"`{c.name}`" and c.type.kind == NUMBER for c in self.table.columns)
            return found if found.startswith("'") or beside_number else f"({found})"
        return f"({self.expression(depth, kind)})"

    def predicate(self, depth: int) -> str:
        r = self.r
        kind = self.kind()
        if depth > 0 and r.random() < 0.4:
            a, b = self.predicate(depth - 1), self.predicate(depth - 1)
            return r.choice([f"({a}) and ({b})", f"({a}) or ({b})", f"not ({a})", f"({a}) xor ({b})", f"({a}) and ({b})"])
        a = self.expression(depth - 1, kind)
        b = self.operand(depth - 1, kind, a)
        choices: list[Callable[[], str]] = [
            lambda: f"{a} {r.choice(['=', '<>', '!=', '<', '<=', '>', '>=', '<=>'])} {b}",
            lambda: f"{a} {r.choice(['=', '<', '>', '>='])} {b}",
            lambda: f"{a} is {r.choice(['null', 'not null'])}",
            lambda: f"{a} {r.choice(['', 'not '])}between {b} and {self.operand(depth - 1, kind, a)}",
            lambda: f"{a} {r.choice(['', 'not '])}in ({', '.join(self.operand(0, kind, a) for _ in range(r.randint(1, 3)))})",
            lambda: f"{self.expression(depth - 1, TEXT)} {r.choice(['', 'not '])}like {r.choice(self.PATTERNS)}",
            lambda: f"({self.expression(depth - 1, NUMBER)}) is {r.choice(['true', 'not true', 'false', 'not false'])}",
        ]
        return r.choice(choices)()

    PATTERNS = ["'a%'", "'%b%'", "'_'", "'%'", "''", "'1%'", "'%\\%%'", "'a!_%' escape '!'", "'__c'", "'%0%'", "'A%'"]

    def where(self, depth: int = 2) -> str:
        if self.r.random() < 0.15:
            return ""
        if self.r.random() < 0.08:
            return " where " + self.subquery_predicate()
        return " where " + self.predicate(self.r.randint(0, depth))

    def subquery_predicate(self) -> str:
        r = self.r
        outer, other = self.table, r.choice(self.tables)
        left = self.column(NUMBER)
        self.table = other
        inner = self.column(NUMBER)
        condition = self.predicate(0)
        self.table = outer
        return r.choice([
            f"{left} in (select {inner} from `{other.name}` where {condition})",
            f"{left} not in (select {inner} from `{other.name}` where {condition})",
            f"{left} {r.choice(['=', '<', '>='])} (select {r.choice(['min', 'max'])}({inner}) from `{other.name}` where {condition})",
        ])  # fmt: skip

    # Statements

    def value(self, c: Column, invalid: float) -> str:
        r = self.r
        chance = r.random()
        if chance < 0.12:
            return "null" if c.nullable or r.random() < invalid else r.choice(c.type.valid)
        if chance < 0.12 + invalid and c.type.invalid:
            return r.choice(c.type.invalid)
        if chance > 0.96 and (c.default or c.nullable):
            return "default"
        return r.choice(c.type.valid)

    def row(self, columns: list[Column], invalid: float) -> str:
        t = self.table
        values = []
        for c in columns:
            if c.name != "n":
                values.append(self.value(c, invalid))
            elif t.last_number and self.r.random() < 0.15:
                values.append(str(self.r.randint(1, t.last_number)))
            else:
                t.last_number += 1
                values.append(str(t.last_number))
        return f"({', '.join(values)})"

    def assignments(self, computed: float, offers: bool = False) -> str:
        r = self.r
        out = []
        for c in r.sample(self.table.columns[1:], r.randint(1, 2)):
            if offers and r.random() < 0.4:
                out.append(f"`{c.name}` = (values(`{c.name}`))")
            elif r.random() < computed:
                out.append(f"`{c.name}` = ({self.expression(2, c.type.kind)})")
            else:
                out.append(f"`{c.name}` = {self.value(c, 0.1)}")
        return ", ".join(out)

    def insert(self) -> str:
        r, t = self.r, self.table
        needed = [c for c in t.columns if c.name == "n" or (not c.nullable and c.default is None)]
        columns = [c for c in t.columns if c in needed or r.random() < 0.8]
        if r.random() < 0.04:
            columns = [c for c in columns if c.name == "n" or r.random() < 0.8]
        names = ", ".join(f"`{c.name}`" for c in columns)
        form = r.choices(["insert", "insert ignore", "replace", "update", "select"], [8, 1, 2, 2, 1])[0]
        invalid = 0.0 if form == "insert ignore" else 0.02
        if form == "select":
            t.last_number += 1
            chosen = ", ".join(str(t.last_number) if c.name == "n" else f"`{c.name}`" for c in columns)
            return f"insert into `{t.name}` ({names}) select {chosen} from `{t.name}`{self.where(1)} order by `n` limit 1"
        rows = ", ".join(self.row(columns, invalid) for _ in range(r.choice([1, 1, 2, 3])))
        if form == "update":
            return f"insert into `{t.name}` ({names}) values {rows} on duplicate key update {self.assignments(0.3, True)}"
        return f"{form} into `{t.name}` ({names}) values {rows}"

    def update(self) -> str:
        r, t = self.r, self.table
        tail = f" order by {self.column()}, `n` limit {r.randint(1, 4)}" if r.random() < 0.5 else ""
        where = self.where() if r.random() < 0.6 else f" where `n` = {r.randint(1, t.last_number + 1)}"
        return f"update `{t.name}` set {self.assignments(0.6)}{where}{tail}"

    def delete(self) -> str:
        r, t = self.r, self.table
        return f"delete from `{t.name}`{self.where()} order by {self.column()} {r.choice(['asc', 'desc'])}, `n` limit {r.randint(1, 3)}"

    def select(self) -> str:
        r, t = self.r, self.table
        form = r.random()
        if form < 0.35:
            return self.rows_of_expressions()
        if form < 0.5:
            return self.grouped()
        if form < 0.55:
            return f"select distinct {self.column()}, {self.expression(1)} from `{t.name}`{self.where(1)}"
        if form < 0.65:
            direction = r.choice(["", " desc"])
            return f"select `n` from `{t.name}`{self.where(1)} order by {self.expression(1)}{direction}, `n` limit {r.randint(0, 9)} offset {r.randint(0, 4)}"
        return f"select {t.names()} from `{t.name}`{self.where()} order by `n`"

    def rows_of_expressions(self) -> str:
        made = ", ".join(self.expression(self.r.randint(1, 2)) for _ in range(self.r.randint(1, 2)))
        return f"select `n`, {made} from `{self.table.name}`{self.where(1)} order by `n`"

    def aggregate(self) -> str:
        r = self.r
        a = self.expression(1, r.choice([NUMBER, NUMBER, NUMBER, TEXT, DAY]))
        n = self.expression(1, NUMBER)
        return r.choice(["count(*)", f"count({a})", f"sum({n})", f"min({a})", f"max({a})", f"avg({n})", f"count(distinct {a})"])

    def grouped(self) -> str:
        r, t = self.r, self.table
        where = self.where(1)
        if r.random() < 0.4:
            return f"select {self.aggregate()}, {self.aggregate()} from `{t.name}`{where}"
        key = self.column() if r.random() < 0.6 else self.expression(1)
        having = f" having {self.aggregate()} {r.choice(['>', '<', '>='])} {r.choice(['(1)', '(2)', '(3)'])}" if r.random() < 0.3 else ""
        return f"select {key}, {self.aggregate()}, {self.aggregate()} from `{t.name}`{where} group by {key}{having}"

    def statement(self) -> str:
        self.table = self.r.choice(self.tables)
        made = self.r.choices([self.insert, self.update, self.delete, self.select], [20, 14, 3, 63])[0]
        return made()
