// The usual way of such Workers, on the same database: one query after the other, each a round
// trip. Look up the pixel, its project and the visitor, write the visitor and the session, then the
// event. It knows no touches, no repeated events and no lost database.
const PIXEL = "SELECT id, project_id FROM pixels WHERE id = ? AND active = 1";
const PROJECT = "SELECT id FROM projects WHERE id = ? AND active = 1";
const VISITOR = "SELECT id FROM visitors WHERE visitor_cookie = ?";
const ADD_VISITOR =
  "INSERT INTO visitors (id, visitor_cookie, user_agent, ip_address) VALUES (?, ?, ?, ?)";
const SEEN_AGAIN =
  "UPDATE visitors SET last_seen = datetime('now'), visit_count = visit_count + 1 WHERE id = ?";
const SESSION = `SELECT id FROM sessions WHERE visitor_id = ?
  AND last_activity > datetime('now', '-30 minutes') ORDER BY started_at DESC LIMIT 1`;
const ADD_SESSION = `INSERT INTO sessions (
    id, visitor_id, pixel_id, session_cookie, utm_source, utm_medium
  ) VALUES (?, ?, ?, ?, ?, ?)`;
const ACTIVE_AGAIN = `UPDATE sessions
  SET last_activity = datetime('now'), page_views = page_views + 1 WHERE id = ?`;
const ADD_EVENT = `INSERT INTO tracking_events (
    project_id, pixel_id, visitor_id, session_id, event_type, event_key, utm_source, utm_medium,
    page_url, referrer_url, page_title, user_agent, ip_address, viewport_data, form_data
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`;

export default {
  async fetch(request, env) {
    const event =
      request.method === "GET"
        ? Object.fromEntries(new URL(request.url).searchParams)
        : await request.json();
    const first = (sql, ...values) =>
      env.DB.prepare(sql)
        .bind(...values.map((value) => value ?? null))
        .first();
    const userAgent = request.headers.get("user-agent");
    const ipAddress = request.headers.get("cf-connecting-ip");
    const parameters = new URL(event.page_url).searchParams;
    const [source, medium] = [parameters.get("utm_source"), parameters.get("utm_medium")];
    const pixel = await first(PIXEL, event.pixel_id);
    if (!pixel) return Response.json({ success: false, error: "unknown pixel" }, { status: 404 });
    const project = await first(PROJECT, pixel.project_id);
    let visitor = await first(VISITOR, event.visitor_cookie);
    if (visitor) {
      await first(SEEN_AGAIN, visitor.id);
    } else {
      visitor = { id: crypto.randomUUID() };
      await first(ADD_VISITOR, visitor.id, event.visitor_cookie, userAgent, ipAddress);
    }
    let session = await first(SESSION, visitor.id);
    if (session) {
      await first(ACTIVE_AGAIN, session.id);
    } else {
      session = { id: crypto.randomUUID() };
      await first(ADD_SESSION, session.id, visitor.id, pixel.id, session.id, source, medium);
    }
    const texts = [event.viewport, event.form_data].map((value) => JSON.stringify(value));
    const stored = await first(
      ADD_EVENT,
      ...[project.id, pixel.id, visitor.id, session.id, event.event_type, event.event_key],
      ...[source, medium, event.page_url, event.referrer_url, event.page_title],
      ...[userAgent, ipAddress, ...texts],
    );
    return Response.json({ success: true, event_id: stored.id, session_id: session.id });
  },
};
