// Writes and deletes objects of a local R2 bucket.
import { readFile } from "node:fs/promises";
import process from "node:process";
import { getPlatformProxy } from "wrangler";

const { config, persist, put, gone } = JSON.parse(await readFile(process.argv[2]));
const { env, dispose } = await getPlatformProxy({
  configPath: config,
  persist: { path: persist },
  envFiles: [],
});
for (const [key, file] of Object.entries(put)) await env.BACKUPS.put(key, await readFile(file));
if (gone.length) await env.BACKUPS.delete(gone);
await dispose();
