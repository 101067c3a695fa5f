// Runs inside workerd beside the versions: the stand-in's hands on the real D1, R2 and KV.

/** The rows of each statement of one transaction. */
async function query(database, { statements, raw }) {
  const prepared = statements.map(({ sql, params }) => database.prepare(sql).bind(...params));
  if (raw) {
    const rows = [];
    for (const statement of prepared) rows.push(await statement.raw());
    return rows;
  }
  return await database.batch(prepared);
}

const listed = ({ key, size, httpEtag, uploaded }) => ({
  key,
  size,
  etag: httpEtag.replaceAll('"', ""),
  last_modified: uploaded.toISOString(),
});

async function objects(bucket, request, url) {
  const key = url.searchParams.get("key");
  switch (request.method) {
    case "PUT": {
      const type = request.headers.get("content-type") ?? "application/octet-stream";
      await bucket.put(key, await request.arrayBuffer(), { httpMetadata: { contentType: type } });
      return Response.json({});
    }
    case "DELETE":
      await bucket.delete(key);
      return Response.json({});
    default: {
      if (key === null) {
        const page = await bucket.list({
          prefix: url.searchParams.get("prefix") ?? "",
          cursor: url.searchParams.get("cursor") || undefined,
        });
        return Response.json({ ...page, objects: page.objects.map(listed) });
      }
      const object = await bucket.get(key);
      return object ? new Response(object.body) : new Response(null, { status: 404 });
    }
  }
}

async function values(namespace, request, url) {
  const key = url.searchParams.get("key");
  switch (request.method) {
    case "PUT":
      await namespace.put(key, await request.arrayBuffer());
      return Response.json({});
    case "DELETE":
      await namespace.delete(key);
      return Response.json({});
    default: {
      if (key === null) return Response.json(await namespace.list());
      const value = await namespace.get(key, "arrayBuffer");
      return value === null ? new Response(null, { status: 404 }) : new Response(value);
    }
  }
}

export default {
  /** @param {Request} request to /d1/ID, /r2/NAME or /kv/ID */
  async fetch(request, env) {
    const url = new URL(request.url);
    const binding = env[url.pathname.slice(1)];
    if (!binding) return new Response(`nothing is bound as ${url.pathname}`, { status: 404 });
    try {
      if (url.pathname.startsWith("/r2/")) return await objects(binding, request, url);
      if (url.pathname.startsWith("/kv/")) return await values(binding, request, url);
      return Response.json(await query(binding, await request.json()));
    } catch (error) {
      return Response.json({ error: String(error?.message ?? error) }, { status: 500 });
    }
  },
};
