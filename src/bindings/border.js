// The border of the hot path: texts in, texts out. Python decides; this reads the request, asks D1
// and makes the response (border.py). What it does not take, Python reads itself.
let begin;
let resume;
let database;
let settings;
const batches = [];

export function install(beginning, resuming, binding, settingsText) {
  begin = beginning;
  resume = resuming;
  database = binding;
  settings = JSON.parse(settingsText);
}

/** Keeps the statements of a batch, prepared, under its number. */
export function prepare(number, statementsText) {
  batches[number] = JSON.parse(statementsText).map((sql) => database.prepare(sql));
}

/** The response in the making to a tracking request; undefined for any other. */
export function carry(request, context) {
  if (request.method !== "POST") return;
  const { headers, url } = request;
  const length = headers.get("content-length");
  if (!/^\d+$/.test(length) || +length > settings.maxBytes) return;
  if (!settings.paths.includes(new URL(url).pathname)) return;
  // In an object: of a promise that a call returns, Pyodide makes a future.
  return { promise: answer(request, context, url, headers) };
}

let calls = 0;

async function answer(request, context, url, headers) {
  const { cf } = request;
  const head = JSON.stringify([
    url,
    [cf?.country, cf?.region, cf?.city],
    cf?.botManagement?.verifiedBot === true,
    settings.headers.map((name) => headers.get(name)),
  ]);
  let body;
  try {
    body = await request.text();
  } catch {
    // The client has gone; Python is told by a body that is missing.
  }
  const call = ++calls;
  let instruction = begin(call, { request, context }, head, body);
  while (typeof instruction === "string" && instruction[0] === "b") {
    let row;
    let problem;
    try {
      row = await run(instruction);
    } catch (error) {
      problem = String(error);
    }
    instruction = resume(call, row, problem);
  }
  return typeof instruction === "string" ? response(instruction) : instruction;
}

/** Runs a batch, told as `b`, its number, a line feed and its parameters; returns its answer. */
async function run(instruction) {
  const end = instruction.indexOf("\n");
  const parameters = instruction.slice(end + 1);
  const statements = batches[instruction.slice(1, end)];
  const results = await database.batch(statements.map((statement) => statement.bind(parameters)));
  return results[statements.length - 1].results[0]?.answer;
}

/** The response that is told as its options, a line feed and its body. */
function response(instruction) {
  const end = instruction.indexOf("\n");
  return new Response(instruction.slice(end + 1) || null, JSON.parse(instruction.slice(0, end)));
}
