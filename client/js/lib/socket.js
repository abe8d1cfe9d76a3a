/**
 * A WebSocket that begins to connect: that of the platform, or on a Node without one, or when TLS has options, our own.
 */
export async function openSocket(url, { WebSocket: given, tls }) {
  const platform = given ?? (tls === undefined ? globalThis.WebSocket : undefined);
  if (platform !== undefined) return new platform(url);
  const { NodeSocket } = await import("./node_socket.js");
  return new NodeSocket(url, tls);
}
