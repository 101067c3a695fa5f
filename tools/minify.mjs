/**
 * Minifies both parts of the pixel with terser: `node tools/minify.mjs <folder>` prints them as one
 * JSON array. What the parts say to each other gets the same short names in both.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { minify } from "terser";

// The words of pixel.d.ts that never leave the page.
const INNER_WORDS =
  /^(shared|attempt|tap|report|dispatch|lead|busy|alerted|said|submitted|gestured|answered)$/;

// Chosen by size; the browser tests run what comes out of it.
const COMPRESS = {
  passes: 5,
  unsafe: true,
  unsafe_arrows: true,
  pure_getters: true,
  keep_fargs: false,
};

const [folder] = process.argv.slice(2);
const nameCache = {};
const parts = [];
for (const name of ["pixel.js", "pixel-more.js"]) {
  const source = await readFile(join(folder, name), "utf8");
  const { code } = await minify(source, {
    module: name === "pixel-more.js",
    ecma: 2021,
    nameCache,
    compress: COMPRESS,
    mangle: { properties: { regex: INNER_WORDS } },
  });
  parts.push(code);
}
console.log(JSON.stringify(parts));
