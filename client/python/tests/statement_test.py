"""What the client reads in statements, and how values become JSON."""

import json
import unittest
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import support  # noqa: F401
from pubsubsql.errors import UsageError
from pubsubsql.statement import (
    auth_statement,
    clause_index,
    prepared_verb_of,
    shape_of,
    unsubscribe_statement,
    verb_of,
)
from pubsubsql.values import encode_statement

SHAPES = [
    ("subscribe * from t", "t", None),
    ("SUBSCRIBE skip * FROM t where a = 'from x'", "t", None),
    ("subscribe a, b from `a ``b` where c = it's", "a `b", None),
    ("subscribe skip from t", "t", None),
    ("subscribe skip from from t", "t", None),
    ("subscribe from from t", "t", None),
    ("subscribe a, from from t;", "t", None),
    ("/* from x */ subscribe -- from y\n *from größe", "größe", None),
    ("subscribe a, count(*) from t group by a", "t", 1),
    ("subscribe a, substring(b from 2), sum(c) from t where a in (1, 2) group by a, substring(b from 2) on slow drop", "t", 2),
    ("subscribe a from t group by concat(a, b), c", "t", 2),
    ("subscribe count(*), max(a) from t", "t", 0),
    ("subscribe * from t order by a, b limit 3", "t", None),
    ("subscribe * from t where a = 'x group by b'", "t", None),
    ("subscribe", None, None),
    ("subscribe * from", None, None),
    ("", None, None),
]

# Whether there are rows at the start, and whether a position is named.
STARTS = [
    ("subscribe * from t", False, False),
    ("subscribe SKIP * from t With\nSEQ;", True, True),
    ("subscribe skip from t since 5 as x", False, True),
    ("subscribe skip, a from t", False, False),
    ("subscribe skip from from t since ?", True, True),
    ("subscribe * from t as s", False, True),
    ("subscribe skip * from t where a = 1 AS `a b`;", True, True),
    ("subscribe a as b from t", False, False),
    ("subscribe * from t where a = 'with seq' and with = 'since 5'", False, False),
]

# A statement, and what stays behind one more clause.
CLAUSES = [
    ("subscribe * from t", ""),
    ("subscribe * from t;", ";"),
    ("subscribe * from t where a = x ; ; -- b", " ; ; -- b"),
    ("subscribe * from t where a = 'x;';", ";"),
    ("subscribe * from `t;`", ""),
    ("subscribe * from t where (a = 1) /* x */", " /* x */"),
]

VERBS = [
    ("Select 1", "select"),
    ("  -- x\n/* y */begin;", "begin"),
    ("", ""),
    ("'a'", ""),
    ("execute immediate 'begin'", "begin"),
    ("Execute/**/IMMEDIATE'-- it''s\n Subscribe * from t' using 1", "subscribe"),
    ("execute immediate", ""),
    ("execute immediate using 'begin'", ""),
    ("execute begin", "execute"),
    ("prepare p from 'begin'", "prepare"),
    ("stream execute immediate 'begin'", "stream"),
]

PREPARED_VERBS = [
    ("prepare p from 'begin'", "begin"),
    ("Prepare`a ``from`from'/* x */ Commit'", "commit"),
    ("prepare größe_1 /* x */ from -- y\n 'insert into t (a) values (?)'", "insert"),
    ("prepare p from", ""),
    ("prepare", ""),
    ("execute immediate 'begin'", ""),
]

VALUES = [
    (None, "null"),
    (True, "true"),
    (7, "7"),
    (10**30, "1" + "0" * 30),
    (0.1, "0.1"),
    (1e300, "1e+300"),
    (Decimal("12.50"), "12.50"),
    ('it\'s "x"\n\0', '"it\'s \\"x\\"\\n\\u0000"'),
    ("größe \U0001f600", '"größe \U0001f600"'),
    (datetime(2026, 1, 31, 12, 30, 5, 250000), '"2026-01-31 12:30:05.250000"'),
    (datetime(2026, 1, 31, 1, tzinfo=timezone(timedelta(hours=2))), '"2026-01-30 23:00:00"'),
    (date(2026, 1, 31), '"2026-01-31"'),
    (time(12, 30), '"12:30:00"'),
]


class Statements(unittest.TestCase):
    def test_shapes(self) -> None:
        for sql, table, groups in SHAPES:
            with self.subTest(sql):
                self.assertEqual(shape_of(sql)[:2], (table, groups))

    def test_where_subscriptions_begin(self) -> None:
        for sql, skips, positioned in STARTS:
            with self.subTest(sql):
                self.assertEqual(shape_of(sql)[2:], (skips, positioned))

    def test_where_one_more_clause_goes(self) -> None:
        for sql, behind in CLAUSES:
            self.assertEqual(sql[clause_index(sql) :], behind, sql)

    def test_every_beginning_of_a_statement_is_read(self) -> None:
        for sql, *_ in SHAPES:
            for end in range(len(sql)):
                shape_of(sql[:end])

    def test_verbs(self) -> None:
        for sql, verb in VERBS:
            self.assertEqual(verb_of(sql), verb, sql)
        for sql, verb in PREPARED_VERBS:
            self.assertEqual(prepared_verb_of(sql), verb, sql)

    def test_made_statements(self) -> None:
        self.assertEqual(unsubscribe_statement("a`b", "7"), "unsubscribe from `a``b` where pubsubid = 7")
        self.assertEqual(auth_statement("o'n", "p'w"), "auth 'o''n' 'p''w'")


class Values(unittest.TestCase):
    def test_encoding(self) -> None:
        for value, expected in VALUES:
            with self.subTest(value=value):
                body = encode_statement("select ?", [value]).decode()
                self.assertEqual(body, '{"sql":"select ?","values":[' + expected + "]}")
                json.loads(body)

    def test_without_values_the_statement_goes_as_it_is(self) -> None:
        self.assertEqual(encode_statement("select 'ü'", None), "select 'ü'".encode())

    def test_what_is_no_value(self) -> None:
        for value in (float("nan"), float("inf"), Decimal("NaN"), b"x", [1], object(), "\ud800"):
            with self.subTest(value=value), self.assertRaises(UsageError):
                encode_statement("select ?", [value])  # type: ignore[list-item]
        with self.assertRaises(UsageError):
            encode_statement("select ?", "x")


if __name__ == "__main__":
    unittest.main()
