import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openArchive, readEntry } from "../src/checkpoint/archive.ts";
import type { Frame, Graph } from "../src/frame.ts";
import { uniform } from "../src/rng.ts";

/** Largest |a - b| divided by the largest |b|. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length, "array lengths differ");
  let [error, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    error = difference > error || Number.isNaN(difference) ? difference : error;
    size = Math.max(size, Math.abs(expected[i]));
  }
  return size === 0 ? error : error / size;
}

/** Asserts that two arrays agree to `tolerance` relative to the largest expected element. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  label: string,
): void {
  const error = relativeError(actual, expected);
  assert.ok(error <= tolerance, `${label}: relative error ${error}, allowed ${tolerance}`);
}

/** Largest |a - b| of a row divided by the row's norm, over all rows. */
export function rowError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  width: number,
): number {
  assert.equal(actual.length, expected.length, "array lengths differ");
  let worst = 0;
  for (let row = 0; row < expected.length; row += width) {
    let [error, norm] = [0, 0];
    for (let i = row; i < row + width; i++) {
      const difference = Math.abs(actual[i] - expected[i]);
      error = difference > error || Number.isNaN(difference) ? difference : error;
      norm += expected[i] ** 2;
    }
    worst = Math.max(worst, norm === 0 ? error : error / Math.sqrt(norm));
    if (Number.isNaN(error)) return NaN;
  }
  return worst;
}

/** Path of a file of the project. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/** Path of shared reference material, or null (with a printed reason) where it is not present. */
export function sharedPath(path: string): string | null {
  const full = fileURLToPath(new URL(`../../shared/${path}`, import.meta.url));
  if (existsSync(full)) return full;
  console.log(`skipped: reference material ${path} is not present`);
  return null;
}

export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Reads one array of an `.npz` written by numpy. */
export interface Npz {
  readonly names: string[];
  array(name: string): NpyArray;
  text(name: string): string;
}

export function readNpz(path: string): Npz {
  const archive = openArchive(readFileSync(path));
  const raw = (name: string) => {
    const bytes = readEntry(archive, `${name}.npy`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = bytes[6] === 1 ? 10 : 12;
    const length = bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
    const header = new TextDecoder().decode(bytes.subarray(start, start + length));
    const descr = header.match(/'descr': '([^']+)'/)![1];
    const shape = header.match(/'shape': \(([^)]*)\)/)![1].split(",").filter((s) => s.trim())
      .map(Number);
    assert.ok(!header.includes("'fortran_order': True"), "Fortran order is not expected");
    const data = Uint8Array.from(bytes.subarray(start + length));
    return { descr, shape, view: new DataView(data.buffer), bytes: data };
  };
  return {
    names: [...archive.entries.keys()].map((name) => name.replace(/\.npy$/, "")),
    array(name) {
      const { descr, shape, view } = raw(name);
      const count = shape.reduce((product, n) => product * n, 1);
      const read: Record<string, (i: number) => number> = {
        "<f8": (i) => view.getFloat64(8 * i, true),
        "<i8": (i) => Number(view.getBigInt64(8 * i, true)),
        "<i4": (i) => view.getInt32(4 * i, true),
        "|b1": (i) => view.getUint8(i),
      };
      return { shape, data: Float64Array.from({ length: count }, (_, i) => read[descr](i)) };
    },
    text(name) {
      const { view } = raw(name);
      let text = "";
      for (let i = 0; i < view.byteLength; i += 4) {
        text += String.fromCodePoint(view.getUint32(i, true));
      }
      return text;
    },
  };
}

/** [atom][component][channel] from MACE's [atom][channel][component]. */
export function channelFastest({ shape, data }: NpyArray): Float64Array {
  const [n, channels, components] = shape;
  const out = new Float64Array(data.length);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < channels; c++) {
      for (let m = 0; m < components; m++) {
        out[(i * components + m) * channels + c] = data[(i * channels + c) * components + m];
      }
    }
  }
  return out;
}

/** Components `first … first + count` of features [atom][component][channel]. */
export function components(
  x: Float64Array,
  d: number,
  channels: number,
  first: number,
  count: number,
): Float64Array {
  const nAtoms = x.length / (d * channels);
  const out = new Float64Array(nAtoms * count * channels);
  for (let n = 0; n < nAtoms; n++) {
    const from = (n * d + first) * channels;
    out.set(x.subarray(from, from + count * channels), n * count * channels);
  }
  return out;
}

/** Uniform numbers in [0, 1), from a seed. */
export function randomNumbers(seed: number, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => uniform(BigInt(seed), 7n, BigInt(i)));
}

/** Standard normal numbers, from a seed. */
export function normalNumbers(seed: number, n: number): Float64Array {
  const u = randomNumbers(seed, 2 * n);
  return Float64Array.from(
    { length: n },
    (_, i) => Math.sqrt(-2 * Math.log(u[2 * i])) * Math.cos(2 * Math.PI * u[2 * i + 1]),
  );
}

/** A frame from plain arrays. */
export function makeFrame(
  species: ArrayLike<number>,
  positions: ArrayLike<number>,
  cell: ArrayLike<number> = new Float64Array(9),
  pbc: readonly [boolean, boolean, boolean] = [true, true, true],
): Frame {
  return {
    id: "test@0",
    file: "test",
    index: 0,
    line: 1,
    species: Uint8Array.from(species),
    positions: Float64Array.from(positions),
    cell: Float64Array.from(cell),
    pbc,
    info: new Map(),
  };
}

/** A graph from MACE's edge list, which need not be sorted by receiver. */
export function graphOf(
  species: ArrayLike<number>,
  edgeIndex: ArrayLike<number>,
  vectors: ArrayLike<number>,
): { graph: Graph; order: number[] } {
  const nEdges = edgeIndex.length / 2;
  const order = Array.from({ length: nEdges }, (_, e) => e)
    .sort((a, b) => edgeIndex[nEdges + a] - edgeIndex[nEdges + b] || a - b);
  const firstEdge = new Uint32Array(species.length + 1);
  for (let e = 0; e < nEdges; e++) firstEdge[edgeIndex[nEdges + e] + 1]++;
  for (let n = 0; n < species.length; n++) firstEdge[n + 1] += firstEdge[n];
  const graph: Graph = {
    nAtoms: species.length,
    nEdges,
    species: Uint8Array.from(species),
    firstEdge,
    sender: Uint32Array.from(order, (e) => edgeIndex[e]),
    unitShifts: new Int32Array(3 * nEdges),
    vectors: Float64Array.from(order.flatMap((e) => [0, 1, 2].map((k) => vectors[3 * e + k]))),
  };
  return { graph, order };
}
