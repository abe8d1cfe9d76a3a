// The protocol on a socket that is none: batches, errors, limits and silence.

import assert from "node:assert/strict";
import test from "node:test";
import { Connection } from "../lib/connection.js";
import { encodeBody, Request } from "../lib/request.js";

class FakeSocket {
  bufferedAmount = 0;
  sent = [];
  closed = false;

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  receive(message) {
    this.onmessage({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
}

function connection(limits) {
  const socket = new FakeSocket();
  const events = [];
  const ends = [];
  const all = { heartbeat: 0, timeout: 0, pendingMax: 10, replyBytesMax: 1_000, outputBytesMax: 1_000, ...limits };
  const it = new Connection(socket, all, { onevent: (event) => events.push(event), onend: (error) => ends.push(error) });
  return { socket, events, ends, it };
}

function ask(it, sql = "select 1") {
  const promise = new Promise((onresult, onerror) => it.send(new Request(sql, encodeBody(sql), { onresult, onerror })));
  promise.catch(() => {});
  return promise;
}

test("batches of a reply are put together, whatever comes between", async () => {
  const { it, socket, events } = connection();
  const [first, second] = [ask(it), ask(it, "status")];
  assert.deepEqual(socket.sent, [{ id: 1, sql: "select 1" }, { id: 2, sql: "status" }]);
  const batch = { requestid: 1, status: "ok", action: "select", columns: ["id"], rows: 3 };
  socket.receive({ ...batch, fromrow: 1, torow: 2, data: [["0"], [null]] });
  socket.receive({ status: "ok", action: "insert", pubsubid: "4", columns: ["id"], rows: 1, data: [["9"]] });
  socket.receive({ ...batch, fromrow: 3, torow: 3, data: [["ü"]] });
  socket.receive({ requestid: 2, status: "ok", action: "status", n: 5 });
  assert.deepEqual({ ...(await first) }, { action: "select", columns: ["id"], rows: 3, data: [["0"], [null], ["ü"]] });
  assert.equal((await second).n, 5);
  assert.deepEqual(events.map((event) => [event.pubsubid, event.objects()]), [["4", [{ id: "9" }]]]);
});

test("limits", async () => {
  const { it, socket } = connection({ pendingMax: 1, replyBytesMax: 150 });
  const first = ask(it);
  await assert.rejects(ask(it), { kind: "limit", message: /pendingMax/ });
  socket.receive({ requestid: 1, status: "ok", action: "select", columns: ["a"], rows: 2, torow: 1, data: [["x".repeat(150)]] });
  await assert.rejects(first, { kind: "limit", message: /replyBytesMax/ });
  socket.receive({ requestid: 1, status: "ok", action: "select", columns: ["a"], rows: 2, torow: 2, data: [["x"]] });
  socket.bufferedAmount = 1_001;
  await assert.rejects(ask(it), { kind: "limit", message: /outputBytesMax/ });
});

test("what is no protocol ends it", async () => {
  for (const [message, kind] of [["no JSON", "protocol"], [{ status: "err", msg: "too many connections" }, "refused"]]) {
    const { it, socket, ends } = connection();
    const query = ask(it);
    socket.receive(message);
    await assert.rejects(query, { kind });
    assert.deepEqual([socket.closed, ends.length], [true, 1]);
    await assert.rejects(ask(it), { kind: "connection_lost" });
  }
});

test("transactions are noticed", () => {
  const { it, socket } = connection();
  const steps = [
    ["begin", { status: "ok" }, true],
    ["update t set a = 1", { status: "err", code: 1062 }, true],
    ["update t set a = 1", { status: "err", code: 1213 }, false],
    ["start transaction", { status: "ok" }, true],
    ["COMMIT", { status: "err" }, false],
    ["begin", { status: "err" }, false],
  ];
  steps.forEach(([sql, reply, expected], i) => {
    ask(it, sql);
    socket.receive({ requestid: i + 1, msg: "", action: "x", ...reply });
    assert.equal(it.inTransaction, expected, sql);
  });
});

test("silence is asked about, and then taken for death", async () => {
  const silent = connection({ heartbeat: 5 });
  while (silent.ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(silent.socket.sent.map(({ sql }) => sql), ["select 1"]);
  assert.equal(silent.ends[0].kind, "connection_lost");
});

test("a statement that waits longer than others is given its time", async () => {
  const { it, ends, socket } = connection({ heartbeat: 5, timeout: 5 });
  const answer = new Promise((onresult, onerror) => {
    it.send(new Request("pop 1 from q wait 1 minute", encodeBody("x"), { timeout: 60_000, onresult, onerror }));
  });
  await new Promise((resolve) => setTimeout(resolve, 50)); // ten beats
  assert.deepEqual([ends.length, socket.sent.length], [0, 1]);
  socket.receive({ requestid: 1, status: "ok", action: "pop", columns: ["id"], rows: 0, torow: 0, data: [] });
  assert.equal((await answer).rows, 0);
  it.end(new Error("done"));
});
