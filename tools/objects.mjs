// Fetches objects of an R2 bucket into a folder, many at a time: the command line of wrangler takes
// seconds for each, and a backup has hundreds. Prints a JSON line for each one when it is there.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { getPlatformProxy } from "wrangler";

const AT_ONCE = 8;
const { config, persist, folder, keys } = JSON.parse(await readFile(process.argv[2]));
const { env, dispose } = await getPlatformProxy({
  configPath: config,
  persist: { path: persist },
  envFiles: [],
});

async function fetchSome(waiting) {
  for (const [number, key] of waiting) {
    const object = await env.BACKUPS.get(key);
    const file = object && join(folder, String(number));
    if (object) await writeFile(file, Buffer.from(await object.arrayBuffer()));
    console.log(JSON.stringify({ key, file }));
  }
}

// They share the iterator, so each key is taken once.
const waiting = keys.entries();
await Promise.all(Array.from({ length: AT_ONCE }, () => fetchSome(waiting)));
await dispose();
