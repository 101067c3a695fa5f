/**
 * Looks for an order of letters that makes the minified pixel smaller:
 * `node tools/short_names.mjs [rounds] [letters]` prints each better one, for tools/minify.mjs.
 */
import { brotliCompressSync, constants } from "node:zlib";
import { LETTERS, minifyPixel } from "./minify.mjs";

const [rounds = "2000", start = LETTERS] = process.argv.slice(2);
const IN_USE = 45; // the first ones: later letters name nothing

/** @param {string} letters */
const size = async (letters) => {
  const parts = await minifyPixel("static", letters);
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  return parts.reduce((sum, part) => sum + brotliCompressSync(part, { params }).length, 0);
};

const anyOne = () => Math.floor(Math.random() * IN_USE);

let best = start;
let smallest = await size(best);
for (let round = 0; round < Number(rounds); round++) {
  const letters = [...best];
  for (let swaps = round % 2; swaps >= 0; swaps--) {
    const [one, other] = [anyOne(), anyOne()];
    [letters[one], letters[other]] = [letters[other], letters[one]];
  }
  const found = await size(letters.join(""));
  if (found < smallest) console.log(`${found} bytes: ${letters.join("")}`);
  // An equal one too: it leads on.
  if (found <= smallest) [best, smallest] = [letters.join(""), found];
}
