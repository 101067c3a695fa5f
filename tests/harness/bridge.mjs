// Offers wrangler's test harness to pytest over loopback: the Worker in real workerd, its real
// bindings, its cron and its logs. Prints one JSON line with its addresses when it is ready.
import { createServer } from "node:http";
import process from "node:process";
import { createTestHarness } from "wrangler";

const { root, config, vars, schema } = JSON.parse(process.argv[2]);
const harness = createTestHarness({ root, workers: [{ configPath: config, vars }] });
const { url } = await harness.listen();
const worker = harness.getWorker();
// The migrated schema in one go: applying each migration anew takes seconds.
const { DB } = await worker.getEnv();
await DB.batch(schema.map((statement) => DB.prepare(statement)));

const actions = {
  /** Runs one SQL statement on the Worker's own D1. */
  async query({ sql, values }) {
    const { DB } = await worker.getEnv();
    const { results, meta } = await DB.prepare(sql)
      .bind(...values)
      .all();
    return { rows: results, rows_read: meta.rows_read, rows_written: meta.rows_written };
  },
  /** Drops every table: what is left of a database that was deleted and created anew. */
  async drop_tables() {
    const { DB } = await worker.getEnv();
    const { results } = await DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table'" +
        " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'",
    ).all();
    await DB.batch([
      DB.prepare("PRAGMA defer_foreign_keys = on"),
      ...results.map(({ name }) => DB.prepare(`DROP TABLE ${name}`)),
    ]);
  },
  /** Makes the migrated schema, in a database without tables. */
  async make_schema() {
    const { DB } = await worker.getEnv();
    await DB.batch(schema.map((statement) => DB.prepare(statement)));
  },
  /** Sends a request as Cloudflare would: with its own data about the client. */
  async fetch({ path, method, headers, body, cf }) {
    const response = await worker.fetch(new URL(path, url), {
      method,
      headers,
      body,
      cf,
      redirect: "manual",
    });
    const content = Buffer.from(await response.arrayBuffer()).toString("base64");
    return { status: response.status, headers: [...response.headers], body: content };
  },
  async scheduled({ cron }) {
    return await worker.scheduled({ cron, scheduledTime: new Date() });
  },
  /** Every key in KV with its value and metadata. */
  async kv_entries() {
    const { CACHE } = await worker.getEnv();
    const entries = [];
    let page = {};
    do {
      page = await CACHE.list({ cursor: page.cursor });
      for (const { name } of page.keys) entries.push([name, await CACHE.get(name)]);
    } while (!page.list_complete);
    return entries;
  },
  /** Empties KV. */
  async kv_clear() {
    const { CACHE } = await worker.getEnv();
    let page = {};
    do {
      page = await CACHE.list({ cursor: page.cursor });
      await Promise.all(page.keys.map(({ name }) => CACHE.delete(name)));
    } while (!page.list_complete);
  },
  /** Writes many keys at once. */
  async kv_put({ entries }) {
    const { CACHE } = await worker.getEnv();
    for (let i = 0; i < entries.length; i += 100)
      await Promise.all(entries.slice(i, i + 100).map(([name, value]) => CACHE.put(name, value)));
  },
  /** Writes a key as bytes, in base64. */
  async kv_put_bytes({ key, content }) {
    const { CACHE } = await worker.getEnv();
    await CACHE.put(key, Uint8Array.from(Buffer.from(content, "base64")).buffer);
  },
  /** The keys of every object in R2. */
  async r2_keys({ prefix }) {
    const { BACKUPS } = await worker.getEnv();
    const keys = [];
    let page = {};
    do {
      page = await BACKUPS.list({ prefix, cursor: page.cursor });
      keys.push(...page.objects.map(({ key }) => key));
    } while (page.truncated);
    return keys;
  },
  /** An object of R2 in base64, or null. */
  async r2_get({ key }) {
    const { BACKUPS } = await worker.getEnv();
    const stored = await BACKUPS.get(key);
    return stored && Buffer.from(await stored.arrayBuffer()).toString("base64");
  },
  async r2_put({ key, content }) {
    const { BACKUPS } = await worker.getEnv();
    await BACKUPS.put(key, Buffer.from(content, "base64"));
  },
  async r2_delete({ keys }) {
    const { BACKUPS } = await worker.getEnv();
    await BACKUPS.delete(keys);
  },
  async logs() {
    return harness.getLogs();
  },
  async clear_logs() {
    harness.clearLogs();
  },
  /** Forgets what one shard of the rate limiter counts. */
  async evict({ name }) {
    await worker.evictDurableObject("RATE_LIMITER", { name });
  },
};

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const action = actions[request.url.slice(1)];
  try {
    const result = await action(JSON.parse(Buffer.concat(chunks).toString() || "{}"));
    response.end(JSON.stringify(result ?? null));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error?.stack ?? error));
  }
});

server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ worker: url.origin, bridge: server.address().port }));
});

// The parent keeps standard input open as long as it wants us.
process.stdin.resume();
process.stdin.on("end", async () => {
  server.close();
  await harness.close();
  process.exit(0);
});
