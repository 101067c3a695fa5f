// Sends events to one Worker for some seconds and prints what it measured as one JSON line.
// usage: node load.mjs URL KIND CONNECTIONS SECONDS
// KIND: repeat (page views of known visitors), mixed (one new visitor in ten, one lead in fifty),
// image (page views by GET, as the image of browsers without scripts sends them)
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import process from "node:process";

const [url, kind] = [process.argv[2], process.argv[3]];
const [connections, seconds] = [+process.argv[4], +process.argv[5]];
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const newId = () => randomBytes(8).toString("hex");
const visitors = Array.from({ length: 500 }, newId);
const latencies = [];
let failed = 0;

function event(number) {
  const isNew = kind === "mixed" && number % 10 === 0;
  const isLead = kind === "mixed" && number % 50 === 25;
  return {
    pixel_id: "ppp-demo-pixel",
    visitor_cookie: isNew ? newId() : visitors[number % visitors.length],
    event_key: newId(),
    event_type: isLead ? "form_submit" : "pageview",
    page_url: `https://shop.example/page-${number % 50}?utm_source=google&utm_medium=cpc`,
    referrer_url: "https://www.google.com/",
    page_title: "A page of the shop",
    ...(isLead && { form_data: { email: `${newId()}@example.com`, name: "Ada Lovelace" } }),
  };
}

const SIZES = { viewport: { width: 1280, height: 720 }, screen: { width: 1920, height: 1080 } };

/** Method, address and body of a request. */
function message(number) {
  const sent = event(number);
  if (kind === "image") return ["GET", `${url}/page.gif?${new URLSearchParams(sent)}`];
  return ["POST", url, JSON.stringify({ ...sent, ...SIZES })];
}

function send(number) {
  const [method, address, body] = message(number);
  const started = performance.now();
  return new Promise((resolve) => {
    const options = {
      agent,
      method,
      headers: {
        "content-type": "text/plain;charset=UTF-8",
        "cf-connecting-ip": `10.1.${(number >> 8) % 256}.${number % 256}`,
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0 Safari/537.36",
      },
    };
    const outgoing = request(address, options, (incoming) => {
      if (incoming.statusCode !== 200) failed += 1;
      incoming.resume();
      incoming.on("end", () => {
        latencies.push(performance.now() - started);
        resolve();
      });
    });
    outgoing.on("error", () => {
      failed += 1;
      resolve();
    });
    outgoing.end(body);
  });
}

let number = 0;
const started = performance.now();
const until = started + seconds * 1000;
async function connection() {
  while (performance.now() < until) await send(number++);
}
await Promise.all(Array.from({ length: connections }, connection));
const took = (performance.now() - started) / 1000;
latencies.sort((a, b) => a - b);
const at = (share) => latencies[Math.floor(latencies.length * share)];
console.log(
  JSON.stringify({
    failed,
    events: latencies.length,
    per_second: latencies.length / took,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
  }),
);
process.exit(0);
