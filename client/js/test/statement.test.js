// What the client reads in statements, and how values become JSON.

import assert from "node:assert/strict";
import test from "node:test";
import { encodeBody } from "../lib/request.js";
import { clauseIndex, describeSubscription, preparedVerbOf, unsubscribeStatement, verbOf } from "../lib/statement.js";

const shapes = [
  ["subscribe * from t", "t", undefined],
  ["SUBSCRIBE skip * FROM t where a = 'from x'", "t", undefined],
  ["subscribe a, b from `a ``b` where c = it's", "a `b", undefined],
  ["subscribe skip from t", "t", undefined],
  ["subscribe skip from from t", "t", undefined],
  ["subscribe from from t", "t", undefined],
  ["subscribe a, from from t;", "t", undefined],
  ["/* from x */ subscribe -- from y\n *from größe", "größe", undefined],
  ["subscribe a, count(*) from t group by a", "t", 1],
  ["subscribe a, substring(b from 2), sum(c) from t where a in (1, 2) group by a, substring(b from 2) on slow drop", "t", 2],
  ["subscribe a from t group by concat(a, b), c", "t", 2],
  ["subscribe count(*), max(a) from t", "t", 0],
  ["subscribe * from t order by a, b limit 3", "t", undefined],
  ["subscribe * from t where a = 'x group by b'", "t", undefined],
  ["subscribe", undefined, undefined],
  ["subscribe * from", undefined, undefined],
  ["", undefined, undefined],
];

test("subscriptions", () => {
  for (const [sql, table, groupColumns] of shapes) {
    const found = describeSubscription(sql);
    assert.deepEqual([found.table, found.groupColumns], [table, groupColumns], sql);
    for (let end = 0; end < sql.length; ++end) describeSubscription(sql.slice(0, end));
  }
});

const starts = [
  ["subscribe * from t", false, false],
  ["subscribe SKIP * from t With\nSEQ;", true, true],
  ["subscribe skip from t since 5 as x", false, true],
  ["subscribe skip, a from t", false, false],
  ["subscribe skip from from t since ?", true, true],
  ["subscribe * from t as s", false, true],
  ["subscribe skip * from t where a = 1 AS `a b`;", true, true],
  ["subscribe a as b from t", false, false],
  ["subscribe * from t where a = 'with seq' and with = 'since 5'", false, false],
];

test("where subscriptions begin", () => {
  for (const [sql, skips, positioned] of starts) {
    const found = describeSubscription(sql);
    assert.deepEqual([found.skips, found.positioned], [skips, positioned], sql);
  }
});

test("where one more clause goes", () => {
  for (const [sql, clause] of [
    ["subscribe * from t", ""],
    ["subscribe * from t;", ";"],
    ["subscribe * from t where a = x ; ; -- b", " ; ; -- b"],
    ["subscribe * from t where a = 'x;';", ";"],
    ["subscribe * from `t;`", ""],
    ["subscribe * from t where (a = 1) /* x */", " /* x */"],
  ]) {
    assert.equal(sql.slice(clauseIndex(sql)), clause, sql);
  }
});

const verbs = [
  ["Select 1", "select"],
  ["  -- x\n/* y */begin;", "begin"],
  ["", ""],
  ["'a'", ""],
  ["execute immediate 'begin'", "begin"],
  ["Execute/**/IMMEDIATE'-- it''s\n Subscribe * from t' using 1", "subscribe"],
  ["execute immediate", ""],
  ["execute immediate using 'begin'", ""],
  ["execute begin", "execute"],
  ["prepare p from 'begin'", "prepare"],
  ["stream execute immediate 'begin'", "stream"],
];

const preparedVerbs = [
  ["prepare p from 'begin'", "begin"],
  ["Prepare`a ``from`from'/* x */ Commit'", "commit"],
  ["prepare größe_1 /* x */ from -- y\n 'insert into t (a) values (?)'", "insert"],
  ["prepare p from", ""],
  ["prepare", ""],
  ["execute immediate 'begin'", ""],
];

test("verbs", () => {
  for (const [sql, verb] of verbs) assert.equal(verbOf(sql), verb, sql);
  for (const [sql, verb] of preparedVerbs) assert.equal(preparedVerbOf(sql), verb, sql);
});

test("made statements", () => {
  assert.equal(unsubscribeStatement("a`b", "7"), "unsubscribe from `a``b` where pubsubid = 7");
});

test("values", () => {
  const values = ['it\'s "x"\n\0', 0.1, 10n ** 30n, true, null, new Date(0)];
  const expected = '"it\'s \\"x\\"\\n\\u0000",0.1,1000000000000000000000000000000,true,null,"1970-01-01 00:00:00.000"';
  assert.equal(encodeBody("select ?", values), `"sql":"select ?","values":[${expected}]}`);
  assert.equal(encodeBody("select 1"), '"sql":"select 1"}');
  for (const value of [NaN, Infinity, undefined, {}, [], new Date(NaN), () => {}]) {
    assert.throws(() => encodeBody("select ?", [value]), { kind: "usage" });
  }
  assert.throws(() => encodeBody("select ?", "x"), { kind: "usage" });
  assert.throws(() => encodeBody(7), { kind: "usage" });
});
