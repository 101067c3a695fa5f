// The edge of the stand-in: a proxy that ends TLS for the hosts of routes, chooses a version by the
// override header or by its share of the traffic, and holds requests while workerd starts anew.
import http from "node:http";
import https from "node:https";
import net from "node:net";

const OVERRIDE = "cloudflare-workers-version-overrides";
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])$/;
const DRAIN_MILLISECONDS = 60_000;
const AFTERWARDS_MILLISECONDS = 300;
const PLACE = JSON.stringify({ colo: "STD", country: "US", asn: 64496 });

/** One version of a deployment by its share: whichever is furthest behind it. */
function versionByShare(deployment) {
  const { shares, counts } = deployment;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 1);
  const behind = (id) => (shares[id] / 100) * total - counts[id];
  const [id] = Object.keys(shares)
    .filter((each) => shares[each] > 0)
    .sort((a, b) => behind(b) - behind(a));
  if (id) counts[id] += 1;
  return id;
}

function versionByHeader(deployment, worker, header) {
  const match = new RegExp(`(?:^|,)\\s*${worker}="([^"]*)"`).exec(header ?? "");
  return match && match[1] in deployment.shares ? match[1] : undefined;
}

export class Front {
  routes = [];
  deployments = {};
  addresses = {};
  running = 0;
  #open = false;
  #pass;
  #gate = new Promise((resolve) => {
    this.#pass = resolve;
  });

  constructor(certificate) {
    this.server = http.createServer((request, response) => this.#serve(request, response, "http:"));
    this.inner = certificate
      ? https.createServer(certificate, (request, response) =>
          this.#serve(request, response, "https:"),
        )
      : undefined;
    this.server.on("connect", (request, socket, head) => this.#connect(request, socket, head));
  }

  /** Sets which versions answer which routes, and in which shares. */
  set({ routes, deployments }) {
    const before = this.deployments;
    this.routes = routes;
    this.deployments = Object.fromEntries(
      Object.entries(deployments).map(([worker, shares]) => {
        const same = JSON.stringify(before[worker]?.shares) === JSON.stringify(shares);
        const counts = Object.fromEntries(Object.keys(shares).map((id) => [id, 0]));
        return [worker, same ? before[worker] : { shares, counts }];
      }),
    );
  }

  /** Lets requests pass; the addresses are those of the versions. */
  open(addresses) {
    this.addresses = addresses;
    this.#open = true;
    this.#pass();
  }

  /** Holds requests from now on. */
  close() {
    if (!this.#open) return;
    this.#open = false;
    this.#gate = new Promise((resolve) => {
      this.#pass = resolve;
    });
  }

  /** Waits until no request and no cron run is under way. */
  async drain() {
    const end = Date.now() + DRAIN_MILLISECONDS;
    while (this.running > 0 && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 10));
    // What goes on behind an answer (`waitUntil`).
    await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MILLISECONDS));
  }

  /** Runs something in a version once the gate is open; a restart waits for its end. */
  async within(action) {
    while (!this.#open) await this.#gate;
    this.running += 1;
    try {
      return await action();
    } finally {
      this.running -= 1;
    }
  }

  /** The version that a request or a cron run of a Worker goes to. */
  choose(worker, header) {
    const deployment = this.deployments[worker];
    return (
      deployment && (versionByHeader(deployment, worker, header) ?? versionByShare(deployment))
    );
  }

  #connect(request, socket, head) {
    const [, host, port] = /^(.*):(\d+)$/.exec(request.url) ?? [];
    socket.on("error", () => socket.destroy());
    if (this.inner && this.routes.some((route) => route.host === host)) {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length) socket.unshift(head);
      this.inner.emit("connection", socket);
      return;
    }
    if (!LOOPBACK.test(host ?? "")) {
      socket.end("HTTP/1.1 502 Not In The Stand-in\r\n\r\n");
      return;
    }
    const upstream = net.connect(Number(port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
  }

  async #serve(request, response, protocol) {
    const { host } = request.headers;
    const route = this.routes.find((each) => each.host === host);
    if (!route) {
      response.writeHead(530).end("error code: 1016");
      return;
    }
    await this.within(() => this.#forward(request, response, `${protocol}//${host}`, route.worker));
  }

  #forward(request, response, origin, worker) {
    const version = this.choose(worker, request.headers[OVERRIDE]);
    const address = this.addresses[version];
    if (!address) {
      response.writeHead(404).end("error code: 1042");
      return undefined;
    }
    const headers = {
      "cf-connecting-ip": "203.0.113.1",
      ...request.headers,
      "x-forwarded-proto": origin.split(":")[0],
      "mf-cf-blob": PLACE,
    };
    const { hostname, port } = new URL(address);
    const path = new URL(request.url, origin);
    return new Promise((resolve) => {
      const done = () => resolve(undefined);
      const upstream = http.request(
        {
          hostname,
          port,
          method: request.method,
          path: `${origin}${path.pathname}${path.search}`,
          headers,
        },
        (answer) => {
          response.writeHead(answer.statusCode, answer.rawHeaders);
          answer.pipe(response);
        },
      );
      upstream.on("error", () => {
        if (!response.headersSent) response.writeHead(502);
        response.end("error code: 1101");
      });
      response.on("close", done);
      request.pipe(upstream);
    });
  }
}
