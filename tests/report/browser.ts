import { existsSync } from "node:fs";
import process from "node:process";
import { type Browser, chromium, type Page } from "playwright-core";
import assert from "node:assert/strict";

const PATHS = [process.env.CPD_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"];
const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
];

/** Headless Chromium, or null (with a printed reason) where there is none. */
export async function openBrowserOrSkip(): Promise<Browser | null> {
  const path = PATHS.find((candidate) => candidate && existsSync(candidate));
  if (path) return await chromium.launch({ executablePath: path, args: FLAGS });
  if (process.env.REQUIRE_CHROMIUM === "1") throw new Error("There is no Chromium");
  console.log("skipped: the report in a browser: there is no Chromium; CPD_CHROMIUM names one");
  return null;
}

type PageOptions = Parameters<Browser["newPage"]>[0];

/** Opens a file; whatever goes wrong on the page, or is asked of a network, fails the test. */
export async function withPage(
  browser: Browser,
  path: string,
  options: PageOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage(options);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) complaints.push(`request ${request.url()}`);
  });
  try {
    await page.goto(`file://${path}`);
    await page.waitForFunction('document.getElementById("frame").value !== ""');
    await use(page);
    assert.deepEqual(complaints, []);
  } finally {
    await page.close();
  }
}
