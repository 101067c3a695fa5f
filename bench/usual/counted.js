// The usual Worker, with what D1 counts of its queries in three headers of its answer.
import usual from "./worker.js";

/** The same database, whose rows and queries are added to `counted`. */
function counting(database, counted) {
  return {
    prepare: (sql) => ({
      bind: (...values) => ({
        async first() {
          const { results, meta } = await database
            .prepare(sql)
            .bind(...values)
            .all();
          counted.queries += 1;
          counted.read += meta.rows_read;
          counted.written += meta.rows_written;
          return results[0] ?? null;
        },
      }),
    }),
  };
}

export default {
  async fetch(request, env) {
    const counted = { queries: 0, read: 0, written: 0 };
    const answer = await usual.fetch(request, { DB: counting(env.DB, counted) });
    const headers = Object.entries(counted).map(([name, count]) => [`x-${name}`, String(count)]);
    return new Response(answer.body, { status: answer.status, headers });
  },
};
