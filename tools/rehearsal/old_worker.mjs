// Stands for the JavaScript Worker: the addresses that docs/upgrade.md asks, in its shapes, by
// statements as it has them. Its limiter's class is the one that this Worker has too.
export { RateLimiter } from "./rate_limiter.mjs";

const CORS = { "access-control-allow-origin": "*" };
const INSERT =
  "INSERT INTO tracking_events" +
  " (project_id, pixel_id, visitor_id, session_id, event_type, page_url, form_data)" +
  " VALUES (?, ?, ?, ?, ?, ?, ?)";
const VISITOR = "SELECT id FROM visitors WHERE visitor_cookie = ?";
const ADD_VISITOR = "INSERT INTO visitors (id, visitor_cookie) VALUES (?, ?)";
const SESSION = "SELECT id FROM sessions WHERE visitor_id = ? LIMIT 1";
const ADD_SESSION =
  "INSERT INTO sessions (id, visitor_id, pixel_id, session_cookie) VALUES (?, ?, ?, ?)";
// What the old pixel made, and nothing else.
const COOKIE = /^pxl_[\w-]+$/;
const OF_DAYS =
  " FROM tracking_events WHERE pixel_id = ?" +
  " AND datetime(timestamp) >= datetime('now', '-' || ? || ' days')";
const TOTAL = `SELECT COUNT(*) AS total_events${OF_DAYS}`;
const SOURCES =
  `SELECT utm_source, COUNT(*) AS count${OF_DAYS}` +
  " AND utm_source IS NOT NULL GROUP BY utm_source ORDER BY count DESC LIMIT 10";

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/health")
      return Response.json({ status: "healthy", worker: "PPP_Pixel", version: "2.9.0" });
    if (pathname === "/pixel.js" || pathname === "/static/pixel.js")
      return new Response("/* old */", { headers: { "content-type": "text/javascript" } });
    if (pathname.startsWith("/api/track") && request.method === "POST")
      return track(await request.json(), env);
    if (!knows(request, env)) return Response.json({ error: "Unauthorized" }, { status: 401 });
    if (pathname === "/api/projects")
      return Response.json({ success: true, data: await rows(env, "SELECT * FROM projects") });
    if (pathname.startsWith("/api/analytics/stats/")) {
      const days = Number(searchParams.get("days") ?? 7);
      const data = await stats(env, pathname.split("/").pop(), days);
      return Response.json({ success: true, data });
    }
    return Response.json({ error: "not found" }, { status: 404 });
  },
};

// UUIDs with commas between them, in either header: it knows no other format.
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function knows(request, env) {
  const bearer = request.headers.get("authorization")?.replace(/^Bearer /, "");
  const key = request.headers.get("x-api-key") ?? bearer;
  return key !== undefined && UUID.test(key) && env.API_KEYS.split(",").includes(key);
}

async function track(event, env) {
  if (!COOKIE.test(event.visitor_cookie))
    return Response.json({ error: "Invalid visitor" }, { status: 400, headers: CORS });
  const visitor = await idOf(env, VISITOR, ADD_VISITOR, event.visitor_cookie);
  const session = await idOf(
    env,
    SESSION,
    ADD_SESSION,
    visitor,
    event.pixel_id,
    crypto.randomUUID(),
  );
  const form = event.form_data ? JSON.stringify(event.form_data) : null;
  const page = event.page_url ?? null;
  await env.DB.prepare(INSERT)
    .bind("project-1", event.pixel_id, visitor, session, event.event_type, page, form)
    .run();
  return Response.json({ success: true }, { headers: CORS });
}

// The id of the row with this value, which is added with these values where there is none.
async function idOf(env, find, add, value, ...others) {
  const [row] = await rows(env, find, value);
  if (row) return row.id;
  const id = crypto.randomUUID();
  await env.DB.prepare(add)
    .bind(id, value, ...others)
    .run();
  return id;
}

async function stats(env, pixel, days) {
  const [summary] = await rows(env, TOTAL, pixel, days);
  const end = new Date().toISOString();
  return {
    summary,
    date_range: { start: end, end },
    top_sources: await rows(env, SOURCES, pixel, days),
  };
}

async function rows(env, sql, ...values) {
  return (
    await env.DB.prepare(sql)
      .bind(...values)
      .all()
  ).results;
}
