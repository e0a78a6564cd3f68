import { type MaceLayer, type MaceModel } from "./mace_model.ts";
import { edgeDensity, radialBasis, radialWeights } from "./radial_basis.ts";

/** Error of the interpolation at which a table is as good as float32, relative to its maximum. */
const TOLERANCE = 6e-8;
/** Knot intervals in which that error is measured. */
const PROBES = 128;
const FEWEST_KNOTS = 512;
const MOST_KNOTS = 4096;
/** Step of the central difference that gives the slopes, Å; its error is below 1e-10. */
const STEP = 1e-5;
/** Stands for r = 0, where sin(w r) / r is evaluated as a limit, Å. */
const NEAR_ZERO = 1e-6;

/** Functions of the distance alone, one row of values per distance. */
export type RadialFunction = (r: Float64Array) => Float64Array;

/** Radial weights of all message paths between two elements, shape (n, n_paths, C). */
export function radialFunction(
  model: MaceModel,
  layer: MaceLayer,
  sender: number,
  receiver: number,
): RadialFunction {
  return (r) => radialWeights(embed(model, r, sender, receiver), layer, model.siluScale);
}

/** Edge density between two elements, shape (n, 1); zero where the layer has none. */
export function densityFunction(
  model: MaceModel,
  layer: MaceLayer,
  sender: number,
  receiver: number,
): RadialFunction {
  const { densityWeight } = layer;
  if (!densityWeight) return (r) => new Float64Array(r.length);
  return (r) => edgeDensity(embed(model, r, sender, receiver), densityWeight);
}

function embed(model: MaceModel, r: Float64Array, sender: number, receiver: number): Float64Array {
  const senders = new Uint8Array(r.length).fill(sender);
  const receivers = new Uint8Array(r.length).fill(receiver);
  return radialBasis(r, senders, receivers, model.radial, model.rMax);
}

/**
 * Table of a radial function for cubic Hermite interpolation on evenly spaced knots.
 *
 * @returns values and slopes per knot interval, shape (n_knots, 2, n_columns), rounded to float32
 */
export function tabulate(f: RadialFunction, rMax: number, nKnots: number): Float32Array {
  const h = rMax / (nKnots - 1);
  const at = (shift: number) =>
    f(Float64Array.from({ length: nKnots }, (_, i) => Math.max(i * h + shift, NEAR_ZERO)));
  const [value, above, below] = [at(0), at(STEP), at(-STEP)];
  const nColumns = value.length / nKnots;
  const table = new Float32Array(2 * value.length);
  for (let i = 0; i < nKnots; i++) {
    for (let j = 0; j < nColumns; j++) {
      const k = i * nColumns + j;
      table[2 * i * nColumns + j] = value[k];
      table[(2 * i + 1) * nColumns + j] = h * (above[k] - below[k]) / (2 * STEP);
    }
  }
  return table;
}

/** Number of knots at which the interpolation is as good as float32, within 512 … 4096. */
export function knotsNeeded(f: RadialFunction, rMax: number): number {
  for (let n = FEWEST_KNOTS; n < MOST_KNOTS; n *= 2) {
    if (interpolationError(f, rMax, n) <= TOLERANCE) return n;
  }
  return MOST_KNOTS;
}

/** Largest error half-way between knots, probed beyond 0.2 Å, relative to the largest value there. */
function interpolationError(f: RadialFunction, rMax: number, nKnots: number): number {
  const h = rMax / (nKnots - 1);
  const first = Math.ceil(0.2 / h);
  const stride = (nKnots - 1 - first) / PROBES;
  const at = (shift: number) =>
    f(Float64Array.from(
      { length: PROBES },
      (_, i) => (first + Math.floor(i * stride) + shift) * h,
    ));
  const exact = at(0.5);
  const step = STEP / h;
  const [v0, v1] = [at(0), at(1)];
  const [s0, s1] = [at(0 + step), at(1 - step)];
  let [error, size] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    const slopes = ((s0[i] - v0[i]) - (v1[i] - s1[i])) / step;
    error = Math.max(error, Math.abs(0.5 * (v0[i] + v1[i]) + slopes / 8 - exact[i]));
    size = Math.max(size, Math.abs(exact[i]));
  }
  return size === 0 ? 0 : error / size;
}
