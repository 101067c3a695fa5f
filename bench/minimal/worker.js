// The yardstick: the least JavaScript that writes an event with the very same D1 batch. With the
// variable HEADERS it also sends these and writes a log line, as the Worker does.
import { statements } from "./statements.js";

let prepared;
let databaseId;

export default {
  async fetch(request, env) {
    const event =
      request.method === "GET"
        ? Object.fromEntries(new URL(request.url).searchParams)
        : await request.json();
    databaseId ??= await env.DB.prepare("SELECT id FROM database_identity").first("id");
    prepared ??= statements.map((sql) => env.DB.prepare(sql));
    const now = new Date().toISOString().slice(0, 19).replace("T", " ");
    const openSince = new Date(Date.now() - 1_800_000).toISOString().slice(0, 19).replace("T", " ");
    const parameters = JSON.stringify({
      ...event,
      database_id: databaseId,
      now,
      open_since: openSince,
      visitor_id: crypto.randomUUID(),
      session_id: crypto.randomUUID(),
      project_id: "ppp-demo-project",
      user_agent: request.headers.get("user-agent"),
      ip_address: request.headers.get("cf-connecting-ip"),
      country: request.cf?.country,
      browser: { browser: "Chrome" },
      device: { type: "desktop" },
    });
    const results = await env.DB.batch(prepared.map((statement) => statement.bind(parameters)));
    const { answer } = results.at(-1).results[0];
    const body = { success: true, ...JSON.parse(answer) };
    if (!env.HEADERS) return Response.json(body);
    const line = { level: "info", event: "event_stored", event_id: body.event_id };
    console.log(JSON.stringify({ ...line, request_id: crypto.randomUUID() }));
    return Response.json(body, { headers: JSON.parse(env.HEADERS) });
  },
};
