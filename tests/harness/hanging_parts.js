// A rate limiter and a KV namespace that take every call and answer none for a minute.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

const hang = () => scheduler.wait(60_000);

export class RateLimiter extends DurableObject {
  take() {
    return hang();
  }
  ping() {
    return hang();
  }
}

export class Cache extends WorkerEntrypoint {
  get() {
    return hang();
  }
  put() {
    return hang();
  }
  delete() {
    return hang();
  }
  list() {
    return hang();
  }
}

export default { fetch: () => new Response() };
