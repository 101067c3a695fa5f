// The machine room of the stand-in: real workerd with the uploaded versions and real local D1, R2
// and KV, behind a front that splits traffic. Driven by runtime.py over loopback; prints one JSON
// line with its addresses. usage: node runtime.mjs OPTIONS (JSON, see runtime.py)
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { fetch, Miniflare, Response } from "miniflare";
import { Followers } from "./followers.mjs";
import { Front } from "./front.mjs";

const CONTROL = "stand-in-control";
const TAIL = "stand-in-tail";
const { storage, certificate, port, gone } = JSON.parse(process.argv[2]);
const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const front = new Front(
  certificate && {
    key: readFileSync(certificate.key),
    cert: readFileSync(certificate.certificate),
  },
);
const followers = new Followers();
let miniflare;
let redirects = {};

const MODULE_TYPES = {
  "text/x-python": "PythonModule",
  "text/x-python-requirement": "PythonRequirement",
  "application/javascript+module": "ESModule",
  "application/octet-stream": "Data",
  "text/plain": "Text",
  "application/wasm": "CompiledWasm",
};

/** Requests of versions to the outside: only where a rehearsal has put something. */
async function goOut(request) {
  const url = new URL(request.url);
  const base = redirects[url.host];
  if (base) return await fetch(new URL(url.pathname + url.search, base), request);
  return new Response(`the stand-in has no way to ${url.host}`, { status: 502 });
}

/** Tells events to who follows the Worker; workerd itself does not name it in them. */
async function publish(request) {
  const { worker, events } = await request.json();
  for (const event of events) followers.send(worker, { ...event, scriptName: worker });
  return new Response(null);
}

function versionOptions(version, databases) {
  const bound = { vars: {}, d1: {}, kv: {}, r2: {}, durable: {} };
  for (const binding of version.bindings) {
    const { type, name } = binding;
    if (type === "plain_text" || type === "secret_text") bound.vars[name] = binding.text;
    else if (type === "json") bound.vars[name] = binding.json;
    else if (type === "version_metadata") bound.vars[name] = version.metadata;
    else if (type === "kv_namespace") bound.kv[name] = binding.namespace_id;
    else if (type === "r2_bucket") bound.r2[name] = binding.bucket_name;
    else if (type === "durable_object_namespace")
      bound.durable[name] = { className: binding.class_name, useSQLite: true };
    else if (type === "d1")
      bound.d1[name] = databases.includes(binding.id)
        ? binding.id
        : { id: binding.id, remoteProxyConnectionString: new URL(gone) };
  }
  return {
    name: `${version.worker}:${version.id}`,
    modulesRoot: version.folder,
    modules: version.modules.map(({ name, type }) => ({
      type: MODULE_TYPES[type],
      path: join(version.folder, name),
      contents: readFileSync(join(version.folder, name)),
    })),
    compatibilityDate: version.compatibility_date,
    compatibilityFlags: version.compatibility_flags,
    bindings: bound.vars,
    d1Databases: bound.d1,
    kvNamespaces: bound.kv,
    r2Buckets: bound.r2,
    durableObjects: bound.durable,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0, proxy: true }],
    outboundService: goOut,
    tails: [`${TAIL}:${version.worker}`],
    ...(version.assets && {
      assets: {
        workerName: `${version.worker}:${version.id}`,
        directory: version.assets.folder,
        binding: version.assets.binding,
        routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: false },
        assetConfig: version.assets.config,
      },
    }),
  };
}

function moduleWorker(name, file, options) {
  const path = join(FOLDER, file);
  const modules = [{ type: "ESModule", path, contents: readFileSync(path) }];
  return { name, modulesRoot: FOLDER, modules, compatibilityDate: "2026-11-01", ...options };
}

function allOptions({ versions, databases, buckets, namespaces }) {
  return {
    host: "127.0.0.1",
    port: 0,
    d1Persist: join(storage, "v3", "d1"),
    kvPersist: join(storage, "v3", "kv"),
    r2Persist: join(storage, "v3", "r2"),
    durableObjectsPersist: join(storage, "v3", "do"),
    workers: [
      moduleWorker(CONTROL, "control_worker.mjs", {
        d1Databases: Object.fromEntries(databases.map((id) => [`d1/${id}`, id])),
        r2Buckets: Object.fromEntries(buckets.map((name) => [`r2/${name}`, name])),
        kvNamespaces: Object.fromEntries(namespaces.map((id) => [`kv/${id}`, id])),
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      }),
      ...[...new Set(versions.map(({ worker }) => worker))].map((worker) =>
        moduleWorker(`${TAIL}:${worker}`, "tail_worker.mjs", {
          bindings: { WORKER: worker },
          serviceBindings: { SINK: publish },
        }),
      ),
      ...versions.map((version) => versionOptions(version, databases)),
    ],
  };
}

async function stop() {
  front.close();
  await front.drain();
  await miniflare?.dispose();
  miniflare = undefined;
}

const actions = {
  /** Runs these versions on these stores; requests wait until they can be answered. */
  async configure(settings) {
    await stop();
    redirects = settings.redirects;
    front.set(settings);
    miniflare = new Miniflare(allOptions(settings));
    await miniflare.ready;
    const control = await miniflare.unsafeGetDirectURL(CONTROL);
    const addresses = {};
    for (const { worker, id } of settings.versions)
      addresses[id] = (await miniflare.unsafeGetDirectURL(`${worker}:${id}`)).href;
    front.open(addresses);
    return { control: control.href };
  },
  /** Other shares or routes of versions that run already. */
  async share(settings) {
    front.set(settings);
  },
  /** Stops workerd, so that its files can be changed; requests wait. */
  async stop() {
    await stop();
  },
  /** How many follow the log of a Worker. */
  async followers({ worker }) {
    return followers.count(worker);
  },
  /** Lets a cron run once, in a version by its share. */
  async cron({ worker, cron, scheduledTime }) {
    return await front.within(async () => {
      const version = front.choose(worker);
      if (!version) throw new Error(`${worker} has no deployment`);
      const fetcher = await miniflare.getWorker(`${worker}:${version}`);
      const { outcome } = await fetcher.scheduled({ cron, scheduledTime: new Date(scheduledTime) });
      return { version, outcome };
    });
  },
};

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    const action = actions[request.url.slice(1)];
    const outcome = await action(JSON.parse(Buffer.concat(chunks).toString() || "{}"));
    response.end(JSON.stringify(outcome ?? null));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error?.stack ?? error));
  }
});

server.on("upgrade", (request, socket) => followers.accept(request, socket));

server.listen(0, "127.0.0.1", () => {
  front.server.listen(port, "127.0.0.1", () => {
    const addresses = { bridge: server.address().port, front: front.server.address().port };
    console.log(JSON.stringify(addresses));
  });
});

// The parent keeps standard input open as long as it wants us.
process.stdin.resume();
process.stdin.on("end", async () => {
  front.open({});
  await miniflare?.dispose();
  process.exit(0);
});
