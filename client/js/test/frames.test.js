// Frames of RFC 6455, in any pieces, right and wrong.

import assert from "node:assert/strict";
import test from "node:test";
import { encodeFrame, FrameReader, opcodes } from "../lib/frames.js";

/** A frame as a server sends it. */
function frame(opcode, payload, { isFinal = true } = {}) {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(bytes.length < 126 ? 2 : bytes.length < 65536 ? 4 : 10);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = bytes.length < 126 ? bytes.length : bytes.length < 65536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(bytes.length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([head, bytes]);
}

function read(bytes, pieceSize) {
  const messages = [];
  const reader = new FrameReader((opcode, payload) => messages.push([opcode, String(payload)]));
  for (let at = 0; at < bytes.length; at += pieceSize) {
    const problem = reader.read(bytes.subarray(at, at + pieceSize));
    if (problem !== undefined) return { messages, problem };
  }
  return { messages, problem: undefined };
}

test("frames in any pieces", () => {
  const long = "ü".repeat(100);
  const longer = "x".repeat(70_000);
  const bytes = Buffer.concat([
    frame(opcodes.text, "a"),
    frame(opcodes.text, ""),
    frame(opcodes.text, long),
    frame(opcodes.text, Buffer.from("ü").subarray(0, 1), { isFinal: false }),
    frame(opcodes.ping, "p"),
    frame(opcodes.continuation, Buffer.from("ü").subarray(1), { isFinal: false }),
    frame(opcodes.continuation, "!"),
    frame(opcodes.text, longer),
    frame(opcodes.close, "\x03\xe8"),
  ]);
  const expected = [[1, "a"], [1, ""], [1, long], [9, "p"], [1, "ü!"], [1, longer]];
  for (const pieceSize of [1, 2, 3, 1_000, bytes.length]) {
    const { messages, problem } = read(bytes, pieceSize);
    assert.equal(problem, undefined);
    assert.deepEqual(messages.slice(0, 6), expected);
    assert.equal(messages[6][0], opcodes.close);
  }
});

test("frames that are wrong", () => {
  const wrong = [
    [Buffer.from([0xc1, 0]), /RFC 6455/],
    [Buffer.from([0x81, 0x80, 0, 0, 0, 0]), /RFC 6455/],
    [Buffer.from([0x82, 0]), /unknown kind 2/],
    [frame(opcodes.ping, "x", { isFinal: false }), /control frame/],
    [frame(opcodes.ping, "x".repeat(126)), /control frame/],
    [frame(opcodes.continuation, "x"), /order/],
    [Buffer.concat([frame(opcodes.text, "x", { isFinal: false }), frame(opcodes.text, "y")]), /order/],
    [frame(opcodes.text, Buffer.from([0xff])), /UTF-8/],
    [Buffer.from([0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0]), /too long/],
  ];
  for (const [bytes, expected] of wrong) {
    for (const pieceSize of [1, bytes.length]) assert.match(read(bytes, pieceSize).problem, expected);
  }
});

test("what a client sends is masked", () => {
  for (const size of [0, 1, 125, 126, 65_535, 65_536]) {
    const payload = Buffer.alloc(size, "ab");
    const bytes = encodeFrame(opcodes.text, payload);
    const headSize = size < 126 ? 2 : size < 65_536 ? 4 : 10;
    assert.equal(bytes[1] & 0x80, 0x80);
    assert.equal(bytes.length, headSize + 4 + size);
    const mask = bytes.subarray(headSize, headSize + 4);
    const unmasked = bytes.subarray(headSize + 4).map((byte, i) => byte ^ mask[i & 3]);
    assert.ok(payload.equals(Buffer.from(unmasked)));
  }
});
