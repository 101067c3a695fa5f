/**
 * Looks for short names that make the two parts of the pixel smaller, for tools/minify.mjs:
 * `node tools/short_names.mjs [seconds]` prints the best ones. A minute is worth about 25 bytes.
 *
 * It anneals: swaps that make the parts larger are taken too, ever more rarely, so that it gets out
 * of where no single swap helps.
 */
import { brotliCompressSync, constants } from "node:zlib";
import { NAMES, numberNames, shortenNames } from "./minify.mjs";

const seconds = Number(process.argv[2] || 60);
const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
const HOTTEST = 2.5; // bytes that a swap may cost at the start, about
const COLDEST = 0.05;
// The first part, which every page loads, is the one that has no room.
const WEIGHTS = [4, 1];

const parts = await numberNames("static");
const orders = [...NAMES.variables, NAMES.properties].map((names) => names.split(" "));

/** The weighed size in bytes of the parts. */
const measure = () => {
  const sizes = parts.map((part, i) => {
    const short = shortenNames(part, orders[i], orders[2]);
    return WEIGHTS[i] * brotliCompressSync(short, { params }).length;
  });
  return sizes[0] + sizes[1];
};

const randomIndex = (/** @type {number} */ length) => Math.floor(Math.random() * length);

/**
 * Swaps two names; to do it again undoes it.
 * @param {string[]} names
 * @param {number} a
 * @param {number} b
 */
const swap = (names, a, b) => {
  [names[a], names[b]] = [names[b], names[a]];
};

const start = Date.now();
let current = measure();
let smallest = current;
let best = orders.map((names) => names.join(" "));
for (let passed = 0; passed < 1; passed = (Date.now() - start) / (seconds * 1000)) {
  const heat = HOTTEST * (1 - passed) + COLDEST;
  const names = orders[randomIndex(orders.length)];
  const [a, b] = [randomIndex(names.length), randomIndex(names.length)];
  swap(names, a, b);
  const size = measure();
  if (size <= current || Math.random() < Math.exp((current - size) / heat)) current = size;
  else swap(names, a, b);
  if (current < smallest) {
    smallest = current;
    best = orders.map((order) => order.join(" "));
  }
}
console.log(best.join("\n"));
