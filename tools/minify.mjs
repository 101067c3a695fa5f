/**
 * Minifies both parts of the pixel with terser: `node tools/minify.mjs <folder>` prints them as one
 * JSON array. What the parts say to each other gets the same short names in both.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

// The words of pixel.d.ts that never leave the page.
const INNER_WORDS =
  /^(shared|attempt|tap|report|dispatch|lead|busy|alerted|said|submitted|gestured|answered|sent)$/;

// Chosen by size; the browser tests run what comes out of it.
const COMPRESS = {
  passes: 5,
  unsafe: true,
  unsafe_arrows: true,
  pure_getters: true,
  keep_fargs: false,
};

// Chromium compiles every function of the first part while it is downloaded, off the main thread.
const COMPILE_AHEAD = "//# allFunctionsCalledOnLoad";

// The letters of short names, in an order that brotli likes: `node tools/short_names.mjs` finds it.
export const LETTERS = "ntielaMcfsoHPGpCTAvgFSbkImVqjDNORuEUywrLxzdBhYWKXJQZ$_";

/** How terser gives names: the more often it is used, the earlier its number. */
const names = (/** @type {string} */ letters) => ({
  get: (/** @type {number} */ number) => {
    let name = "";
    for (let rest = number; rest >= 0; rest = Math.floor(rest / letters.length) - 1) {
      name = letters[rest % letters.length] + name;
    }
    return name;
  },
});

/**
 * Both parts, minified.
 * @param {string} folder that holds their sources
 */
export const minifyPixel = async (folder, letters = LETTERS) => {
  const nameCache = {};
  const nth_identifier = names(letters);
  const parts = [];
  for (const name of ["pixel.js", "pixel-more.js"]) {
    const source = await readFile(join(folder, name), "utf8");
    const { code } = await minify(source, {
      module: name === "pixel-more.js",
      ecma: 2021,
      nameCache,
      compress: COMPRESS,
      format: name === "pixel.js" ? { preamble: COMPILE_AHEAD } : {},
      mangle: { nth_identifier, properties: { regex: INNER_WORDS, nth_identifier } },
    });
    parts.push(/** @type {string} */ (code));
  }
  return parts;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await minifyPixel(process.argv[2])));
}
