// The JavaScript Worker counts requests here; a rehearsal has none to refuse.
export class RateLimiter {
  fetch() {
    return Response.json({ allowed: true });
  }
}
