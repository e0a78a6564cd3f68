/** The linear layers of an interaction and their adjoints. */
import { transposed } from "../matrix.ts";
import { pathOffsets } from "./atomic_basis.ts";
import { addElementWeights, channelMix, channelMixWeights, elementWeights } from "./channel_mix.ts";
import type { MaceLayer, MaceModel } from "./mace_model.ts";

/** The weights of a linear layer (C, C), or of its adjoint. */
type Turn = (weight: Float64Array, channels: number) => Float64Array;
const plain: Turn = (weight) => weight;
/** The weights of an adjoint. */
export const transpose: Turn = (weight, channels) => transposed(weight, channels, channels);

/** out[l] = scale · x[l] W[l] for every degree l, shapes (n_atoms, (lMax + 1)², C); Wᵀ in the adjoint. */
export function mixDegrees(
  x: Float64Array,
  weights: Float64Array,
  lMax: number,
  nAtoms: number,
  channels: number,
  scale: number,
  turn: Turn = plain,
): Float64Array {
  const d = (lMax + 1) ** 2;
  const out = new Float64Array(x.length);
  for (let l = 0; l <= lMax; l++) {
    const square = channels * channels;
    const weight = turn(weights.subarray(l * square, (l + 1) * square), channels);
    const at = { dIn: d, first: l * l, dOut: d, target: l * l, count: 2 * l + 1 };
    channelMix(x, weight, out, { nAtoms, channels, scale, ...at });
  }
  return out;
}

/** The linear layer of an interaction: paths of equal l3 are summed, 1/√(C n_l) normalised; from message
 * to paths in the adjoint. */
export function mixPaths(
  x: Float64Array,
  layer: MaceLayer,
  lMax: number,
  nAtoms: number,
  channels: number,
  turn: Turn = plain,
): Float64Array {
  const d = (lMax + 1) ** 2;
  const { offsets, total } = pathOffsets(layer.paths);
  const out = new Float64Array(nAtoms * (turn === plain ? d : total) * channels);
  layer.paths.forEach(([, , l], p) => {
    const fanIn = channels * layer.paths.filter((path) => path[2] === l).length;
    const weight = turn(
      layer.linear.subarray(p * channels ** 2, (p + 1) * channels ** 2),
      channels,
    );
    const at = turn === plain
      ? { dIn: total, first: offsets[p], dOut: d, target: l * l }
      : { dIn: d, first: l * l, dOut: total, target: offsets[p] };
    const scale = 1 / Math.sqrt(fanIn);
    channelMix(x, weight, out, { nAtoms, channels, scale, count: 2 * l + 1, ...at });
  });
  return out;
}

/** out[l] += 1/√(C n_elements) · x[l] W[l, z_n] for l = 0 … lMax. */
export function mixElements(
  model: MaceModel,
  layer: MaceLayer,
  elements: Uint8Array,
  x: Float64Array,
  dIn: number,
  out: Float64Array,
  dOut: number,
  lMax: number,
  turn: Turn = plain,
): void {
  const C = model.channels;
  const scale = 1 / Math.sqrt(C * model.elementNormalizer);
  for (const z of new Set(elements)) {
    for (let l = 0; l <= lMax; l++) {
      const weight = turn(elementWeights(layer.skip, l, z, model.elements.length, C), C);
      const at = { dIn, first: l * l, dOut, target: l * l, count: 2 * l + 1 };
      elements.forEach((zn, n) => {
        if (zn !== z) return;
        const from = x.subarray(n * dIn * C, (n + 1) * dIn * C);
        const to = out.subarray(n * dOut * C, (n + 1) * dOut * C);
        channelMix(from, weight, to, { nAtoms: 1, channels: C, scale, ...at });
      });
    }
  }
}

/** Adjoint of `mixDegrees` for its weights, added to `weightsBar`. */
export function degreeWeights(
  x: Float64Array,
  outBar: Float64Array,
  weightsBar: Float64Array,
  lMax: number,
  channels: number,
): void {
  const d = (lMax + 1) ** 2;
  const nAtoms = x.length / (d * channels);
  for (let l = 0; l <= lMax; l++) {
    const weightBar = weightsBar.subarray(l * channels ** 2, (l + 1) * channels ** 2);
    const at = { dIn: d, first: l * l, dOut: d, target: l * l, count: 2 * l + 1 };
    const scale = 1 / Math.sqrt(channels);
    channelMixWeights(x, outBar, weightBar, { nAtoms, channels, scale, ...at });
  }
}

/** Adjoint of `mixPaths` for its weights, added to `weightsBar`. */
export function pathWeights(
  sums: Float64Array,
  messageBar: Float64Array,
  layer: MaceLayer,
  lMax: number,
  nAtoms: number,
  channels: number,
  weightsBar: Float64Array,
): void {
  const { offsets, total } = pathOffsets(layer.paths);
  layer.paths.forEach(([, , l], p) => {
    const fanIn = channels * layer.paths.filter((path) => path[2] === l).length;
    const weightBar = weightsBar.subarray(p * channels ** 2, (p + 1) * channels ** 2);
    const at = { dIn: total, first: offsets[p], dOut: (lMax + 1) ** 2, target: l * l };
    const scale = 1 / Math.sqrt(fanIn);
    const count = 2 * l + 1;
    channelMixWeights(sums, messageBar, weightBar, { nAtoms, channels, scale, count, ...at });
  });
}

/** Adjoint of `mixElements` for its weights, added to `skipBar`. */
export function elementMixWeights(
  model: MaceModel,
  elements: Uint8Array,
  x: Float64Array,
  dIn: number,
  outBar: Float64Array,
  dOut: number,
  lMax: number,
  skipBar: Float64Array,
): void {
  const { channels: C, elements: { length: nElements } } = model;
  const scale = 1 / Math.sqrt(C * model.elementNormalizer);
  for (const z of new Set(elements)) {
    for (let l = 0; l <= lMax; l++) {
      const weightBar = new Float64Array(C * C);
      const at = { dIn, first: l * l, dOut, target: l * l, count: 2 * l + 1 };
      elements.forEach((zn, n) => {
        if (zn !== z) return;
        const from = x.subarray(n * dIn * C, (n + 1) * dIn * C);
        const to = outBar.subarray(n * dOut * C, (n + 1) * dOut * C);
        channelMixWeights(from, to, weightBar, { nAtoms: 1, channels: C, scale, ...at });
      });
      addElementWeights(weightBar, l, z, nElements, C, skipBar);
    }
  }
}
