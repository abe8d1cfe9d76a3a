import { PubSubSqlError } from "./errors.js";
import { encodeBody, Request } from "./request.js";
import { Connection } from "./connection.js";
import { openSocket } from "./socket.js";

function cannotConnect(url, why) {
  return new PubSubSqlError("cannot_connect", `cannot connect to ${url}: ${why}`);
}

function abandon(socket) {
  socket.onopen = socket.onclose = null;
  socket.onerror = () => {};
  socket.close();
}

function quoted(text) {
  return `'${String(text).replaceAll("'", "''")}'`;
}

/** The socket, once it is open. */
function opened(socket, url) {
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = (event) => reject(cannotConnect(url, event?.message || "nobody answers there as a WebSocket"));
    socket.onclose = () => reject(cannotConnect(url, "it was closed at once"));
  });
}

function authenticated(connection, { user, password, token, connectTimeout }) {
  if (user === undefined) return Promise.resolve();
  return new Promise((onresult, onerror) => {
    const sql = `auth ${quoted(user)} ${quoted(token ?? password ?? "")}`;
    connection.send(new Request(sql, encodeBody(sql), { timeout: connectTimeout, onresult, onerror }));
  });
}

/** Rejects when the time for connecting is over, or with the reason of an abort. */
function givenUp(url, { connectTimeout }, signal) {
  let timer;
  const promise = new Promise((_, reject) => {
    timer = setTimeout(() => reject(cannotConnect(url, `no answer within ${connectTimeout} ms`)), connectTimeout);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return { promise, clear: () => clearTimeout(timer) };
}

/**
 * Makes a connection on which statements can be sent: open, and authenticated if there is a user. Rejects with why not,
 * and leaves nothing open then. `handlers`: see Connection; `onend` is called only for a connection that was given out.
 */
export async function openConnection(url, options, signal, { onevent, onend }) {
  const socket = await openSocket(url, options);
  const given = givenUp(url, options, signal);
  let connection;
  let isReady = false;
  try {
    await Promise.race([opened(socket, url), given.promise]);
    connection = new Connection(socket, options, { onevent, onend: (error) => isReady && onend(error) });
    await Promise.race([authenticated(connection, options), given.promise]);
    if (connection.ended) throw cannotConnect(url, "it was closed at once");
    isReady = true;
    return connection;
  } catch (error) {
    if (connection === undefined) abandon(socket);
    else connection.end(error);
    throw error;
  } finally {
    given.clear();
  }
}
