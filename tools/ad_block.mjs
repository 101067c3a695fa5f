// Asks uBlock Origin's own engine which requests it would block. Standard input holds
// {"rules": "<Adblock syntax>", "requests": [{"url", "originURL", "type"}, …]}; printed is one JSON
// array with, for each request, the text of the rule that blocks it, or null.

import process from "node:process";
import { text } from "node:stream/consumers";
import { StaticNetFilteringEngine } from "@gorhill/ubo-core";

const BLOCKED = 1;

const { rules, requests } = JSON.parse(await text(process.stdin));
const engine = await StaticNetFilteringEngine.create();
await engine.useLists([{ name: "rules", raw: rules }]);
const verdicts = requests.map((request) =>
  engine.matchRequest(request) === BLOCKED ? engine.toLogData().raw : null,
);
console.log(JSON.stringify(verdicts));
