import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { view_of, is_numeric } = await load("grid/rows.ts");
const { csv_of, json_of, tabbed } = await load("grid/export.ts");
const { LiveRows } = await load("live/live_rows.ts");
const { definition_of } = await load("live/definition.ts");
const { Rate } = await load("live/rate.ts");

const rows_of = (...values) => values.map((value) => ({ cells: [value] }));
const values_of = (rows) => rows.map((row) => row.cells[0]);
const event = (action, columns, ...data) => ({ action, columns, data, rows: data.length });
const cells_of = (live) => Array.from(live.rows.values(), (row) => row.cells);

test("NULL sorts before numbers, numbers before texts", () => {
  const rows = rows_of("b", "10", null, "9", "a", "-1.5e1");
  const sort = { column: 0, ascending: true };
  assert.deepEqual(values_of(view_of(rows, { filter: "", sort })), [null, "-1.5e1", "9", "10", "a", "b"]);
  assert.deepEqual(values_of(view_of(rows, { filter: "", sort: { column: 0, ascending: false } })), ["b", "a", "10", "9", "-1.5e1", null]);
});

test("a filter is a text in any cell and any case", () => {
  assert.deepEqual(values_of(view_of(rows_of("IBM", null, "bmw", "SAP"), { filter: " bm ", sort: null })), ["IBM", "bmw"]);
});

test("columns of numbers are recognised", () => {
  assert.equal(is_numeric(rows_of("1", null, "-2.50"), 0), true);
  assert.equal(is_numeric(rows_of("1", "x"), 0), false);
  assert.equal(is_numeric(rows_of(null), 0), false);
});

test("CSV tells NULL from an empty text, and quotes", () => {
  assert.equal(csv_of(["a", "b"], [["x,y", null], ['say "hi"', ""]]), 'a,b\r\n"x,y",\r\n"say ""hi""",""\r\n');
});

test("JSON has an object for each row", () => {
  assert.deepEqual(JSON.parse(json_of(["a", "__proto__"], [["1", null]])), JSON.parse('[{"a":"1","__proto__":null}]'));
  assert.equal(json_of(["a"], []), "[]\n");
});

test("a copied row has tabs between its cells only", () => {
  assert.equal(tabbed(["a\tb", null, "c\nd"]), "a b\t\tc d");
});

test("events make rows", () => {
  const live = new LiveRows(undefined);
  live.begin_frame(1_000);
  live.apply(event("add", ["id", "a"], ["1", "x"], ["2", "y"]));
  live.apply(event("update", ["id", "b"], ["2", "new"]));
  live.apply(event("remove", ["id", "a", "b"], ["1", "x", null]));
  assert.deepEqual(live.columns, ["id", "a", "b"]);
  assert.equal(live.size, 1);
  assert.deepEqual(live.counters, { inserted: 2, updated: 1, removed: 1, lost: 0 });
  live.expire(1_699);
  assert.equal(live.rows.size, 2);
  live.expire(1_700);
  assert.deepEqual(cells_of(live), [["2", "y", "new"]]);
});

test("a row that comes back while it fades stays", () => {
  const live = new LiveRows(undefined);
  live.begin_frame(1_000);
  live.apply(event("add", ["id", "a"], ["1", "x"]));
  live.apply(event("delete", ["id", "a"], ["1", "x"]));
  live.apply(event("insert", ["id", "a"], ["1", "y"]));
  live.expire(5_000);
  assert.deepEqual(cells_of(live), [["1", "y"]]);
  assert.equal(live.size, 1);
});

test("what holds a row's cells holds their state", () => {
  const live = new LiveRows(undefined);
  live.apply(event("add", ["id", "a"], ["1", "x"]));
  const { cells } = live.rows.get("1");
  live.apply(event("update", ["id", "a"], ["1", "y"]));
  assert.deepEqual(cells, ["1", "x"]);
});

test("only cells with another value flash", () => {
  const live = new LiveRows(undefined);
  live.begin_frame(500);
  live.apply(event("add", ["id", "a", "b"], ["1", "x", "y"]));
  live.apply(event("update", ["id", "a", "b"], ["1", "x", "z"]));
  assert.deepEqual([...live.rows.get("1").flashed], [[2, 500]]);
});

test("groups are told apart by their first columns", () => {
  const live = new LiveRows(2);
  live.apply(event("add", ["a", "b", "n"], ["1", null, "5"], ["1", "null", "6"]));
  live.apply(event("update", ["a", "b", "n"], ["1", null, "7"]));
  assert.deepEqual(cells_of(live), [["1", null, "7"], ["1", "null", "6"]]);
  const all = new LiveRows(0);
  all.apply(event("add", ["count(*)"], ["1"]));
  all.apply(event("update", ["count(*)"], ["2"]));
  assert.deepEqual(cells_of(all), [["2"]]);
});

test("a gap and a reset begin anew", () => {
  const live = new LiveRows(undefined);
  live.apply(event("add", ["id"], ["1"]));
  live.apply({ ...event("gap", []), lost: 512 });
  assert.equal(live.rows.size, 0);
  assert.equal(live.counters.lost, 512);
  live.apply(event("add", ["id"], ["2"]));
  live.apply(event("reset", []));
  assert.equal(live.size, 0);
});

test("published rows pass by", () => {
  const live = new LiveRows(undefined);
  live.apply(event("add", ["id", "a"], ["1", "x"]));
  live.apply(event("publish", ["id", "a"], ...Array.from({ length: 1_500 }, (_, i) => [null, `p${i}`])));
  assert.equal(live.size, 1_001);
  assert.deepEqual([cells_of(live)[0], cells_of(live)[1], cells_of(live).at(-1)], [["1", "x"], [null, "p500"], [null, "p1499"]]);
  assert.equal(live.counters.inserted, 1_501);
  live.apply(event("reset", []));
  assert.equal(live.rows.size, 0);
});

test("rows that fade are bounded", () => {
  const live = new LiveRows(undefined);
  live.begin_frame(1_000);
  const ids = Array.from({ length: 5_000 }, (_, i) => [String(i)]);
  live.apply(event("add", ["id"], ...ids));
  live.apply(event("delete", ["id"], ...ids));
  assert.equal(live.size, 0);
  assert.equal(live.rows.size, 1_000);
});

const definitions = [
  ["subscribe * from t", undefined, null],
  ["subscribe a, count(*) from t group by a", 1, null],
  ["subscribe a, b, sum(c) from t where x = 'group by z' group by a, b on slow drop", 2, null],
  ["subscribe count(*) from t", 0, null],
  ["subscribe * from t order by bid desc limit 5", undefined, { column: "bid", ascending: false }],
  ["subscribe * from t where a = 'order by x' order by `unit price`, b limit 5", undefined, { column: "unit price", ascending: true }],
  ["subscribe * from t order by a + b limit 5", undefined, null],
];

for (const [sql, group_columns, order] of definitions) {
  test(`definition of ${sql}`, () => assert.deepEqual(definition_of(sql), { group_columns, order }));
}

test("the rate is that of the last seconds", () => {
  const rate = new Rate();
  assert.equal(rate.sample(0, 0), 0);
  assert.equal(rate.sample(500, 500), 1_000);
  for (let at = 1_000; at <= 4_000; at += 500) rate.sample(500, at);
  assert.equal(rate.sample(500, 4_500), 0);
});
