// Whoever follows the log of a Worker with `wrangler tail`: a WebSocket that only sends. wrangler's
// first frame is not masked, which Cloudflare accepts and libraries refuse.
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x81;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;

/** A frame of text, as a server sends it. */
function frame(text) {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65536 ? 4 : 10);
  head[0] = TEXT;
  if (head.length === 2) head[1] = payload.length;
  else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** The short frames in some bytes, with their payloads unmasked. */
function* readFrames(bytes) {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const size = bytes[at + 1] & 127;
    const mask = bytes[at + 1] & 128 ? bytes.subarray(at + 2, at + 6) : Buffer.alloc(4);
    const start = at + 2 + (bytes[at + 1] & 128 ? 4 : 0);
    const payload = bytes
      .subarray(start, start + size)
      .map((byte, index) => byte ^ mask[index % 4]);
    yield { kind: bytes[at], payload };
    at = start + size;
  }
}

export class Followers {
  #sockets = new Map();

  /** Takes the connection of a follower of /tail/WORKER/ID. */
  accept(request, socket) {
    const worker = request.url.split("/")[2];
    const accepted = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID);
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accepted.digest("base64")}\r\n` +
        "Sec-WebSocket-Protocol: trace-v1\r\n\r\n",
    );
    const group = this.#sockets.get(worker) ?? new Set();
    this.#sockets.set(worker, group.add(socket));
    socket.on("data", (bytes) => {
      for (const { kind, payload } of readFrames(bytes)) {
        const answer = Buffer.concat([Buffer.from([PONG, payload.length]), payload]);
        if (kind === PING) socket.write(answer);
        if (kind === CLOSE) socket.end(Buffer.from([CLOSE, 0]));
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => group.delete(socket));
  }

  /** How many follow a Worker. */
  count(worker) {
    return this.#sockets.get(worker)?.size ?? 0;
  }

  /** Tells an event to the followers of a Worker. */
  send(worker, event) {
    for (const socket of this.#sockets.get(worker) ?? [])
      socket.write(frame(JSON.stringify(event)));
  }
}
