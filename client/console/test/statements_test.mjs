import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { statements_of, first_words, index_of_byte, quoted_name } = await load("statements.ts");

const scripts = [
  ["", []],
  ["select 1", ["select 1"]],
  ["select 1;\n\n select 2 ;", ["select 1", "select 2"]],
  ["select ';' ; x", ["select ';'", "x"]],
  ["insert into t (a) values (it's); y", ["insert into t (a) values (it's)", "y"]],
  ["select 'it''s;'; y", ["select 'it''s;'", "y"]],
  ["select `a;b` from t; y", ["select `a;b` from t", "y"]],
  ["-- a; b\nselect 1; /* ; */ select 2", ["select 1", "select 2"]],
  ["select 1 -- a; b\n, 2; y", ["select 1 -- a; b\n, 2", "y"]],
  ["select 'open; y", ["select 'open; y"]],
  ["/* open; y", []],
];

for (const [script, expected] of scripts) {
  test(`statements of ${JSON.stringify(script)}`, () => {
    const found = statements_of(script);
    assert.deepEqual(found.map((s) => s.text), expected);
    for (const s of found) assert.equal(script.slice(s.from, s.to), s.text);
  });
}

test("the first words of a statement, behind comments", () => {
  assert.deepEqual(first_words("/* x */ Subscribe -- y\n skip * from t", 2), ["subscribe", "skip"]);
  assert.deepEqual(first_words("(select 1)", 1), []);
});

test("a byte of UTF-8 as a place in the text", () => {
  const text = "aü€😀b";
  assert.deepEqual([0, 1, 3, 6, 10, 11, 99].map((byte) => index_of_byte(text, byte)), [0, 1, 2, 3, 5, 6, 6]);
});

test("names are quoted where they have to be", () => {
  assert.deepEqual(["stocks", "größe", "unit price", "a`b", "1a"].map(quoted_name), ["stocks", "größe", "`unit price`", "`a``b`", "`1a`"]);
});
