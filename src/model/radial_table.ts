import type { MaceLayer, MaceModel, RadialModel } from "./mace_model.ts";
import { radialBasis, radialBasisTangent } from "./radial_basis.ts";
import { hiddenLayers, radialWeights } from "./radial_weights.ts";
import { edgeDensity } from "./edge_density.ts";

/** Error of the interpolation at which a table is as good as float32, relative to its maximum. */
export const TABLE_TOLERANCE = 6e-8;
/** Intervals in which that error is measured. */
const PROBES = 128;
const FEWEST_INTERVALS = 256;
const MOST_INTERVALS = 4096;
/** Errors are measured beyond this distance, Å; no two atoms come closer. */
const CLOSEST = 0.2;
/** Step of the central difference that gives the slopes, Å; its error is below 1e-10. */
const STEP = 1e-5;
/** Stands for r = 0, where sin(w r) / r is evaluated as a limit, Å. */
const NEAR_ZERO = 1e-6;

/** Functions of the distance alone, one row of values per distance. */
export type RadialFunction = (r: Float64Array) => Float64Array;

/**
 * Radial functions between two elements, R(r) = z(r) W / √k: the last layer of the radial MLP is linear
 * in k hidden values z, or in the radial basis itself where there is no hidden layer. Plain data, which
 * may cross threads.
 */
export interface RadialFunctions {
  readonly radial: RadialModel;
  readonly rMax: number;
  readonly siluScale: number;
  /** Atomic numbers. */
  readonly sender: number;
  readonly receiver: number;
  /** Hidden layers, and their widths with that of the basis first; the last width is k. */
  readonly hidden: readonly Float64Array[];
  readonly widths: readonly number[];
  /** W, shape (k, n_columns). */
  readonly last: Float64Array;
}

/** Radial weights of all message paths between two elements, n_columns = n_paths · C. */
export function radialFunctions(
  model: MaceModel,
  { radialMlp, radialWidths }: Pick<MaceLayer, "radialMlp" | "radialWidths">,
  sender: number,
  receiver: number,
): RadialFunctions {
  const { radial, rMax, siluScale } = model;
  const [hidden, last] = [radialMlp.slice(0, -1), radialMlp[radialMlp.length - 1]];
  const widths = radialWidths.slice(0, -1);
  return { radial, rMax, siluScale, sender, receiver, hidden, widths, last };
}

/** Hidden values z, shape (n, k). */
export function hiddenValues(functions: RadialFunctions): RadialFunction {
  const { hidden, widths, siluScale } = functions;
  return (r) => hiddenLayers(embed(functions, r), hidden, widths, siluScale).outputs[hidden.length];
}

/** All functions, shape (n, n_columns). */
export function radialValues(functions: RadialFunctions): RadialFunction {
  const { hidden, widths, last, siluScale } = functions;
  const nColumns = last.length / widths[widths.length - 1];
  const layer = { radialMlp: [...hidden, last], radialWidths: [...widths, nColumns] };
  return (r) => radialWeights(embed(functions, r), layer, siluScale);
}

/** Edge density between two elements, shape (n, 1); zero where the layer has none. */
export function densityFunction(
  functions: RadialFunctions,
  densityWeight: Float64Array | null,
): RadialFunction {
  if (!densityWeight) return (r) => new Float64Array(r.length);
  return (r) => edgeDensity(embed(functions, r), densityWeight);
}

function embed(
  { radial, rMax, sender, receiver }: RadialFunctions,
  r: Float64Array,
): Float64Array {
  const senders = new Uint8Array(r.length).fill(sender);
  const receivers = new Uint8Array(r.length).fill(receiver);
  return radialBasis(r, senders, receivers, radial, rMax);
}

/**
 * Distances r = rMax x² at evenly spaced x, shape (n + 1), Å. Radial functions are steepest at short
 * distances: in √r they need four to eight times fewer knots than in r.
 */
export function knotDistances(rMax: number, n: number): Float64Array {
  return Float64Array.from({ length: n + 1 }, (_, i) => rMax * (i / n) ** 2);
}

/**
 * Places of edges in a table of n intervals.
 *
 * @param vectors shape (n_edges, 3), Å
 * @returns interval and place t within it, shape (n_edges) each
 */
export function tablePlaces(
  vectors: Float64Array,
  rMax: number,
  n: number,
): { interval: Uint32Array; place: Float32Array } {
  const nEdges = vectors.length / 3;
  const interval = new Uint32Array(nEdges);
  const place = new Float32Array(nEdges);
  for (let e = 0; e < nEdges; e++) {
    const [x, y, z] = [vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]];
    const at = n * Math.sqrt(Math.sqrt(x * x + y * y + z * z) / rMax);
    interval[e] = Math.min(Math.floor(at), n - 1);
    place[e] = at - interval[e];
  }
  return { interval, place };
}

/**
 * Cubic Hermite polynomials of a radial function on n intervals evenly spaced in x = √(r / rMax):
 * f ≈ c0 + t (c1 + t (c2 + t c3)), where t = n x - i is the place in interval i.
 *
 * @returns coefficients rounded to float32, shape (n, n_columns, 4)
 */
export function tabulate(f: RadialFunction, rMax: number, n: number): Float32Array {
  const [value, slope] = knots(f, rMax, n);
  const nColumns = value.length / (n + 1);
  const table = new Float32Array(4 * n * nColumns);
  for (let k = 0; k < n * nColumns; k++) {
    const [v0, v1] = [value[k], value[k + nColumns]];
    const [s0, s1] = [slope[k], slope[k + nColumns]];
    table[4 * k] = v0;
    table[4 * k + 1] = s0;
    table[4 * k + 2] = 3 * (v1 - v0) - 2 * s0 - s1;
    table[4 * k + 3] = 2 * (v0 - v1) + s0 + s1;
  }
  return table;
}

/**
 * Adjoint of `tabulate` for values and slopes at the knots.
 *
 * @param tableBar shape (n, n_columns, 4)
 * @returns shape (n + 1, n_columns) each
 */
export function tabulateAdjoint(
  tableBar: ArrayLike<number>,
  n: number,
): [values: Float64Array, slopes: Float64Array] {
  const nColumns = tableBar.length / (4 * n);
  const [value, slope] = [0, 1].map(() => new Float64Array((n + 1) * nColumns));
  for (let k = 0; k < n * nColumns; k++) {
    const [c0, c1, c2, c3] = [0, 1, 2, 3].map((i) => tableBar[4 * k + i]);
    value[k] += c0 - 3 * c2 + 2 * c3;
    value[k + nColumns] += 3 * c2 - 2 * c3;
    slope[k] += c1 - 2 * c2 + c3;
    slope[k + nColumns] += c3 - c2;
  }
  return [value, slope];
}

/** Values at the knots of n intervals and slopes per interval there, shape (n + 1, n_columns) each. */
export function knots(
  f: RadialFunction,
  rMax: number,
  n: number,
): [values: Float64Array, slopes: Float64Array] {
  return valuesAndSlopes(f, rMax, n, knotDistances(rMax, n));
}

/**
 * Radial embedding at the knots of n intervals, and its slopes per interval there, shape (n + 1, n_bessel)
 * each: what the adjoints of tables are led back to.
 */
export function knotBasis(
  functions: RadialFunctions,
  n: number,
): { basis: Float64Array; slopes: Float64Array } {
  const { radial, rMax, sender, receiver } = functions;
  const r = knotDistances(rMax, n);
  const rDot = r.map((x) => 2 * Math.sqrt(x * rMax) / n);
  r[0] = NEAR_ZERO;
  const [senders, receivers] = [sender, receiver].map((z) => new Uint8Array(r.length).fill(z));
  return {
    basis: radialBasis(r, senders, receivers, radial, rMax),
    slopes: radialBasisTangent(r, senders, receivers, radial, rMax, rDot),
  };
}

/** Values at distances r and slopes per interval there, df/dt = df/dr · 2 √(r rMax) / n. */
function valuesAndSlopes(
  f: RadialFunction,
  rMax: number,
  n: number,
  r: Float64Array,
): [Float64Array, Float64Array] {
  const at = (shift: number) => f(r.map((x) => Math.max(x + shift, NEAR_ZERO)));
  const [above, below] = [at(STEP), at(-STEP)];
  const nColumns = above.length / r.length;
  const [value, slope] = [new Float64Array(above.length), new Float64Array(above.length)];
  for (let i = 0; i < r.length; i++) {
    const scale = 2 * Math.sqrt(r[i] * rMax) / n / (2 * STEP);
    for (let k = i * nColumns; k < (i + 1) * nColumns; k++) {
      // The mean is as near to the value as the difference to the slope.
      value[k] = 0.5 * (above[k] + below[k]);
      slope[k] = scale * (above[k] - below[k]);
    }
  }
  return [value, slope];
}

/** Number of intervals at which the interpolation is as good as it has to be, within 256 … 4096. */
export function intervalsNeeded(
  f: RadialFunction,
  rMax: number,
  tolerance = TABLE_TOLERANCE,
): number {
  for (let n = FEWEST_INTERVALS; n < MOST_INTERVALS; n *= 2) {
    if (interpolationError(f, rMax, n) <= tolerance) return n;
  }
  return MOST_INTERVALS;
}

/** Largest error half-way between knots, relative to the largest value there. */
export function interpolationError(f: RadialFunction, rMax: number, n: number): number {
  const first = Math.ceil(n * Math.sqrt(CLOSEST / rMax));
  const probes = Array.from(
    { length: PROBES },
    (_, i) => first + Math.floor(i * (n - first) / PROBES),
  );
  const at = (shift: number) => Float64Array.from(probes, (i) => rMax * ((i + shift) / n) ** 2);
  const [v0, s0] = valuesAndSlopes(f, rMax, n, at(0));
  const [v1, s1] = valuesAndSlopes(f, rMax, n, at(1));
  const exact = f(at(0.5));
  let [error, size] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    error = Math.max(error, Math.abs(0.5 * (v0[i] + v1[i]) + (s0[i] - s1[i]) / 8 - exact[i]));
    size = Math.max(size, Math.abs(exact[i]));
  }
  return size === 0 ? 0 : error / size;
}
