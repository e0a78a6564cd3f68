import type { MaceModel } from "./mace_model.ts";
import { silu, siluCurvature, siluSlope } from "./silu.ts";

/** What leads from features to energies. */
export type ReadoutModel = Pick<
  MaceModel,
  | "channels"
  | "elements"
  | "heads"
  | "siluScale"
  | "readouts"
  | "atomicEnergies"
  | "scale"
  | "shift"
>;

/** The part of a model that leads from features to energies. */
export function readoutModel(model: MaceModel): ReadoutModel {
  const { channels, elements, heads, siluScale, readouts, atomicEnergies, scale, shift } = model;
  return { channels, elements, heads, siluScale, readouts, atomicEnergies, scale, shift };
}

/** Energies of atoms from the sum of their readouts, E0 + scale · e + shift, shape (n_atoms), eV.
 * @param elements element of each atom among those of the model, shape (n_atoms) */
export function scaledEnergies(
  { elements: known, atomicEnergies, scale, shift }: ReadoutModel,
  elements: ArrayLike<number>,
  readouts: Float64Array,
  head: number,
): Float64Array {
  return readouts.map((e, n) =>
    atomicEnergies[head * known.length + elements[n]] + scale[head] * e + shift[head]
  );
}

/** Energies of a frame, finished from the sums of its atoms' readouts: of the atoms, and their sum, eV. */
export function finishEnergies(
  model: ReadoutModel,
  species: Uint8Array,
  readouts: Float64Array,
  head: number,
): { energy: number; nodeEnergies: Float64Array } {
  const elements = Uint8Array.from(species, (z) => model.elements.indexOf(z));
  const nodeEnergies = scaledEnergies(model, elements, readouts, head);
  return { energy: nodeEnergies.reduce((sum, e) => sum + e, 0), nodeEnergies };
}

/**
 * Adds what the readout of layer t gives to the energies of the atoms.
 *
 * @param features the C invariants of atom n begin at n · stride
 * @param head index of the readout head
 * @param energy shape (n_atoms)
 */
export function addReadout(
  model: ReadoutModel,
  t: number,
  features: Float64Array | Float32Array,
  stride: number,
  head: number,
  energy: Float64Array,
): void {
  const { channels: C, heads: { length: nHeads } } = model;
  const readout = model.readouts[t];
  for (let n = 0; n < energy.length; n++) {
    const h = features.subarray(n * stride, n * stride + C);
    if (readout.kind === "linear") {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += h[c] * readout.weight[c * nHeads + head];
      energy[n] += sum / Math.sqrt(C);
      continue;
    }
    const { width, hidden, output } = readout;
    let sum = 0;
    for (let w = head * width; w < (head + 1) * width; w++) {
      sum += model.siluScale * silu(hiddenSum(h, hidden, w)) * output[w * nHeads + head];
    }
    energy[n] += sum / Math.sqrt(width * nHeads);
  }
}

/** Hidden sum w of a readout, Σ_c h_c W_cw / √C. */
function hiddenSum(h: Float64Array | Float32Array, hidden: Float64Array, w: number): number {
  const C = h.length;
  const width = hidden.length / C;
  let sum = 0;
  for (let c = 0; c < C; c++) sum += h[c] * hidden[c * width + w];
  return sum / Math.sqrt(C);
}

/** Adjoint of `addReadout` for an adjoint g of every atom's energy, added to that of the features. */
export function addReadoutAdjoint(
  model: ReadoutModel,
  t: number,
  features: Float64Array | Float32Array,
  stride: number,
  head: number,
  g: number,
  featuresBar: Float64Array | Float32Array,
): void {
  const { channels: C, heads: { length: nHeads } } = model;
  const readout = model.readouts[t];
  for (let at = 0; at < features.length; at += stride) {
    if (readout.kind === "linear") {
      for (let c = 0; c < C; c++) {
        featuresBar[at + c] += g * readout.weight[c * nHeads + head] / Math.sqrt(C);
      }
      continue;
    }
    const { width, hidden, output } = readout;
    const h = features.subarray(at, at + C);
    for (let w = head * width; w < (head + 1) * width; w++) {
      const slope = model.siluScale * siluSlope(hiddenSum(h, hidden, w));
      const aBar = g * output[w * nHeads + head] / Math.sqrt(width * nHeads) * slope / Math.sqrt(C);
      for (let c = 0; c < C; c++) featuresBar[at + c] += aBar * hidden[c * width * nHeads + w];
    }
  }
}

/** The arrays of a readout: one if it is linear, else those of the hidden layer and behind it. */
export type ReadoutWeights = readonly Float64Array[];

/** Adjoint of `addReadout` for its weights, added to `weightsBar`. */
export function addReadoutWeights(
  model: ReadoutModel,
  t: number,
  features: Float64Array | Float32Array,
  stride: number,
  head: number,
  g: number,
  weightsBar: ReadoutWeights,
): void {
  const { channels: C, heads: { length: nHeads }, siluScale } = model;
  const readout = model.readouts[t];
  for (let at = 0; at < features.length; at += stride) {
    const h = features.subarray(at, at + C);
    if (readout.kind === "linear") {
      for (let c = 0; c < C; c++) weightsBar[0][c * nHeads + head] += g * h[c] / Math.sqrt(C);
      continue;
    }
    const { width, hidden, output } = readout;
    const norm = Math.sqrt(width * nHeads);
    for (let w = head * width; w < (head + 1) * width; w++) {
      const a = hiddenSum(h, hidden, w);
      weightsBar[1][w * nHeads + head] += g * siluScale * silu(a) / norm;
      const aBar = g * output[w * nHeads + head] / norm * siluScale * siluSlope(a) / Math.sqrt(C);
      for (let c = 0; c < C; c++) weightsBar[0][c * width * nHeads + w] += aBar * h[c];
    }
  }
}

/**
 * Tangents of `addReadoutAdjoint` and `addReadoutWeights`, added to those of their results.
 *
 * @param featuresDot tangent of the features, in their shape
 */
export function addReadoutTangents(
  model: ReadoutModel,
  t: number,
  features: Float64Array | Float32Array,
  featuresDot: Float64Array | Float32Array,
  stride: number,
  head: number,
  g: number,
  featuresBarDot: Float64Array | Float32Array,
  weightsBarDot: ReadoutWeights,
): void {
  const { channels: C, heads: { length: nHeads }, siluScale } = model;
  const readout = model.readouts[t];
  for (let at = 0; at < features.length; at += stride) {
    const [h, hDot] = [features, featuresDot].map((x) => x.subarray(at, at + C));
    if (readout.kind === "linear") {
      for (let c = 0; c < C; c++) weightsBarDot[0][c * nHeads + head] += g * hDot[c] / Math.sqrt(C);
      continue;
    }
    const { width, hidden, output } = readout;
    const norm = Math.sqrt(width * nHeads);
    for (let w = head * width; w < (head + 1) * width; w++) {
      const [a, aDot] = [h, hDot].map((x) => hiddenSum(x, hidden, w));
      const factor = g * output[w * nHeads + head] / norm * siluScale / Math.sqrt(C);
      weightsBarDot[1][w * nHeads + head] += g * siluScale * siluSlope(a) * aDot / norm;
      const [bar, barDot] = [factor * siluSlope(a), factor * siluCurvature(a) * aDot];
      for (let c = 0; c < C; c++) {
        const column = c * width * nHeads + w;
        weightsBarDot[0][column] += barDot * h[c] + bar * hDot[c];
        featuresBarDot[at + c] += barDot * hidden[column];
      }
    }
  }
}

/**
 * The weights of one layer and head as float32 kernels read them, all normalisations included: w of the
 * C channels for a linear readout (width 0), else W of shape (C, width), then v of shape (width).
 */
export function bakeReadout(
  model: ReadoutModel,
  t: number,
  head: number,
): { width: number; numbers: Float32Array } {
  const { channels: C, heads: { length: nHeads }, siluScale } = model;
  const readout = model.readouts[t];
  if (readout.kind === "linear") {
    const numbers = Float32Array.from(
      { length: C },
      (_, c) => readout.weight[c * nHeads + head] / Math.sqrt(C),
    );
    return { width: 0, numbers };
  }
  const { width, hidden, output } = readout;
  const first = head * width;
  const numbers = new Float32Array((C + 1) * width);
  for (let w = 0; w < width; w++) {
    for (let c = 0; c < C; c++) {
      numbers[c * width + w] = hidden[c * width * nHeads + first + w] / Math.sqrt(C);
    }
    const v = output[(first + w) * nHeads + head];
    numbers[C * width + w] = siluScale * v / Math.sqrt(width * nHeads);
  }
  return { width, numbers };
}
