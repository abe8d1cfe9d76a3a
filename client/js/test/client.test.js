// The client with the real server.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect, PubSubSqlError } from "pubsubsql";
import { Server } from "./server.js";

async function connected(t, options) {
  const server = await Server.start(t);
  const db = connect(server.url, options);
  t.after(() => db.close());
  return db;
}

async function take(subscription, count) {
  const events = [];
  while (events.length < count) events.push((await subscription.next()).value);
  return events;
}

test("values are bound, whatever they hold", async (t) => {
  const db = await connected(t);
  const values = [
    ["it's; -- \"'x", "it's; -- \"'x"],
    ["größe \u{1f600}\n\0", "größe \u{1f600}\n\0"],
    ["?", "?"],
    ["", ""],
    [null, null],
    [7, "7"],
    [-2.5, "-2.5"],
    [12345678901234567890n, "12345678901234567890"],
    [true, "1"],
    [new Date(Date.UTC(2026, 0, 31, 12)), "2026-01-31 12:00:00.000"],
  ];
  for (const [value, expected] of values) {
    await db.query("insert into v (a, b) values (?, 'is it ?')", [value]);
    const result = await db.query("select a, b from v where a <=> ?", [value]);
    assert.deepEqual(result.data, [[expected, "is it ?"]]);
    await db.query("delete from v");
  }
});

test("results", async (t) => {
  const db = await connected(t);
  assert.equal((await db.query("insert into r (a, b) values (1, null), (2, x)")).rows, 2);
  const result = await db.query("select a, b from r");
  assert.deepEqual([result.action, result.columns, result.rows], ["select", ["a", "b"], 2]);
  assert.deepEqual(result.objects(), [{ a: "1", b: null }, { a: "2", b: "x" }]);
  assert.deepEqual((await db.query("select a from r where a = 9")).objects(), []);
  assert.ok((await db.query("status")).connections >= 1);
});

test("a result of 100,000 rows", async (t) => {
  const db = await connected(t);
  const expected = Array.from({ length: 100_000 }, (_, i) => [String(i), `ü${i}`]);
  const chunks = [];
  for (let i = 0; i < expected.length; i += 1_000) {
    const values = expected.slice(i, i + 1_000).map(([n, text]) => `(${n}, ${text})`);
    chunks.push(db.query(`insert into many (n, text) values ${values.join(", ")}`));
  }
  await Promise.all(chunks);
  const result = await db.query("select n, text from many");
  assert.equal(result.rows, expected.length);
  assert.deepEqual(result.data, expected);
});

test("refusals tell why and where", async (t) => {
  const db = await connected(t);
  await assert.rejects(db.query("insert into größe valus (1)"), (error) => {
    assert.ok(error instanceof PubSubSqlError);
    assert.deepEqual([error.kind, error.offset, error.index], ["refused", 20, 18]);
    return true;
  });
  await db.query("insert into known (a) values (1)");
  await assert.rejects(db.query("select nothing + 1 from known"), { code: 1054, sqlstate: "42S22" });
  await assert.rejects(db.query("select ?, ?", [1]), { kind: "refused" });
  for (const sql of ["subscribe * from t", "stream insert into t (a) values (1)", "close", "unsubscribe from t"]) {
    for (const form of [sql, `execute immediate '${sql}'`, `prepare p from '${sql}'`]) {
      await assert.rejects(db.query(form), { kind: "usage" });
    }
  }
  const message = "`begin` cannot be prepared with this client; send it by itself";
  await assert.rejects(db.query("prepare p from 'begin'"), { kind: "usage", message });
  for (const value of [NaN, undefined, {}, [1], Symbol("x")]) {
    await assert.rejects(db.query("select ?", [value]), { kind: "usage" });
  }
});

test("many queries at a time are answered each with its own", async (t) => {
  const db = await connected(t);
  const answers = await Promise.all(Array.from({ length: 5_000 }, (_, i) => db.query(`select ${i}`)));
  answers.forEach((answer, i) => assert.equal(answer.data[0][0], String(i)));
});

test("giving up leaves the connection usable", async (t) => {
  const server = await Server.start(t);
  const [db, other] = [connect(server.url), connect(server.url)];
  t.after(() => [db, other].forEach((each) => each.close()));
  await other.query("insert into locked (a) values (1)");
  await other.query("begin");
  await other.query("update locked set a = 2");
  await assert.rejects(db.query("select * from locked", null, { timeout: 20 }), { kind: "timeout" });
  const controller = new AbortController();
  const given = db.query("select * from locked", null, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(given, { message: "enough" });
  await assert.rejects(db.query("select 1", null, { signal: AbortSignal.abort() }), { name: "AbortError" });
  await other.query("commit");
  assert.deepEqual((await db.query("select a from locked")).data, [["2"]]);
});

test("a subscription has events and rows", async (t) => {
  const db = await connected(t);
  await db.query("insert into stocks (ticker, bid) values (IBM, 120), (SAP, 98)");
  const stocks = db.subscribe("subscribe * from stocks where bid > ?", [100]);
  assert.equal((await stocks.ready).table, "stocks");
  await db.query("update stocks set bid = 101 where ticker = SAP");
  await db.query("update stocks set bid = 102 where ticker = SAP");
  await db.query("update stocks set bid = 1 where ticker = IBM");
  await db.query("insert into stocks (ticker, bid) values (GE, 200)");
  await db.query("delete from stocks where ticker = GE");
  const seen = await take(stocks, 6);
  assert.deepEqual(seen.map((event) => event.action), ["add", "add", "update", "remove", "insert", "delete"]);
  assert.deepEqual(seen[0].objects(), [{ id: "0", ticker: "IBM", bid: "120" }]);
  assert.deepEqual([...stocks.rows], [["1", { id: "1", ticker: "SAP", bid: "102" }]]);
  await stocks.unsubscribe();
  assert.deepEqual(await stocks.next(), { done: true, value: undefined });
});

test("leaving the loop unsubscribes", async (t) => {
  const db = await connected(t);
  await db.query("insert into t (a) values (1)");
  for await (const event of db.subscribe("subscribe * from t")) {
    assert.equal(event.action, "add");
    assert.equal((await db.query("show subscriptions")).rows, 1);
    break;
  }
  assert.equal((await db.query("show subscriptions")).rows, 0);
});

test("groups are told by their columns", async (t) => {
  const db = await connected(t);
  await db.query("insert into sales (region, product, amount) values (N, a, 1), (N, b, 2), (S, a, 4)");
  const groups = db.subscribe("subscribe region, product, sum(amount) as s from sales group by region, product");
  await groups.ready;
  await db.query("update sales set amount = 8 where region = S");
  await db.query("delete from sales where product = b");
  while (groups.rows.size !== 2) await groups.next();
  assert.deepEqual([...groups.rows].map(([key, row]) => [key, row.s]), [['["N","a"]', "1"], ['["S","a"]', "8"]]);
});

test("rows that a column `id` does not tell apart", async (t) => {
  const db = await connected(t);
  await db.query("create table parts (id varchar(5), name varchar(5) primary key)");
  await db.query("insert into parts (id, name) values ('a', 'nut'), ('a', 'bolt')");
  const byId = db.subscribe("subscribe * from parts");
  await assert.rejects(byId.next(), { kind: "usage", message: /two rows have the same id, a; .*`key`/ });
  assert.deepEqual([(await byId.next()).done, byId.ended], [true, true]);
  const byName = db.subscribe("subscribe * from parts", null, { key: "name" });
  assert.equal((await byName.next()).value.rows, 2);
  assert.deepEqual([...byName.rows.keys()], ["nut", "bolt"]);
  const events = db.subscribe("subscribe * from parts", null, { rows: false });
  assert.equal((await events.next()).value.rows, 2);
});

test("a subscription that is refused", async (t) => {
  const db = await connected(t);
  const refused = db.subscribe("subscribe nothing from t");
  await assert.rejects(refused.ready, { kind: "refused" });
  await assert.rejects(refused.next(), { kind: "refused" });
  assert.deepEqual(await refused.next(), { done: true, value: undefined });
  for (const sql of ["select 1", "execute immediate 'subscribe * from t'"]) {
    assert.throws(() => db.subscribe(sql), { kind: "usage" });
  }
});

test("a slow consumer goes on with the rows there are", async (t) => {
  const db = await connected(t);
  await db.query("insert into counters (name, n) values (a, 0)");
  const slow = db.subscribe("subscribe * from counters", null, { queue: 10 });
  for (let i = 1; i <= 100; ++i) db.query(`update counters set n = ${i} where name = a`);
  await db.query("select 1");
  const seen = [];
  do seen.push((await slow.next()).value);
  while (seen.at(-1).objects()[0]?.n !== "100");
  assert.deepEqual(seen.map(({ action, reason }) => [action, reason]), [["reset", "overflow"], ["add", undefined]]);
});

test("unsubscribing at once", async (t) => {
  const db = await connected(t);
  const subscription = db.subscribe("subscribe * from t");
  await subscription.unsubscribe();
  await assert.rejects(subscription.ready, { kind: "closed" });
  await db.query("insert into t (a) values (1)");
  assert.equal((await db.query("show subscriptions")).rows, 0);
});

test("the example", async (t) => {
  const server = await Server.start(t);
  const example = fileURLToPath(new URL("../examples/quick_start.js", import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [example, server.url]);
  assert.match(stdout, /add SAP 101\n/);
  assert.equal(stderr, "");
});
