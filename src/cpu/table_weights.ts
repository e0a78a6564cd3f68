import { edgeDensityWeightsTangent } from "../model/edge_density.ts";
import { knotBasis, type RadialFunctions, tabulateAdjoint } from "../model/radial_table.ts";
import { hiddenDual, hiddenWeightsTangent } from "../model/radial_weights.ts";
import type { TableGradient } from "../model/table_gradient.ts";
import type { Arena } from "./arena.ts";
import type { Kernels } from "./memory.ts";
import type { TableOrder } from "./radial_table.ts";
import { blockColumns } from "./weights.ts";

/**
 * Leads the adjoints of filled tables back to the radial MLP, which is evaluated at the knots alone: its cost does
 * not depend on the number of edges.
 *
 * @param order as the tables were filled, but with the places of their adjoints
 */
export function tableGradient(kernels: Kernels, arena: Arena, order: TableOrder): TableGradient {
  const { nIntervals, source: { radials: [functions], densityWeight } } = order;
  const { basis, slopes } = knotBasis(functions, nIntervals);
  return {
    radialMlp: mlpGradient(kernels, arena, order, basis, slopes),
    densityWeight: densityWeight && densityGradient(arena, order, densityWeight, basis, slopes),
  };
}

/** Adjoints of values and slopes at the knots, led through the last layer by kernels, then through the hidden
 * ones. A value and a slope are a function of the distance and its tangent. */
function mlpGradient(
  kernels: Kernels,
  arena: Arena,
  order: TableOrder,
  basis: Float64Array,
  slopes: Float64Array,
): Float64Array[] {
  const { nIntervals, source: { radials: [functions], nRadials, width } } = order;
  const { hidden, widths, siluScale, last } = functions;
  // No two atoms are so close that the first knots would matter.
  const first = firstUsed(arena, order);
  const [own, change] = [basis, slopes].map((x) => x.subarray(first * widths[0]));
  const layers = hiddenDual(own, change, hidden, widths, siluScale);
  const k = widths[hidden.length];
  const [n, padded] = [nIntervals + 1 - first, Math.ceil(k / 8) * 8];
  const rows = Math.ceil(n / 4) * 4;
  const knotBytes = 4 * (nIntervals + 1) * width;
  arena.reset(2 * knotBytes + 4 * (4 * n * padded + 2 * padded * width + 2 * rows) + 4096);
  const [outRows, hiddenRows] = [width, padded].map((stride) =>
    arena.put(Uint32Array.from({ length: rows }, (_, i) => Math.min(i, n - 1) * stride))
  );
  const places = {
    ...{ first, n, k, padded, outRows, hiddenRows },
    inputs: [layers.value, layers.dot].map(({ outputs }) =>
      arena.put(padRows(outputs[hidden.length], k, padded))
    ),
    hiddenBars: [0, 1].map(() => arena.put(new Float32Array(n * padded))),
    knotBars: [0, 1].map(() => arena.take(knotBytes)),
  };
  const lastBar = new Float64Array(last.length);
  const mark = arena.mark();
  for (let i = 0; i < nRadials; i++) {
    lastLayerGradient(kernels, arena, order, places, i, lastBar);
    arena.release(mark);
  }
  // The tangent of the weights' gradient: slopes have the adjoint that is differentiated, values its tangent.
  const bars = hidden.map((weight) => new Float64Array(weight.length));
  const [valueBar, slopeBar] = places.hiddenBars.map((at) =>
    unpadRows(new Float32Array(arena.memory.buffer, at, n * padded), k, padded)
  );
  hiddenWeightsTangent(layers, hidden, widths, siluScale, slopeBar, valueBar, bars);
  return [...bars, lastBar];
}

/** The first interval whose cubics have an adjoint, in any radial function. */
function firstUsed(
  arena: Arena,
  { slot, nSlots, nIntervals, source: { nRadials, width }, place }: TableOrder,
): number {
  let first = nIntervals;
  for (let i = 0; i < nRadials; i++) {
    for (let c = 0; c < width / 4; c++) {
      const at = place.tables[i] + 64 * (c * nSlots + slot) * nIntervals;
      const cubics = new Float32Array(arena.memory.buffer, at, 16 * nIntervals);
      let k = 0;
      while (k < 16 * first && cubics[k] === 0) k++;
      first = Math.min(first, Math.floor(k / 16));
    }
  }
  return first;
}

/** What the last layer is led back with: addresses, values first and then slopes. */
interface LastLayerPlaces {
  /** First knot that matters, and the number of those that do. */
  readonly first: number;
  readonly n: number;
  readonly k: number;
  readonly padded: number;
  readonly outRows: number;
  readonly hiddenRows: number;
  /** Hidden values at the knots, shape (n, padded) each. */
  readonly inputs: readonly number[];
  /** Their adjoints, added to. */
  readonly hiddenBars: readonly number[];
  /** Room for the adjoints at all knots of one radial function, shape (n_intervals + 1, width) each. */
  readonly knotBars: readonly number[];
}

/** The last layer of radial function i: its weights, in their columns of `lastBar`, and what enters it. */
function lastLayerGradient(
  kernels: Kernels,
  arena: Arena,
  { slot, nSlots, nIntervals, source: { radials: [functions], nRadials, width }, place }:
    TableOrder,
  { first, n, k, padded, outRows, hiddenRows, inputs, hiddenBars, knotBars }: LastLayerPlaces,
  i: number,
  lastBar: Float64Array,
): void {
  const table = place.tables[i] + 64 * slot * nIntervals;
  const stride = 64 * nSlots * nIntervals;
  kernels.table_weights(table, knotBars[0], knotBars[1], nIntervals, width, stride);
  const back = arena.put(backWeights(functions, i, nRadials, padded, width));
  const weightBar = arena.put(new Float32Array(padded * width));
  knotBars.map((at) => at + 4 * first * width).forEach((bar, which) => {
    kernels.channel_mix(
      ...[bar, back, hiddenBars[which], outRows, hiddenRows, n, width, padded, 1],
    );
    kernels.channel_mix_weights(
      ...[inputs[which], bar, weightBar, hiddenRows, outRows, n, padded, width],
    );
  });
  const own = new Float32Array(arena.memory.buffer, weightBar, padded * width);
  const columns = lastBar.length / (k * nRadials);
  for (let q = 0; q < k; q++) {
    for (let c = 0; c < columns; c++) {
      lastBar[(q * nRadials + i) * columns + c] = own[q * width + c] / Math.sqrt(k);
    }
  }
}

/** Weights of the last layer for radial function i, transposed and normalised, as channel_mix reads them, shape
 * (padded / 8, width, 8). */
function backWeights(
  { last, widths }: RadialFunctions,
  i: number,
  nRadials: number,
  padded: number,
  width: number,
): Float32Array {
  const k = widths[widths.length - 1];
  const columns = last.length / (k * nRadials);
  const out = new Float32Array(width * padded);
  for (let q = 0; q < k; q++) {
    for (let c = 0; c < columns; c++) {
      out[c * padded + q] = last[(q * nRadials + i) * columns + c] / Math.sqrt(k);
    }
  }
  return blockColumns(out, width, padded);
}

function padRows(rows: Float64Array, k: number, padded: number): Float32Array {
  const out = new Float32Array(rows.length / k * padded);
  rows.forEach((x, i) => out[Math.floor(i / k) * padded + i % k] = x);
  return out;
}

function unpadRows(rows: Float32Array, k: number, padded: number): Float64Array {
  return Float64Array.from(
    { length: rows.length / padded * k },
    (_, i) => rows[Math.floor(i / k) * padded + i % k],
  );
}

function densityGradient(
  arena: Arena,
  { slot, nIntervals, place }: TableOrder,
  weight: Float64Array,
  basis: Float64Array,
  slopes: Float64Array,
): Float64Array {
  const at = place.densityTable + 16 * slot * nIntervals;
  const cubics = new Float32Array(arena.memory.buffer, at, 4 * nIntervals);
  const [valuesBar, slopesBar] = tabulateAdjoint(cubics, nIntervals);
  const out = new Float64Array(weight.length);
  edgeDensityWeightsTangent(basis, weight, slopesBar, slopes, valuesBar, out);
  return out;
}
