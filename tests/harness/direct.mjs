// Runs a Worker in workerd on storage that outlives it, without wrangler's proxies in between: for
// crash tests and for the bench. usage: node direct.mjs OPTIONS (JSON, see direct.py)
import { createWriteStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Miniflare } from "miniflare";

const { folder, main, config, vars, storage, log, hangs } = JSON.parse(process.argv[2]);

function moduleType(path) {
  if (path.endsWith(".js")) return "ESModule";
  return path.startsWith("python_modules/") ? "Data" : "PythonModule";
}

const paths = readdirSync(folder, { recursive: true })
  .map((path) => String(path).replaceAll("\\", "/"))
  .filter((path) => /\.(py|js|pth)$/.test(path));
const modules = [main, ...paths.filter((path) => path !== main)].map((path) => ({
  type: moduleType(path),
  path: join(folder, path),
  contents: readFileSync(join(folder, path)),
}));
/** Whatever workerd says goes into the file. */
function writeLog(stdout, stderr) {
  for (const stream of [stdout, stderr]) stream.pipe(createWriteStream(log, { flags: "a" }));
}

const [database] = config.d1_databases;
const worker = {
  modulesRoot: folder,
  modules,
  compatibilityDate: config.compatibility_date,
  compatibilityFlags: config.compatibility_flags ?? [],
  bindings: { ...config.vars, ...vars },
  d1Databases: { DB: database.database_id },
  kvNamespaces: ["CACHE"],
  r2Buckets: Object.fromEntries(
    (config.r2_buckets ?? []).map(({ binding, bucket_name }) => [binding, bucket_name]),
  ),
  durableObjects: config.durable_objects
    ? { RATE_LIMITER: { className: "RateLimiter", useSQLite: true } }
    : {},
};
// The parts that hang are another Worker's: it takes each call and does not answer it.
const hanging = {
  name: "hanging",
  modules: [{ type: "ESModule", path: join(import.meta.dirname, "hanging_parts.js") }],
  modulesRoot: import.meta.dirname,
  compatibilityDate: config.compatibility_date,
};
const withHangingParts = {
  ...worker,
  name: "product",
  kvNamespaces: [],
  serviceBindings: { CACHE: { name: "hanging", entrypoint: "Cache" } },
  durableObjects: { RATE_LIMITER: { className: "RateLimiter", scriptName: "hanging" } },
};
const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  // The folders that `wrangler d1 migrations apply --persist-to` writes.
  d1Persist: join(storage, "v3", "d1"),
  kvPersist: join(storage, "v3", "kv"),
  r2Persist: join(storage, "v3", "r2"),
  durableObjectsPersist: join(storage, "v3", "do"),
  unsafeTriggerHandlers: true,
  ...(log && { handleRuntimeStdio: writeLog }),
  workers: hangs ? [withHangingParts, hanging] : [worker],
});
const url = await miniflare.ready;
console.log(JSON.stringify({ worker: url.origin }));

process.stdin.resume();
process.stdin.on("end", async () => {
  await miniflare.dispose();
  process.exit(0);
});
