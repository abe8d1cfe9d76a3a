import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { refusal_of, words_of } = await load("refusals.ts");

const refused = [
  ["close", /close the page/],
  ["-- the end\nCLOSE", /close the page/],
  ["unsubscribe from stocks", /Close and unsubscribe/],
  ["stream insert into t (a) values (1)", /Leave out `stream`/],
  ["execute immediate 'subscribe * from stocks'", /by itself/],
  ["execute immediate 'unsubscribe from stocks'", /Close and unsubscribe/],
  ["prepare p from 'subscribe * from stocks'", /`subscribe` cannot be prepared .*by itself/],
  ["prepare p from 'begin'", /`begin` cannot be prepared .*Run it by itself/],
];

const run = ["select 1", "begin", "stop", "prepare p from 'select 1'", "execute p", "select 'close'", ""];

test("what has another place in the console is refused, with what to do", () => {
  for (const [sql, words] of refused) {
    assert.match(refusal_of(sql) ?? "", words, sql);
    assert.doesNotMatch(refusal_of(sql), /\(\)/, sql);
  }
});

test("all else is run", () => {
  for (const sql of run) assert.equal(refusal_of(sql), undefined, sql);
});

test("other errors speak for themselves", () => {
  assert.equal(words_of(new Error("Stopped waiting.")), "Stopped waiting.");
});
