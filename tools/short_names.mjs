/**
 * Looks for an order of letters that makes the two parts of the pixel smaller:
 * `node tools/short_names.mjs [rounds] [letters]` prints each better one, for tools/minify.mjs.
 */
import { brotliCompressSync, constants } from "node:zlib";
import { compressPixel, LETTERS, shortenNames } from "./minify.mjs";

const [rounds = "2000", start = LETTERS] = process.argv.slice(2);
const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
const compressed = await compressPixel("static");

/**
 * The size in bytes of both parts; that of the first one, which every page loads, counts twice.
 * @param {string} letters
 */
const size = async (letters) => {
  const parts = await shortenNames(compressed, letters);
  const [first = 0, second = 0] = parts.map((part) => brotliCompressSync(part, { params }).length);
  return 2 * first + second;
};

const randomPosition = () => Math.floor(Math.random() * LETTERS.length);

let best = start;
let smallest = await size(best);
for (let round = 0; round < Number(rounds); round++) {
  const letters = [...best];
  for (let swaps = round % 2; swaps >= 0; swaps--) {
    const [a, b] = [randomPosition(), randomPosition()];
    [letters[a], letters[b]] = [letters[b], letters[a]];
  }
  const candidate = letters.join("");
  const bytes = await size(candidate);
  if (bytes < smallest) console.log(`${bytes} bytes: ${candidate}`);
  // An equal one is taken too: others may be reached from it.
  if (bytes <= smallest) [best, smallest] = [candidate, bytes];
}
