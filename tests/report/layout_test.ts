import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { inFolder, runProgram } from "../cli/program.ts";
import { projectPath } from "../support.ts";
import { openBrowserOrSkip, withPage } from "./browser.ts";

const browser = await openBrowserOrSkip();
after(() => browser?.close());

test("nothing covers or cuts off the facts of a frame, at any width of the page", () =>
  inFolder(async (folder) => {
    const args = ["distill", projectPath("data/hydrogen-1000K.xyz.gz"), "-n", "8", "-o", "out"];
    const { code, stderr } = await runProgram([...args, "--backend", "cpu"], { cwd: folder });
    assert.equal(code, 0, stderr);
    if (!browser) return;
    for (const width of [1400, 1000, 390]) {
      const options = { viewport: { width, height: 900 } };
      await withPage(browser, join(folder, "out/report.html"), options, async (page) => {
        const facts = page.locator(".facts-box");
        const hidden: number = await page.evaluate(
          "(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)" +
            '(document.querySelector(".facts-box"))',
        );
        const rows = await facts.locator("tr").count();
        assert.ok(rows >= 5, `${rows} facts`);
        assert.ok(hidden <= 0, `${hidden} pixels of the facts are hidden at a width of ${width}`);
        const [box, below] = await Promise.all(
          [facts, page.locator("#count")].map((part) => part.boundingBox()),
        );
        assert.ok(box!.y + box!.height <= below!.y + 1, `covered at a width of ${width}`);
      });
    }
  }));

test("ids of the sample do not show where the program lies", () =>
  inFolder(async (folder) => {
    const demo = await runProgram([
      "demo",
      "-n",
      "5",
      "--backend",
      "cpu",
      "-o",
      join(folder, "out"),
    ], {
      cwd: projectPath(""),
      env: { CPD_CACHE_DIR: join(folder, "cache") },
    });
    assert.equal(demo.code, 0, demo.stderr);
    const ids = readFileSync(join(folder, "out/selected.txt"), "utf8").trim().split("\n");
    for (const id of ids) assert.match(id, /^data\/hydrogen-1000K\.xyz\.gz@\d+$/);
  }));
