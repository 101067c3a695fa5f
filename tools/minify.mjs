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
    "submission|personText|hasLeft|dialogText|answers|group",
  ].join("|")})$`,
);

// Chosen by size; the browser tests run what comes out of it.
const COMPRESS = {
  passes: 5,
  unsafe: true,
  unsafe_arrows: true,
  pure_getters: true,
  keep_fargs: false,
  booleans_as_integers: true,
};

// Chromium compiles every function of the first part while it is downloaded, off the main thread.
const COMPILE_AHEAD = "//# allFunctionsCalledOnLoad";

// Short names in orders that brotli likes, as `node tools/short_names.mjs` finds them: for the
// variables of each part, the more used ones first, and for the properties that the parts share.
// No property is called q, as one that pages know is: ppp.q.
export const NAMES = {
  variables: [
    "n g l f e W V M B Q D H v r j C I U m se u a L i d c F A Y P J R O K p nt t st w b k " +
      "N et X G s S o h es x E y T er z Z ne te re _ en on q le $",
    "s l h w k t i W f n c b d g ne Y A O I e a q M P le on K z G v j Q R er L es D se et " +
      "x T u F _ te p Z C nt X m B J H U S V $ N r en E y o st re",
  ],
  properties:
    "e c m l I n b B h G U g i P k s X T r R _ j Z Y o W C u F S z V f L N Q J t D v x y " +
    "A d O a H p M w K E $",
};

// Until they get their short names, the variables and properties are single letters from here on.
const FIRST_VARIABLE = 0x4e00;
const FIRST_PROPERTY = 0x5e00;

const PARTS = [
  { file: "pixel.js", module: false, preamble: COMPILE_AHEAD },
  { file: "pixel-more.js", module: true, preamble: "" },
];

/** How terser gives names: the more often a name is used, the lower its number. */
const numbered = (/** @type {number} */ first) => ({
  get: (/** @type {number} */ number) => String.fromCharCode(first + number),
});

/**
 * Runs terser over both parts.
 * @param {string[]} sources
 * @param {import("terser").MinifyOptions} options
 */
const runTerser = async (sources, options) => {
  const shared = { props: {} };
  const minified = [];
  for (const [index, { module, preamble }] of PARTS.entries()) {
    const format = { preamble };
    const nameCache = { props: shared };
    const part = { module, toplevel: true, ecma: 2021, nameCache, format };
    const { code } = await minify(sources[index], { ...part, ...options });
    minified.push(/** @type {string} */ (code));
  }
  return minified;
};

/**
 * Both parts, compressed, with their long names.
 * @param {string} folder that holds their sources
 */
const compressPixel = async (folder) => {
  const sources = await Promise.all(PARTS.map(({ file }) => readFile(join(folder, file), "utf8")));
  // One word for all variables: brotli likes it, and terser joins more of them.
  const variables = sources.map((source) => source.replace(/\bconst (?=[\w{[])/g, "let "));
  return runTerser(variables, { compress: COMPRESS, mangle: false });
};

/**
 * Both parts, compressed, with a single letter of its own in place of each name.
 * @param {string} folder that holds their sources
 */
export const numberNames = async (folder) => {
  const properties = { regex: INNER_PROPERTIES, nth_identifier: numbered(FIRST_PROPERTY) };
  const mangle = { nth_identifier: numbered(FIRST_VARIABLE), properties };
  return runTerser(await compressPixel(folder), { compress: false, mangle });
};

/**
 * One part with its short names.
 * @param {string} numbered
 * @param {string[]} variables
 * @param {string[]} properties
 */
export const shortenNames = (numbered, variables, properties) =>
  numbered.replace(/[\u4e00-\u6dff]/g, (letter) => {
    const code = letter.charCodeAt(0);
    const name = variables[code - FIRST_VARIABLE] || properties[code - FIRST_PROPERTY];
    if (!name) throw new Error("NAMES in tools/minify.mjs has too few names");
    return name;
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = await numberNames(process.argv[2]);
  const [variables, properties] = [NAMES.variables, NAMES.properties.split(" ")];
  const short = parts.map((part, i) => shortenNames(part, variables[i].split(" "), properties));
  console.log(JSON.stringify(short));
}
