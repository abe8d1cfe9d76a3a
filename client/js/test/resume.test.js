// Subscriptions that go on where they were, with a server of which every word is said here.

import assert from "node:assert/strict";
import test from "node:test";
import { connect } from "pubsubsql";
import { ScriptedServer } from "./scripted_server.js";

const url = "ws://scripted/ws";
const reconnect = { firstDelay: 1, maxDelay: 1 };

async function connected(t, options) {
  const server = new ScriptedServer();
  const db = connect(url, { reconnect, heartbeat: 0, WebSocket: server.WebSocket, ...options });
  t.after(() => db.close());
  return { server, db, wire: await server.accept() };
}

function rows(action, seq, ids, more) {
  return { action, pubsubid: "1", seq, columns: ["id"], rows: ids.length, data: ids.map((id) => [id]), ...more };
}

const agreed = { action: "subscribe", pubsubid: "1" };
const end = { snapshot: "end" };

async function take(subscription, count) {
  const events = [];
  while (events.length < count) events.push((await subscription.next()).value);
  return events.map(({ action, reason, seq, data }) => [action, reason ?? seq, ...data.flat()]);
}

test("it goes on behind the last event", async (t) => {
  const { server, db, wire } = await connected(t);
  const live = db.subscribe("subscribe * from t where a = ?; -- all", ["x"]);
  await wire.answer("subscribe * from t where a = ? with seq; -- all", { ...agreed, seq: 7 }, ["x"]);
  assert.equal((await live.ready).position, undefined);
  wire.tell(rows("add", 7, ["0"]));
  wire.tell(rows("add", 7, ["1"], end));
  assert.equal((await live.loaded).position, 7);
  wire.tell(rows("insert", 9, ["2", "3"]));
  wire.cut();
  const second = await server.accept();
  await second.answer("subscribe * from t where a = ? since 9; -- all", { ...agreed, seq: 9 }, ["x"]);
  second.tell(rows("delete", 10, ["0"]));
  second.cut();
  const third = await server.accept();
  await third.answer("subscribe * from t where a = ? since 10; -- all", { ...agreed, seq: 10 }, ["x"]);
  third.tell(rows("insert", 12, ["4"]));
  const expected = [["add", undefined, "0"], ["add", 7, "1"], ["insert", 9, "2", "3"], ["delete", 10, "0"], ["insert", 12, "4"]];
  assert.deepEqual(await take(live, 5), expected);
  assert.deepEqual([[...live.rows.keys()], live.position], [["1", "2", "3", "4"], 12]);
});

test("what the server has no longer is told, and the rows come anew", async (t) => {
  const { server, db, wire } = await connected(t);
  const live = db.subscribe("subscribe * from t");
  await wire.answer("subscribe * from t with seq", { ...agreed, seq: 7 });
  wire.tell(rows("add", 7, ["0"], end));
  await live.loaded;
  wire.cut();
  const second = await server.accept();
  await second.answer("subscribe * from t since 7", { ...agreed, seq: 900, resync: true });
  second.tell(rows("add", 900, ["8"]));
  second.cut(); // in the middle of the rows, from where it cannot go on
  const third = await server.accept();
  await third.answer("subscribe * from t with seq", { ...agreed, seq: 901 });
  third.tell(rows("add", 901, [], end));
  const expected = [["add", 7, "0"], ["reset", "resync"], ["add", undefined, "8"], ["reset", "reconnect"], ["add", 901]];
  assert.deepEqual(await take(live, 5), expected);
  assert.deepEqual([live.rows.size, live.position], [0, 901]);
});

test("beginning behind a position of old", async (t) => {
  const { db, wire } = await connected(t);
  const [on, anew] = [41, 42].map((since) => db.subscribe("subscribe * from t", null, { since }));
  await wire.answer("subscribe * from t since 41", { ...agreed, seq: 41 });
  assert.equal((await on.loaded).position, 41);
  await wire.answer("subscribe * from t since 42", { ...agreed, pubsubid: "2", seq: 50, resync: true });
  wire.tell(rows("add", 50, ["0"], { ...end, pubsubid: "2" }));
  await anew.loaded;
  assert.deepEqual(await take(anew, 2), [["reset", "resync"], ["add", 50, "0"]]);
  for (const since of ["5 as x", -1, 1.5, 2 ** 53, null]) {
    assert.throws(() => db.subscribe("subscribe * from t", null, { since }), { kind: "usage", message: /no position/ });
  }
  for (const sql of ["subscribe * from t with seq;", "subscribe * from t as x since 5"]) {
    assert.throws(() => db.subscribe(sql, null, { resume: true }), { kind: "usage", message: /options/ });
  }
});

test("a subscription without rows at its start is there at once", async (t) => {
  const { server, db, wire } = await connected(t);
  const live = db.subscribe("subscribe skip * from t on slow drop");
  await wire.answer("subscribe skip * from t on slow drop with seq", { ...agreed, seq: 7 });
  assert.equal((await live.loaded).position, 7);
  wire.tell({ action: "gap", pubsubid: "1", lost: 2, seq: 9, columns: [], rows: 0, data: [] });
  wire.cut();
  const second = await server.accept();
  await second.answer("subscribe skip * from t on slow drop since 9", { ...agreed, seq: 30, resync: true });
  assert.deepEqual(await take(live, 2), [["gap", 9], ["reset", "resync"]]);
  assert.equal(live.position, 30);
});

test("behind a gap it goes on once the rows are there again", async (t) => {
  const { server, db, wire } = await connected(t);
  const live = db.subscribe("subscribe * from t on slow drop");
  await wire.answer("subscribe * from t on slow drop with seq", { ...agreed, seq: 7 });
  wire.tell(rows("add", 7, [], end));
  wire.tell({ action: "gap", pubsubid: "1", lost: 2, seq: 9, columns: [], rows: 0, data: [] });
  wire.tell(rows("add", 9, ["1"]));
  assert.equal((await live.loaded).position, undefined);
  wire.cut();
  const second = await server.accept();
  await second.answer("subscribe * from t on slow drop with seq", { ...agreed, seq: 10 });
});

test("a server that knows no positions is asked as before", async (t) => {
  const { server, db, wire } = await connected(t);
  const live = db.subscribe("subscribe * from t");
  const refusal = { status: "err", msg: "expected end of statement, found with at offset 18", offset: 18 };
  await wire.answer("subscribe * from t with seq", refusal);
  await wire.answer("subscribe * from t", agreed);
  await assert.rejects(live.loaded, { kind: "refused", message: /expected end/ });
  wire.tell(rows("add", undefined, ["0"]));
  wire.cut();
  const second = await server.accept();
  await second.answer("subscribe * from t with seq", { ...agreed, seq: 3 }); // it has been updated
  second.tell(rows("add", 3, ["0"], end));
  assert.deepEqual(await take(live, 3), [["add", undefined, "0"], ["reset", "reconnect"], ["add", 3, "0"]]);
  assert.equal(live.position, 3);
});

test("other refusals are told", async (t) => {
  const { db, wire } = await connected(t);
  const refusals = [
    [{ msg: "no such column", offset: 10 }, 10],
    [{ msg: "denied", code: 1142, offset: 20 }, 20],
  ];
  for (const [refusal, index] of refusals) {
    const live = db.subscribe("subscribe * from t");
    await wire.answer("subscribe * from t with seq", { status: "err", ...refusal });
    await assert.rejects(live.ready, { kind: "refused", index });
    await assert.rejects(live.loaded, { kind: "refused", index });
  }
  const twice = db.subscribe("subscribe * from t extra");
  await wire.answer("subscribe * from t extra with seq", { status: "err", msg: "no", offset: 25 });
  await wire.answer("subscribe * from t extra", { status: "err", msg: "found extra", offset: 19 });
  await assert.rejects(twice.ready, { message: "found extra", index: 19 });
});

test("a statement that asks itself is left alone", async (t) => {
  const { db, wire } = await connected(t);
  for (const sql of ["subscribe * from t with seq", "subscribe * from t since 5"]) {
    const live = db.subscribe(sql);
    await wire.answer(sql, { ...agreed, seq: 7 });
    await assert.rejects(live.loaded, { kind: "usage", message: /`resume`/ });
  }
});

test("one with a name goes on where the server says", async (t) => {
  const { server, db, wire } = await connected(t);
  const sql = "subscribe * from t as s";
  const live = db.subscribe(sql);
  await wire.answer(sql, { ...agreed, seq: 7, name: "s" });
  wire.tell(rows("add", 7, ["0"], end));
  wire.cut();
  const second = await server.accept();
  await second.answer(sql, { ...agreed, seq: 7, name: "s", resumed: true });
  second.tell(rows("insert", 8, ["1"]));
  assert.deepEqual(await take(live, 2), [["add", 7, "0"], ["insert", 8, "1"]]);
  assert.deepEqual([...live.rows.keys()], ["0", "1"]);
  second.cut();
  const third = await server.accept();
  await third.answer(sql, { ...agreed, seq: 9, name: "s" });
  assert.deepEqual(await take(live, 1), [["reset", "reconnect"]]);
  third.tell(rows("ended", undefined, [], { msg: "another connection has it" }));
  await assert.rejects(live.next(), { kind: "refused", message: /another connection has it/ });
  third.cut();
  await server.accept();
  assert.equal(live.ended, true);
});

test("without being asked nothing is new", async (t) => {
  const { server, db, wire } = await connected(t, { resume: false });
  const live = db.subscribe("subscribe * from t");
  await wire.answer("subscribe * from t", agreed);
  await assert.rejects(live.loaded, { kind: "usage", message: /`resume`/ });
  wire.tell(rows("add", undefined, ["0"]));
  wire.cut();
  await (await server.accept()).answer("subscribe * from t", agreed);
  assert.deepEqual(await take(live, 2), [["add", undefined, "0"], ["reset", "reconnect"]]);
});

test("what is told once more is no other row", async (t) => {
  const { server, db, wire } = await connected(t);
  const live = db.subscribe("subscribe * from t on slow conflate");
  await wire.answer("subscribe * from t on slow conflate with seq", { ...agreed, seq: 7 });
  wire.tell(rows("add", 7, [], end));
  wire.tell(rows("insert", 7, ["1"]));
  wire.cut();
  const second = await server.accept();
  await second.answer("subscribe * from t on slow conflate since 7", { ...agreed, seq: 7 });
  second.tell(rows("insert", 8, ["1"]));
  assert.deepEqual(await take(live, 3), [["add", 7], ["insert", 7, "1"], ["insert", 8, "1"]]);
  assert.deepEqual([...live.rows.keys()], ["1"]);
});

test("published rows pass by", async (t) => {
  const { db, wire } = await connected(t);
  const live = db.subscribe("subscribe * from t", null, { key: "name" });
  await wire.answer("subscribe * from t with seq", { ...agreed, seq: 7 });
  wire.tell(rows("add", 7, [], end));
  wire.tell(rows("publish", 7, [null]));
  assert.deepEqual(await take(live, 2), [["add", 7], ["publish", 7, null]]);
  assert.equal(live.rows.size, 0);
});

test("a slow consumer learns where the rows are", async (t) => {
  const { db, wire } = await connected(t);
  const live = db.subscribe("subscribe * from t", null, { queue: 3 });
  await wire.answer("subscribe * from t with seq", { ...agreed, seq: 7 });
  wire.tell(rows("add", 7, ["0", "1"], end));
  wire.tell(rows("delete", 9, ["0", "1"]));
  await live.loaded;
  await live.next();
  const { value } = await live.next();
  assert.deepEqual([value.action, value.rows, value.seq, value.snapshot], ["add", 0, 9, "end"]);
});
