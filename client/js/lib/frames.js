import { randomFillSync } from "node:crypto";

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

const messageBytesMax = 256 * 2 ** 20;
const controlBytesMax = 125;

/** A frame as a client sends it: whole, and masked. */
export function encodeFrame(opcode, payload) {
  const size = payload.length;
  const sizeBytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + sizeBytes + 4 + size);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (sizeBytes === 0 ? size : sizeBytes === 2 ? 126 : 127);
  if (sizeBytes === 2) frame.writeUInt16BE(size, 2);
  if (sizeBytes === 8) frame.writeBigUInt64BE(BigInt(size), 2);
  const mask = frame.subarray(2 + sizeBytes, 6 + sizeBytes);
  randomFillSync(mask);
  const begin = 6 + sizeBytes;
  for (let i = 0; i < size; ++i) frame[begin + i] = payload[i] ^ mask[i & 3];
  return frame;
}

/** The header of a frame from a server, undefined while it is incomplete. */
function decodeHeader(bytes) {
  if (bytes.length < 2) return undefined;
  const header = {
    isFinal: (bytes[0] & 0x80) !== 0,
    reserved: bytes[0] & 0x70,
    opcode: bytes[0] & 0x0f,
    isMasked: (bytes[1] & 0x80) !== 0,
    size: bytes[1] & 0x7f,
    headerSize: 2,
  };
  if (header.size < 126) return header;
  header.headerSize = header.size === 126 ? 4 : 10;
  if (bytes.length < header.headerSize) return undefined;
  header.size = header.headerSize === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return header;
}

/**
 * Takes the bytes of a server in any pieces, and tells of each whole message: a text as a string, of others the bytes.
 */
export class FrameReader {
  #onmessage;
  #chunks = [];
  #size = 0;
  #needed = 2;
  #fragments = [];
  #fragmentsSize = 0;
  #decoder = new TextDecoder("utf-8", { fatal: true });

  constructor(onmessage) {
    this.#onmessage = onmessage;
  }

  /** Returns what is wrong with the bytes, and is not to be used again then. */
  read(bytes) {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    while (this.#size >= this.#needed) {
      const problem = this.#readFrame();
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Reads a frame if it is there, and sets how many bytes are needed to go on. */
  #readFrame() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    const bytes = this.#chunks[0];
    const header = decodeHeader(bytes);
    if (header === undefined) {
      this.#needed = (bytes[1] & 0x7f) === 126 ? 4 : 10;
      return undefined;
    }
    const problem = this.#problemOf(header);
    if (problem !== undefined) return problem;
    const end = header.headerSize + header.size;
    this.#needed = end;
    if (bytes.length < end) return undefined;
    this.#chunks = [bytes.subarray(end)];
    this.#size = bytes.length - end;
    this.#needed = 2;
    return this.#take(header, bytes.subarray(header.headerSize, end));
  }

  #problemOf({ isFinal, reserved, opcode, isMasked, size }) {
    if (reserved !== 0 || isMasked) return "the server sent a frame that is not of RFC 6455";
    const isControl = opcode >= opcodes.close;
    if (isControl && (!isFinal || size > controlBytesMax)) return "the server sent a control frame that is too long";
    if (![0, 1, 8, 9, 10].includes(opcode)) return `the server sent a frame of the unknown kind ${opcode}`;
    if (!isControl && (opcode === opcodes.continuation) !== this.#fragments.length > 0) {
      return "the server sent the frames of a message in another order";
    }
    if (!isControl && this.#fragmentsSize + size > messageBytesMax) return "the server sent a message that is too long";
    return undefined;
  }

  #take({ isFinal, opcode }, payload) {
    if (opcode >= opcodes.close) {
      this.#onmessage(opcode, payload);
      return undefined;
    }
    this.#fragments.push(payload);
    this.#fragmentsSize += payload.length;
    if (!isFinal) return undefined;
    const whole = this.#fragments.length === 1 ? payload : Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#fragmentsSize = 0;
    const text = this.#decode(whole);
    if (text === undefined) return "the server sent a text that is no UTF-8";
    this.#onmessage(opcodes.text, text);
    return undefined;
  }

  #decode(bytes) {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }
}
