import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseBooleans, parseCommentLine, parseNumbers } from "../../src/io/comment_line.ts";
import { parseFrame } from "../../src/io/extxyz.ts";
import { splitFrames } from "../../src/io/frame_ranges.ts";
import { parseInput, sliceMask } from "../../src/io/inputs.ts";
import { npyBytes, npyHeader, readNpy } from "../../src/io/npy.ts";
import { parseNumberBytes } from "../../src/io/number_bytes.ts";
import { csvLine } from "../../src/io/table.ts";

const encoder = new TextEncoder();

test("parseNumberBytes() rounds exactly as Number()", () => {
  const parse = (text: string) => {
    const bytes = encoder.encode(`x${text}y`);
    return parseNumberBytes(bytes, 1, bytes.length - 1);
  };
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
    assert.equal(parse(String(x)), Number(String(x)));
    assert.equal(parse(x.toFixed(8)), Number(x.toFixed(8)));
    assert.equal(parse(x.toExponential(12)), Number(x.toExponential(12)));
  }));
  fc.assert(fc.property(fc.integer(), fc.nat({ max: 25 }), (whole, decimals) => {
    const text = `${whole}.${"7".repeat(decimals)}`;
    assert.equal(parse(text), Number(text));
  }));
  assert.equal(parse("1.5D-3"), 1.5e-3);
  for (const text of ["", ".", "-", "1e", "nan", "inf", "0x10", "1_0", "1-2", "1.2.3", "e5"]) {
    assert.ok(Number.isNaN(parse(text)), text);
  }
});

test("parseCommentLine() reads what ASE, GPUMD and libAtoms write", () => {
  const info = parseCommentLine(
    `Lattice="1 0 0 0 1 0 0 0 1" energy=-1.5 a = b  flag "two words"="x \\"y\\" z" v={1 2} w=[1, 2] s='q r' flag2`,
  );
  assert.deepEqual(Object.fromEntries(info), {
    "Lattice": "1 0 0 0 1 0 0 0 1",
    "energy": "-1.5",
    "a": "b",
    "flag": "T",
    "two words": 'x "y" z',
    "v": "1 2",
    "w": "1, 2",
    "s": "q r",
    "flag2": "T",
  });
  fc.assert(fc.property(fc.string(), (line) => void parseCommentLine(line)));
  assert.deepEqual(parseNumbers("[[1, 2], [3.5, 4d0]]"), [1, 2, 3.5, 4]);
  assert.deepEqual(parseBooleans("T true 1 F False 0 x"), [
    true,
    true,
    true,
    false,
    false,
    false,
    null,
  ]);
});

async function split(text: string, chunkSize: number) {
  const bytes = encoder.encode(text);
  async function* chunks() {
    for (let i = 0; i < bytes.length; i += chunkSize) {
      yield await Promise.resolve(bytes.slice(i, i + chunkSize));
    }
  }
  const frames: { start: number; end: number; line: number; nAtoms: number; z: number }[] = [];
  let truncated = null;
  for await (const raw of splitFrames(chunks(), "f", (t) => truncated = t)) {
    const { species, positions } = parseFrame(raw, "f");
    assert.equal(species.length, raw.nAtoms);
    const { start, end, line, nAtoms } = raw;
    frames.push({ start, end, line, nAtoms, z: positions[2] });
  }
  return { frames, truncated, length: bytes.length };
}

test("splitFrames() gives the same frames for any chunk size, and ranges tile the file", async () => {
  const text = "1\nc\nH 0 0 1\n\n2\nc é\r\nH 0 0 2\nH 0 0 3\n \n\n1\n\nH 0 0 4";
  const whole = await split(text, 1e6);
  assert.deepEqual(whole.frames.map(({ line }) => line), [1, 5, 11]);
  assert.deepEqual(whole.frames.map(({ z }) => z), [1, 2, 4]);
  assert.equal(whole.frames[0].start, 0);
  whole.frames.slice(1).forEach(({ start }, i) => assert.equal(start, whole.frames[i].end));
  assert.equal(whole.frames[2].end, whole.length);
  for (const size of [1, 2, 3, 7, 16]) assert.deepEqual(await split(text, size), whole);
  const cut = await split("1\nc\nH 0 0 1\n3\nc\nH 0 0 2\n", 5);
  assert.equal(cut.frames.length, 1);
  assert.deepEqual(cut.truncated, { index: 1, line: 4, declared: 3, rows: 1 });
});

test("splitFrames() gives up on what holds no frame before it fills the memory", async () => {
  const chunk = new TextEncoder().encode(`${"x".repeat(1023)}\n`.repeat(1024));
  let read = 0;
  async function* text() {
    for (; read < 1000; read++) yield chunk;
    await Promise.resolve();
  }
  const frames = splitFrames(text(), "big.txt", () => {});
  await assert.rejects(
    frames.next(),
    /big\.txt: 64 MiB of it hold no frame, this is not extended XYZ/,
  );
  assert.ok(read < 70, `${read} MiB were read`);
});

test("slices are those of ASE", () => {
  const take = (text: string, n: number) => {
    const mask = sliceMask(parseInput(`f@${text}`).slice, n);
    return mask.flatMap((taken, i) => (taken ? [i] : []));
  };
  assert.deepEqual(take("3", 6), [3]);
  assert.deepEqual(take("-1", 6), [5]);
  assert.deepEqual(take("-2", 6), [4]);
  assert.deepEqual(take(":", 3), [0, 1, 2]);
  assert.deepEqual(take("1:4", 6), [1, 2, 3]);
  assert.deepEqual(take("::2", 6), [0, 2, 4]);
  assert.deepEqual(take("-3:", 6), [3, 4, 5]);
  assert.deepEqual(take(":-1:2", 6), [0, 2, 4]);
  assert.deepEqual(take("::-2", 6), [1, 3, 5]);
  assert.deepEqual(take("9:", 6), []);
  assert.equal(parseInput("run@300K/x.xyz").slice, null);
  assert.throws(() => parseInput("f@1:2:3:4"), /Cannot parse slice/);
});

test("npy files of both types are read back", () => {
  for (const type of ["<f4", "<f8"] as const) {
    const data = [1, -2.5, 3, 4, 5, 6];
    const header = npyHeader([2, 3], type);
    assert.equal(header.length % 64, 0);
    const bytes = Uint8Array.from([...header, ...npyBytes(data, type)]);
    assert.deepEqual(readNpy(bytes, "f"), { rows: 2, cols: 3, data: Float64Array.from(data) });
    assert.throws(() => readNpy(bytes.subarray(0, bytes.length - 1), "f"), /f: it holds/);
  }
  assert.throws(
    () => readNpy(encoder.encode("hello, this is text"), "f"),
    /f: it is not a \.npy file/,
  );
  const nan = Uint8Array.from([...npyHeader([1, 1], "<f8"), ...npyBytes([NaN], "<f8")]);
  assert.throws(() => readNpy(nan, "f"), /row 0 holds a number that is not finite/);
});

test("csvLine() quotes what needs it", () => {
  assert.equal(csvLine(["a", 1.5, 'x,"y"', ""]), 'a,1.5,"x,""y""",\n');
});
