// Drives Firefox over WebDriver BiDi for engines.py: a JSON command in each line of standard input,
// a JSON answer in each line of standard output. usage: node firefox.mjs EXECUTABLE
import process from "node:process";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const executablePath = process.argv[2];
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
let visitor;
let tabs = [];
const tab = () => tabs.at(-1);

const actions = {
  /** A profile that has seen nothing, with one tab. */
  async start_visitor() {
    visitor = await browser.createBrowserContext();
    tabs = [];
    await actions.new_tab();
  },
  async end_visitor() {
    await visitor.close();
  },
  async new_tab() {
    const page = await visitor.newPage();
    page.on("dialog", (dialog) => dialog.dismiss());
    tabs.push(page);
  },
  async close_tab() {
    await tabs.pop().close();
  },
  async go({ url }) {
    await tab().goto(url);
  },
  async evaluate({ expression }) {
    return await tab().evaluate(expression);
  },
  async click({ x, y, times }) {
    await tab().mouse.click(x, y, { count: times });
  },
  async write({ text }) {
    await tab().keyboard.type(text);
  },
  async press_enter() {
    await tab().keyboard.press("Enter");
  },
};

async function answer({ action, ...options }) {
  try {
    return { value: (await actions[action](options)) ?? null };
  } catch (error) {
    return { error: String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
await browser.close();
