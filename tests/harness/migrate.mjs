// Applies migrations to a local database as `wrangler d1 migrations apply` does, each as one batch,
// but all in one workerd. usage: node migrate.mjs OPTIONS (JSON, see migrating.py)
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Miniflare } from "miniflare";
import { unstable_splitSqlQuery as splitSqlQuery } from "wrangler";

const { d1, database, migrations, record } = JSON.parse(process.argv[2]);
const miniflare = new Miniflare({
  modules: true,
  script: "",
  d1Databases: { DB: database },
  d1Persist: d1,
});
try {
  const DB = await miniflare.getD1Database("DB");
  await DB.prepare(record).run();
  const { results } = await DB.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map(({ name }) => name));
  const names = readdirSync(migrations).filter((name) => name.endsWith(".sql"));
  for (const name of names.sort().filter((name) => !applied.has(name))) {
    const statements = splitSqlQuery(readFileSync(join(migrations, name), "utf8"));
    await DB.batch([
      ...statements.map((statement) => DB.prepare(statement)),
      DB.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
} finally {
  await miniflare.dispose();
}
