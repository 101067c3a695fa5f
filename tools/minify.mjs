/**
 * Minifies both parts of the pixel with terser: `node tools/minify.mjs <folder>` prints them as one
 * JSON array. Properties that only the parts share get the same short names in both.
 *
 * What makes the pixel smaller without a change of its behaviour stands here, not in its source.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

// The properties in pixel.d.ts that never leave the page, and that no object of the browser has.
const INNER_PROPERTIES = new RegExp(
  `^(${[
    "shared|attempt|tap|report|dispatch|submitted|answered|lead|makeEvent|hasForms|listen|reactions",
    "submission|personText|hasLeft|dialogText|answers",
  ].join("|")})$`,
);

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
export const LETTERS = "hpicbLUkTWuaqBgVjzsvmXynorlEePMAZSGxfOJKRFIdw_NHCQDtY$";

const PARTS = [
  { file: "pixel.js", module: false, preamble: COMPILE_AHEAD },
  { file: "pixel-more.js", module: true, preamble: "" },
];

/** How terser gives names: the more often a name is used, the lower its number. */
const shortNames = (/** @type {string} */ letters) => ({
  get: (/** @type {number} */ number) => {
    let name = "";
    for (let rest = number; rest >= 0; rest = Math.floor(rest / letters.length) - 1) {
      name = letters[rest % letters.length] + name;
    }
    return name;
  },
});

/**
 * Runs terser over both parts.
 * @param {string[]} sources
 * @param {import("terser").MinifyOptions} options
 */
const runTerser = async (sources, options) => {
  const nameCache = {};
  const minified = [];
  for (const [index, { module, preamble }] of PARTS.entries()) {
    const format = { preamble };
    const part = { module, ecma: 2021, nameCache, format };
    const { code } = await minify(sources[index], { ...part, ...options });
    minified.push(/** @type {string} */ (code));
  }
  return minified;
};

/**
 * Both parts, compressed, with their long names.
 * @param {string} folder that holds their sources
 */
export const compressPixel = async (folder) => {
  const sources = await Promise.all(PARTS.map(({ file }) => readFile(join(folder, file), "utf8")));
  return runTerser(sources, { compress: COMPRESS, mangle: false });
};

/**
 * The same parts with short names.
 * @param {string[]} compressed
 */
export const shortenNames = (compressed, letters = LETTERS) => {
  const nth_identifier = shortNames(letters);
  const properties = { regex: INNER_PROPERTIES, nth_identifier };
  return runTerser(compressed, { compress: false, mangle: { nth_identifier, properties } });
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await shortenNames(await compressPixel(process.argv[2]))));
}
