// Connections that break, servers that die and come back, and those that let nobody in.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { connect } from "pubsubsql";
import { Link } from "./link.js";
import { cli, Server, waitFor } from "./server.js";

const reconnect = { firstDelay: 10, maxDelay: 50 };

function folderFor(t) {
  const folder = mkdtempSync(join(tmpdir(), "pubsubsql-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function connectedWithData(t, options) {
  const server = await Server.start(t, "--data", folderFor(t));
  const db = connect(server.url, { reconnect, ...options });
  t.after(() => db.close());
  return { server, db };
}

test("subscriptions come back after a crash", async (t) => {
  const { server, db } = await connectedWithData(t);
  await db.query("insert into stocks (ticker, bid) values (IBM, 120), (SAP, 98)");
  const stocks = db.subscribe("subscribe * from stocks where bid > ?", [50], { resume: false });
  assert.equal((await stocks.next()).value.rows, 2);
  await server.kill();
  await waitFor(() => db.state === "connecting");
  assert.equal(stocks.rows.size, 2);
  await server.start();
  assert.equal((await stocks.next()).value.reason, "reconnect");
  const again = (await stocks.next()).value;
  assert.deepEqual([again.action, again.rows], ["add", 2]);
  await db.query("delete from stocks where ticker = SAP");
  assert.equal((await stocks.next()).value.action, "delete");
  assert.deepEqual([...stocks.rows.values()].map((row) => row.ticker), ["IBM"]);
});

async function take(subscription, count) {
  const events = [];
  while (events.length < count) events.push((await subscription.next()).value);
  return events.map(({ action, reason, data }) => [action, reason, ...data.flat()]);
}

test("a subscription goes on where it was", async (t) => {
  const { server, db: writer } = await connectedWithData(t);
  const link = await Link.to(t, server.port);
  const db = connect(link.url, { reconnect });
  t.after(() => db.close());
  await writer.query("insert into stocks (ticker, bid) values (IBM, 120), (SAP, 98)");
  const stocks = db.subscribe("subscribe ticker, bid from stocks where bid > ?", [100]);
  await stocks.loaded;
  assert.deepEqual(stocks.rows.size, 1);

  link.cut();
  await waitFor(() => db.state === "connecting");
  await writer.query("update stocks set bid = ? where ticker = ?", [101, "SAP"]);
  await writer.query("update stocks set bid = 122 where ticker = IBM");
  await writer.query("insert into stocks (ticker, bid) values (GE, 60), (GM, 160)");
  await writer.query("delete from stocks where ticker = IBM");
  link.mend();
  const missed = [
    ["add", undefined, "1", "SAP", "101"],
    ["update", undefined, "0", "122"],
    ["insert", undefined, "3", "GM", "160"],
    ["delete", undefined, "0", "IBM", "122"],
  ];
  assert.deepEqual(await take(stocks, 5), [["add", undefined, "0", "IBM", "120"], ...missed]);
  assert.deepEqual([...stocks.rows.keys()], ["1", "3"]);

  const { position } = stocks;
  await server.kill();
  await server.start();
  await writer.query("update stocks set bid = 161 where ticker = GM");
  assert.deepEqual(await take(stocks, 1), [["update", undefined, "3", "161"]]);
  const later = writer.subscribe("subscribe * from stocks", null, { since: position });
  assert.deepEqual(await take(later, 1), [["update", undefined, "3", "161"]]);
  const gone = writer.subscribe("subscribe * from stocks", null, { since: 1 });
  assert.deepEqual((await take(gone, 1))[0], ["reset", "resync"]);
  await gone.loaded;
  assert.equal(gone.rows.size, 3);
});

test("what was under way fails, and what comes later waits", async (t) => {
  const { server, db } = await connectedWithData(t);
  const other = connect(server.url, { reconnect });
  t.after(() => other.close());
  await db.query("insert into t (a) values (1)");
  await other.query("begin");
  await other.query("update t set a = 2");
  const blocked = db.query("update t set a = a + 10");
  await server.kill();
  await assert.rejects(blocked, { kind: "connection_lost" });
  const waiting = db.query("select a from t");
  await assert.rejects(db.query("select 1", null, { timeout: 10 }), { kind: "timeout", message: /no connection/ });
  await server.start();
  assert.deepEqual((await waiting).data, [["1"]]);
});

test("a transaction does not go on after its connection", async (t) => {
  const { server, db } = await connectedWithData(t);
  await db.query("insert into t (a) values (1)");
  await db.query("begin");
  await db.query("update t set a = 2");
  await server.kill();
  await waitFor(() => db.state === "connecting");
  await server.start();
  await assert.rejects(db.query("insert into t (a) values (3)"), { kind: "transaction_lost" });
  await assert.rejects(db.query("commit"), { kind: "transaction_lost" });
  assert.deepEqual((await db.query("select a from t")).data, [["1"]]);
});

test("nor does one that was begun by execute immediate", async (t) => {
  const { server, db } = await connectedWithData(t);
  await db.query("execute immediate 'begin'");
  await server.kill();
  await waitFor(() => db.state === "connecting");
  await server.start();
  const insertion = db.query("execute immediate 'insert into t (a) values (?)' using 1");
  await assert.rejects(insertion, { kind: "transaction_lost" });
  await db.query("execute immediate 'rollback'");
  assert.deepEqual((await db.query("select 1")).data, [["1"]]);
});

test("without reconnecting", async (t) => {
  const { server, db } = await connectedWithData(t, { reconnect: false });
  const subscription = db.subscribe("subscribe * from t", null, { resume: false });
  await subscription.ready;
  await server.kill();
  await assert.rejects(subscription.next(), { kind: "connection_lost" });
  assert.equal(db.state, "closed");
  await assert.rejects(db.query("select 1"), { kind: "connection_lost" });
});

test("stopping the server", async (t) => {
  const { server, db } = await connectedWithData(t);
  assert.equal((await db.query("stop")).action, "stop");
  assert.equal(await server.wait(), 0);
});

test("closing", async (t) => {
  const states = [];
  const { db } = await connectedWithData(t, { onstate: (state, error) => states.push([state, error]) });
  const subscription = db.subscribe("subscribe * from t", null, { resume: false });
  await subscription.ready;
  const next = subscription.next();
  const query = db.query("select 1");
  db.close();
  db.close();
  await assert.rejects(query, { kind: "closed" });
  assert.deepEqual(await next, { done: true, value: undefined });
  await assert.rejects(db.query("select 1"), { kind: "closed" });
  await assert.rejects(db.subscribe("subscribe * from t").ready, { kind: "closed" });
  await subscription.unsubscribe();
  assert.deepEqual(states, [["open", undefined], ["closed", undefined]]);
});

test("closing before it is open", async (t) => {
  const server = await Server.start(t);
  const db = connect(server.url);
  const query = db.query("select 1");
  db.close();
  await assert.rejects(query, { kind: "closed" });
});

test("an address that is none", () => {
  for (const url of ["http://localhost/ws", "localhost", ""]) assert.throws(() => connect(url), { kind: "usage" });
});

/** Somebody who listens and says `answer`, or nothing; with the connections there were. */
async function stranger(t, answer) {
  const sockets = [];
  const listener = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    if (answer) socket.once("data", () => socket.end(answer));
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    listener.close();
  });
  return { sockets, url: `ws://127.0.0.1:${listener.address().port}/ws` };
}

function firstFailure(url, options) {
  return new Promise((resolve) => {
    const onstate = (_, error) => {
      db.close();
      resolve(error);
    };
    const db = connect(url, { ...options, reconnect, onstate });
  });
}

test("peers that are no server", async (t) => {
  const silent = await stranger(t);
  const late = await firstFailure(silent.url, { connectTimeout: 20 });
  assert.deepEqual([late.kind, /no answer within 20 ms/.test(late.message)], ["cannot_connect", true]);
  const web = await stranger(t, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
  assert.equal((await firstFailure(web.url)).kind, "cannot_connect");
  const mute = await stranger(t, "SSH-2.0\r\n");
  assert.equal((await firstFailure(mute.url)).kind, "cannot_connect");
});

test("a server that falls silent is given up", async (t) => {
  const { server, db } = await connectedWithData(t, { heartbeat: 250, timeout: 250 });
  await waitFor(() => db.state === "open");
  server.signal("SIGSTOP");
  // Some of its threads may go on for a moment.
  const untilSilent = async () => {
    for (;;) await db.query("select 1", null, { timeout: 0 });
  };
  await assert.rejects(untilSilent(), { kind: "connection_lost", message: /nothing was heard/ });
  server.signal("SIGCONT");
  await waitFor(() => db.state === "open");
});

test("users", async (t) => {
  const users = join(folderFor(t), "users");
  execFileSync(cli, ["user", "add", "--file", users, "--admin", "root"], { input: "it's secret\n", stdio: "pipe" });
  appendFileSync(users, "grant all on * to 'root'\n");
  const server = await Server.start(t, "--users", users);

  const wrong = connect(server.url, { user: "root", password: "wrong" });
  await assert.rejects(wrong.query("select 1"), { kind: "refused", code: 1045 });
  assert.equal(wrong.state, "closed");

  const stranger = connect(server.url);
  await assert.rejects(stranger.query("select 1"), { kind: "refused", code: 1045 });
  stranger.close();

  const db = connect(server.url, { user: "root", password: "it's secret", reconnect });
  t.after(() => db.close());
  const rows = db.subscribe("subscribe * from t", null, { resume: false });
  assert.deepEqual((await db.query("select current_user()")).data, [["root"]]);
  await server.kill();
  await server.start();
  assert.equal((await rows.next()).value.action, "reset");
  assert.deepEqual((await db.query("select current_user()")).data, [["root"]]);
});

test("TLS", async (t) => {
  const folder = folderFor(t);
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  execFileSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
  ], { stdio: "pipe" });
  chmodSync(key, 0o600);
  const server = await Server.start(t, "--tls-cert", certificate, "--tls-key", key);
  const url = server.url.replace("ws:", "wss:");
  const db = connect(url, { tls: { ca: readFileSync(certificate) } });
  t.after(() => db.close());
  assert.deepEqual((await db.query("select 1")).data, [["1"]]);
  const failure = await firstFailure(url, { tls: {} });
  assert.deepEqual([failure.kind, /certificate/.test(failure.message)], ["cannot_connect", true]);
});
