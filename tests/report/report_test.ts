import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { matrix } from "../../src/matrix.ts";
import type { Distillation } from "../../src/pipeline.ts";
import { colorFrames } from "../../src/report/browser/map.js";
import { formatPage } from "../../src/report/page.ts";
import { placesToShow, reportData } from "../../src/report/report_data.ts";
import { inFolder, runProgram } from "../cli/program.ts";
import { makeFrame, normalNumbers, projectPath, randomNumbers } from "../support.ts";
import { openBrowserOrSkip, withPage } from "./browser.ts";

const browser = await openBrowserOrSkip();
after(async () => await browser?.close());

const SAMPLE = projectPath("data/hydrogen-1000K.xyz.gz");
const DESK = { viewport: { width: 1280, height: 900 } };

interface Row {
  readonly id: string;
  readonly pc1: number;
  readonly pc2: number;
  readonly selected: boolean;
}

async function distilled(folder: string): Promise<Row[]> {
  const args = ["distill", SAMPLE, "-n", "20", "-o", "out", "--backend", "cpu"];
  const { code, stderr } = await runProgram(args, { cwd: folder });
  assert.equal(code, 0, stderr);
  const [head, ...lines] = readFileSync(join(folder, "out/frames.csv"), "utf8").trim().split("\n")
    .map((line) => line.split(","));
  const at = (line: string[], name: string) => line[head.indexOf(name)];
  return lines.map((line) => ({
    id: at(line, "id"),
    pc1: Number(at(line, "pc1")),
    pc2: Number(at(line, "pc2")),
    selected: at(line, "selected") === "1",
  }));
}

/** Where a point of the map is on the screen: 3 % of room within margins of 46, 12, 10 and 34 pixels. */
async function places(page: Page, points: readonly { pc1: number; pc2: number }[]) {
  const box = (await page.locator("#map").boundingBox())!;
  const axis = (values: number[], from: number, to: number) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = 0.03 * (high - low);
    return (v: number) => from + (v - low + room) / (high - low + 2 * room) * (to - from);
  };
  const x = axis(points.map(({ pc1 }) => pc1), 46, box.width - 12);
  const y = axis(points.map(({ pc2 }) => pc2), box.height - 34, 10);
  return {
    at: (p: { pc1: number; pc2: number }) => [box.x + x(p.pc1), box.y + y(p.pc2)] as const,
    place: (p: { pc1: number; pc2: number }) => [x(p.pc1), y(p.pc2)] as const,
    box,
  };
}

const idOf = (page: Page) => page.locator("#frame").inputValue();

/** Downloads what "save ids" gives. */
async function savedIds(page: Page): Promise<string[]> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  assert.equal(download.suggestedFilename(), "frames.txt");
  return readFileSync((await download.path())!, "utf8").trim().split("\n");
}

test("the report renders; a click shows the right frame, a lasso saves the right ids", () =>
  inFolder(async (folder) => {
    const rows = await distilled(folder);
    if (!browser) return;
    await withPage(browser, join(folder, "out/report.html"), DESK, async (page) => {
      const { at, place, box } = await places(page, rows);
      // Frames with no neighbor on the map within a few pixels can be hit without doubt.
      const alone = rows.filter((row) =>
        rows.every((other) => {
          const [[a, b], [c, d]] = [place(row), place(other)];
          return other === row || Math.hypot(a - c, b - d) > 8;
        })
      );
      assert.ok(alone.length > 20);
      for (const row of alone.slice(0, 12)) {
        await page.mouse.click(...at(row));
        assert.equal(await idOf(page), row.id);
        assert.match(await page.locator("#facts").innerText(), new RegExp(row.id.slice(-6)));
        assert.equal(await page.locator("#viewer-note").innerText(), "64 atoms");
      }
      assert.ok(await page.locator("#viewer canvas").isVisible());

      const [left, top, right, bottom] = [0.15, 0.1, 0.62, 0.7].map((share, k) =>
        share * (k % 2 ? box.height : box.width)
      );
      const inside = rows.filter((row) => {
        const [a, b] = place(row);
        return a > left && a < right && b > top && b < bottom;
      });
      assert.ok(inside.length > 10 && inside.length < rows.length);
      const corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
      const move = ([a, b]: number[]) => page.mouse.move(box.x + a, box.y + b, { steps: 4 });
      await move(corners[0]);
      await page.mouse.down();
      for (const corner of [...corners.slice(1), corners[0]]) await move(corner);
      const shown = await idOf(page);
      await page.mouse.up();
      assert.equal(await idOf(page), shown, "a lasso is not a click");
      assert.deepEqual(await savedIds(page), inside.map(({ id }) => id));
      await page.click("#mark-chosen");
      const chosen = rows.filter(({ selected }) => selected).map(({ id }) => id);
      assert.deepEqual((await savedIds(page)).toSorted(), chosen.toSorted());
    });
  }));

test("the report can be used with the keyboard, in the dark and on a phone", () =>
  inFolder(async (folder) => {
    const rows = await distilled(folder);
    if (!browser) return;
    const path = join(folder, "out/report.html");
    await withPage(browser, path, { ...DESK, colorScheme: "dark" }, async (page) => {
      const paper = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      assert.equal(paper, "rgb(20, 23, 27)");
      await page.focus("#map");
      await page.keyboard.press("End");
      assert.equal(await idOf(page), rows[rows.length - 1].id);
      await page.keyboard.press("ArrowRight");
      assert.equal(await idOf(page), rows[0].id);
      await page.keyboard.press("Enter");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("Enter");
      assert.deepEqual(await savedIds(page), [rows[0].id, rows[1].id]);
      await page.focus("#map");
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("#count").innerText(), "0 frames marked");
      assert.ok(await page.locator("#save").isDisabled());
      await page.fill("#frame", rows[100].id);
      await page.keyboard.press("Tab");
      assert.match(
        await page.locator("#facts").innerText(),
        new RegExp(`${rows[100].id.slice(-6)}`),
      );
      for (const [name, label] of [["rs", "rs"], ["pool", "pool"], ["volume, Å³/atom", "volume"]]) {
        await page.selectOption("#color", { label: name });
        assert.ok((await page.locator("#legend").innerText()).length > 0, label);
      }
      await page.selectOption("#copies", "2");
    });
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    await withPage(browser, path, phone, async (page) => {
      const [content, screen] = await page.evaluate(
        "[document.documentElement.scrollWidth, innerWidth]",
      ) as number[];
      assert.ok(content <= screen, `the page is ${content} wide on a screen of ${screen}`);
      const [first] = rows.filter(({ pc1 }) => pc1 === Math.max(...rows.map((r) => r.pc1)));
      const { at } = await places(page, rows);
      await page.touchscreen.tap(...at(first));
      assert.equal(await idOf(page), first.id);
    });
  }));

/** A distillation of random points, as far as the page needs it. */
function pretend(n: number, nChosen: number): Distillation {
  return {
    rank: Uint32Array.from({ length: n }, (_, i) => (i < nChosen ? i + 1 : 0)),
    pool: new Array(n).fill("none"),
    density: Uint32Array.from({ length: n }, (_, i) => i % 977),
    scores: matrix(n, 2, normalNumbers(4, 2 * n)),
    components: { explainedVariance: Float64Array.of(0.6, 0.3) },
  } as unknown as Distillation;
}

const EMPTY = {
  title: "pretended",
  facts: [],
  warnings: [],
  figures: [],
  coverage: [],
  methods: "",
  citations: "",
  command: "",
};

function pretendFrames(n: number, nAtoms: number) {
  return Array.from({ length: n }, (_, index) => ({
    ...{ file: "big.xyz", index, nAtoms, volume: 10 + index % 7, energyFactor: 1 },
    values: { time: String(0.5 * index) },
  }));
}

test("the page holds 100,000 frames, and finds one of them", () =>
  inFolder(async (folder) => {
    const n = 100_000;
    const result = pretend(n, 200);
    const frames = pretendFrames(n, 256);
    const options = { energyKey: null, strata: null };
    const path = join(folder, "big.html");
    writeFileSync(path, formatPage(EMPTY, reportData(frames, result, options, [])));
    if (!browser) return;
    await withPage(browser, path, DESK, async (page) => {
      const rows = frames.map(({ index }) => ({
        pc1: result.scores.data[2 * index],
        pc2: result.scores.data[2 * index + 1],
      }));
      const far = rows.reduce((a, b) => (b.pc1 > a.pc1 ? b : a));
      const box = (await page.locator("#map").boundingBox())!;
      // `Math.max` cannot take 100,000 arguments; two corners give the same axes.
      const low = { pc1: Infinity, pc2: Infinity };
      const high = { pc1: -Infinity, pc2: -Infinity };
      for (const row of rows) {
        for (const k of ["pc1", "pc2"] as const) {
          low[k] = Math.min(low[k], row[k]);
          high[k] = Math.max(high[k], row[k]);
        }
      }
      const { at } = await places(page, [low, high]);
      assert.ok(box.width > 0);
      await page.mouse.click(...at(far));
      assert.equal(await idOf(page), `big.xyz@${rows.indexOf(far)}`);
      const note = await page.locator("#viewer-note").innerText();
      assert.match(note, /does not hold this structure|no 3D view/);
    });
  }));

test("whatever a comment line holds, the page's data can be read", async () => {
  const note = "<!--<script></script>\u2028&amp;";
  const frames = pretendFrames(4, 2).map((frame, i) => ({
    ...frame,
    values: { note: `${note}${i % 2}` },
  }));
  const options = { energyKey: null, strata: null };
  const page = formatPage(EMPTY, reportData(frames, pretend(4, 2), options, []));
  const json = page.match(/id="cpd-data">(.*?)<\/script>/s)![1];
  assert.ok(!json.includes("<"));
  const { columns } = JSON.parse(json) as { columns: { label: string; names?: string[] }[] };
  const column = columns.find(({ label }) => label === "note")!;
  assert.deepEqual(column.names, [`${note}0`, `${note}1`]);
  if (!browser) return;
  await inFolder(async (folder) => {
    const path = join(folder, "page.html");
    writeFileSync(path, page);
    await withPage(browser, path, DESK, async (opened) => {
      await opened.focus("#map");
      for (const key of ["Home", "PageUp", "PageDown", "PageDown"]) {
        await opened.keyboard.press(key);
      }
      assert.equal(await idOf(opened), "big.xyz@2"); // 0 - 10 + 10 + 10 in a ring of 4
    });
  });
});

test("a structure too large for the page does not keep the others out", () => {
  const frames = pretendFrames(5, 100).map((frame, i) => ({
    ...frame,
    nAtoms: i === 1 ? 1e8 : 100,
  }));
  assert.deepEqual(placesToShow(frames, Uint32Array.of(2, 1, 0, 0, 0)), [0, 2, 3, 4]);
});

test("every frame has a colour: values at the ends of the range, beyond them by rounding, missing", () => {
  const values = Float32Array.of(1.18, 1.2, 1.64, NaN);
  const { palette, index } = colorFrames({ values, range: [1.18, 1.64], log: false }, 4);
  assert.ok(values[0] < 1.18, "float32 rounds down here");
  assert.equal(index[0], 0);
  assert.equal(palette[index[2]], palette[palette.length - 2]);
  assert.equal(index[3], palette.length - 1);
  const flat = colorFrames({ values: Float32Array.of(2, 2), range: [2, 2], log: true }, 2);
  assert.ok(flat.index.every((c: number) => flat.palette[c] !== undefined));
  const names = colorFrames({ values: Uint32Array.of(0, 9), names: new Array(10).fill("x") }, 2);
  assert.ok(names.index.every((c: number) => names.palette[c] !== undefined));
});

test("1,000 frames of 256 atoms make a page well under 20 MB, with positions to 2e-4 Å", () =>
  inFolder((folder) => {
    const [n, nAtoms] = [1000, 256];
    const result = pretend(n, 100);
    const frames = pretendFrames(n, nAtoms);
    const shown = placesToShow(frames, result.rank);
    assert.equal(shown.length, n);
    const positions = randomNumbers(1, 3 * nAtoms).map((x) => 7 * x);
    const structures = shown.map((place) => ({
      place,
      frame: makeFrame(new Array(nAtoms).fill(1), positions, [7, 0, 0, 0, 7, 0, 0, 0, 7]),
    }));
    const data = reportData(frames, result, { energyKey: null, strata: null }, structures);
    const path = join(folder, "page.html");
    writeFileSync(path, formatPage(EMPTY, data));
    const bytes = statSync(path).size;
    assert.ok(bytes < 8e6, `${bytes} bytes`);
    const unpack = <T>(
      packed: { base64: string },
      read: (view: DataView, i: number) => T,
      i: number,
    ) => {
      const raw = Uint8Array.from(Buffer.from(packed.base64, "base64"));
      return read(new DataView(raw.buffer), i);
    };
    const { low, step, positions: packed } = data.structures;
    for (const i of [0, 1, 2, 300, 767]) {
      const [a, b] = [low, step].map((p) =>
        unpack(p, (view, k) => view.getFloat32(4 * k, true), i % 3)
      );
      const x = a + b * unpack(packed, (view, k) => view.getUint16(2 * k, true), i);
      assert.ok(Math.abs(x - positions[i]) < 2e-4, `${x} ${positions[i]}`);
    }
    return Promise.resolve();
  }));
