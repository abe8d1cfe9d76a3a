// The rows of a subscription, and its queue, as events change them.

import assert from "node:assert/strict";
import test from "node:test";
import { LiveRows } from "../lib/live_rows.js";
import { RowSet } from "../lib/rows.js";
import { Subscription } from "../lib/subscription.js";

function event(action, columns, ...data) {
  return new RowSet({ action, columns, rows: data.length, data });
}

function subscription(options) {
  return new Subscription("subscribe * from t", undefined, options, () => Promise.resolve());
}

test("a message that says nothing of rows has none of its own", () => {
  const reply = new RowSet({ action: "begin" });
  assert.deepEqual([reply.rows, reply.columns, reply.data, Object.keys(reply)], [0, [], [], ["action", "columns", "data"]]);
  assert.deepEqual(Object.keys(new RowSet({ action: "insert", rows: 0 })), ["action", "rows", "columns", "data"]);
});

test("rows by id", () => {
  const rows = new LiveRows(undefined, undefined);
  rows.apply(event("add", ["id", "a", "b"], ["0", "x", null], ["1", "y", "z"]));
  const old = rows.map.get("0");
  rows.apply(event("update", ["id", "b"], ["0", "new"]));
  rows.apply(event("insert", ["id", "a", "b"], ["2", "i", "j"]));
  rows.apply(event("delete", ["id", "a", "b"], ["1", "y", "z"]));
  rows.apply(event("remove", ["id", "a", "b"], ["7", "never", "there"]));
  assert.deepEqual([...rows.map.values()], [{ id: "0", a: "x", b: "new" }, { id: "2", a: "i", b: "j" }]);
  assert.deepEqual(old, { id: "0", a: "x", b: null });
  assert.deepEqual(rows.snapshot(), event("add", ["id", "a", "b"], ["0", "x", "new"], ["2", "i", "j"]));
});

test("a column of any name", () => {
  const rows = new LiveRows(undefined, undefined);
  rows.apply(event("add", ["id", "__proto__", "constructor"], ["0", "x", "y"]));
  rows.apply(event("update", ["id", "__proto__"], ["0", "z"]));
  const row = rows.map.get("0");
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
  assert.deepEqual(Object.entries(row), [["id", "0"], ["__proto__", "z"], ["constructor", "y"]]);
});

test("groups", () => {
  const [byOne, byTwo, single] = [1, 2, 0].map((columns) => new LiveRows(undefined, columns));
  byOne.apply(event("add", ["sector", "n"], [null, "1"], ["null", "2"]));
  byOne.apply(event("update", ["sector", "n"], [null, "5"]));
  assert.deepEqual([...byOne.map].map(([key, row]) => [key, row.n]), [[null, "5"], ["null", "2"]]);
  byTwo.apply(event("add", ["a", "b", "n"], ["x", null, "1"]));
  assert.deepEqual([...byTwo.map.keys()], ['["x",null]']);
  single.apply(event("add", ["count(*)"], ["1"]));
  single.apply(event("update", ["count(*)"], ["2"]));
  assert.deepEqual([...single.map.values()], [{ "count(*)": "2" }]);
});

test("tables that show no id", () => {
  const rows = new LiveRows(["name"], undefined);
  rows.apply(event("add", ["id", "name", "v"], ["i", "x", "1"]));
  rows.apply(event("update", ["name", "v"], ["x", "2"]));
  assert.deepEqual([...rows.map], [["x", { id: "i", name: "x", v: "2" }]]);
  const unknown = new LiveRows(undefined, undefined);
  unknown.apply(event("add", ["id", "name"], ["i", "x"]));
  assert.throws(() => unknown.apply(event("update", ["name"], ["x"])), { kind: "usage", message: /`key`/ });
});

test("rows that have the same key end the subscription", () => {
  for (const action of ["add", "insert"]) {
    const rows = new LiveRows(undefined, undefined);
    rows.apply(event("add", ["id", "v"], ["a", "1"]));
    assert.throws(() => rows.apply(event(action, ["id", "v"], ["a", "2"])), { kind: "usage", message: /same id, a; .*`key`/ });
  }
  const snapshot = new LiveRows(["x", "y"], undefined);
  assert.throws(() => snapshot.apply(event("add", ["x", "y"], ["1", null], ["1", null])), /same x, y, \["1",null\]/);
});

test("a row may come back under its key", () => {
  const rows = new LiveRows(undefined, undefined);
  rows.apply(event("add", ["id"], ["0"], ["1"]));
  rows.apply(event("remove", ["id"], ["0"]));
  rows.apply(event("add", ["id"], ["0"]));
  rows.clear();
  rows.apply(event("add", ["id"], ["0"], ["1"]));
  assert.deepEqual([...rows.map.keys()], ["0", "1"]);
});

test("a slow consumer goes on with the rows there are", async () => {
  const slow = subscription({ queue: 4 });
  slow.confirm({});
  for (let i = 0; i < 5; ++i) slow.take(event("insert", ["id"], [String(i)]));
  slow.take(event("delete", ["id"], ["0"]));
  assert.equal((await slow.next()).value.reason, "overflow");
  slow.take(event("insert", ["id"], ["9"]));
  assert.deepEqual((await slow.next()).value, event("add", ["id"], ["1"], ["2"], ["3"], ["4"]));
  assert.deepEqual((await slow.next()).value, event("insert", ["id"], ["9"]));
  assert.deepEqual([...slow.rows.keys()], ["1", "2", "3", "4", "9"]);
});

test("without rows", async () => {
  const slow = subscription({ queue: 2, rows: false });
  for (let i = 0; i < 3; ++i) slow.take(event("insert", ["id"], [String(i)]));
  assert.equal((await slow.next()).value.action, "reset");
  slow.take(event("insert", ["id"], ["7"]));
  assert.deepEqual((await slow.next()).value.data, [["7"]]);
});

test("a new connection and a gap begin anew", async () => {
  const live = subscription();
  live.confirm({});
  live.take(event("add", ["id"], ["0"]));
  live.confirm({});
  assert.equal(live.rows.size, 0);
  live.take(event("add", ["id"], ["1"]));
  live.take(new RowSet({ action: "gap", lost: 3 }));
  assert.equal(live.rows.size, 0);
  const actions = [];
  while (actions.length < 4) actions.push((await live.next()).value.action);
  assert.deepEqual(actions, ["add", "reset", "add", "gap"]);
});

test("an error comes behind the events", async () => {
  const failed = subscription();
  failed.take(event("add", ["id"], ["0"]));
  failed.finish(new Error("gone"));
  assert.equal((await failed.next()).value.action, "add");
  await assert.rejects(failed.next(), { message: "gone" });
  assert.deepEqual(await failed.next(), { done: true, value: undefined });
});

test("several wait for the next event", async () => {
  const live = subscription();
  const waiting = [live.next(), live.next(), live.next()];
  live.take(event("insert", ["id"], ["0"]));
  live.take(event("insert", ["id"], ["1"]));
  live.finish();
  const answers = await Promise.all(waiting);
  assert.deepEqual(answers.map(({ done, value }) => [done, value?.data[0][0]]), [[false, "0"], [false, "1"], [true, undefined]]);
});
