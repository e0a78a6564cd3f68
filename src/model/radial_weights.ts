import { addProduct, transposed } from "../matrix.ts";
import type { MaceLayer } from "./mace_model.ts";
import { silu, siluCurvature, siluSlope } from "./silu.ts";

/** The radial MLP of a layer. */
type Mlp = Pick<MaceLayer, "radialMlp" | "radialWidths">;

/**
 * Hidden layers of a radial MLP, x ← κ silu(a) with a = x W / √width.
 *
 * @param widths width of the basis, then of every hidden layer; what follows is not read
 * @returns a of every hidden layer, and x: the basis, then the output of every hidden layer
 */
export function hiddenLayers(
  basis: Float64Array,
  hidden: readonly Float64Array[],
  widths: readonly number[],
  siluScale: number,
): { sums: Float64Array[]; outputs: Float64Array[] } {
  const n = basis.length / widths[0];
  const sums: Float64Array[] = [];
  const outputs = [basis];
  hidden.forEach((weight, k) => {
    const [from, to] = [widths[k], widths[k + 1]];
    const a = new Float64Array(n * to);
    addProduct(a, outputs[k], weight, n, from, to, 1 / Math.sqrt(from));
    sums.push(a);
    outputs.push(a.map((x) => siluScale * silu(x)));
  });
  return { sums, outputs };
}

/**
 * Radial weights of every message path: hidden layers, then a linear one, x W / √width.
 *
 * @param basis radial embedding, shape (n_edges, n_bessel)
 * @returns shape (n_edges, n_paths, C)
 */
export function radialWeights(
  basis: Float64Array,
  layer: Mlp,
  siluScale: number,
): Float64Array {
  const { radialMlp, radialWidths } = layer;
  const last = radialMlp.length - 1;
  const n = basis.length / radialWidths[0];
  const [from, to] = [radialWidths[last], radialWidths[last + 1]];
  const { outputs } = hiddenLayers(basis, radialMlp.slice(0, last), radialWidths, siluScale);
  const out = new Float64Array(n * to);
  addProduct(out, outputs[last], radialMlp[last], n, from, to, 1 / Math.sqrt(from));
  return out;
}

/**
 * The way back through the MLP: adjoints of the sums of every layer, the last one's given, and of the
 * radial embedding.
 */
function mlpAdjoints(
  { radialMlp, radialWidths }: Mlp,
  sums: readonly Float64Array[],
  siluScale: number,
  radialBar: Float64Array,
): { sums: Float64Array[]; basis: Float64Array } {
  const n = radialBar.length / radialWidths[radialMlp.length];
  const bars: Float64Array[] = new Array(radialMlp.length);
  let bar = radialBar;
  for (let k = radialMlp.length - 1; k >= 0; k--) {
    bars[k] = bar;
    const [from, to] = [radialWidths[k], radialWidths[k + 1]];
    const next = new Float64Array(n * from);
    addProduct(next, bar, transposed(radialMlp[k], from, to), n, to, from, 1 / Math.sqrt(from));
    bar = k > 0 ? next.map((x, i) => x * siluScale * siluSlope(sums[k - 1][i])) : next;
  }
  return { sums: bars, basis: bar };
}

/**
 * Adjoint of `radialWeights` for the radial embedding.
 *
 * @param radialBar shape (n_edges, n_paths, C)
 * @param basisBar added to, shape (n_edges, n_bessel)
 */
export function radialWeightsAdjoint(
  basis: Float64Array,
  mlp: Mlp,
  siluScale: number,
  radialBar: Float64Array,
  basisBar: Float64Array,
): void {
  const { sums } = hiddenLayers(basis, mlp.radialMlp.slice(0, -1), mlp.radialWidths, siluScale);
  const adjoints = mlpAdjoints(mlp, sums, siluScale, radialBar);
  adjoints.basis.forEach((bar, i) => basisBar[i] += bar);
}

/**
 * Adjoint of `radialWeights` for the weights of the MLP.
 *
 * @param radialBar shape (n_edges, n_paths, C)
 * @param mlpBar added to, shaped as the MLP
 */
export function radialMlpWeights(
  basis: Float64Array,
  mlp: Mlp,
  siluScale: number,
  radialBar: Float64Array,
  mlpBar: readonly Float64Array[],
): void {
  const { radialMlp, radialWidths } = mlp;
  const { sums, outputs } = hiddenLayers(basis, radialMlp.slice(0, -1), radialWidths, siluScale);
  const adjoints = mlpAdjoints(mlp, sums, siluScale, radialBar);
  radialMlp.forEach((_, k) => addOuter(mlpBar[k], outputs[k], adjoints.sums[k], radialWidths[k]));
}

/** Adds xᵀ out̄ / √from to the adjoint of a matrix, over the rows of both. */
function addOuter(
  weightBar: Float64Array,
  x: Float64Array,
  outBar: Float64Array,
  from: number,
): void {
  const n = x.length / from;
  const rows = transposed(x, n, from);
  addProduct(weightBar, rows, outBar, from, n, outBar.length / n, 1 / Math.sqrt(from));
}

/** Tangent of `hiddenLayers`. */
function hiddenTangents(
  basisDot: Float64Array,
  { sums }: ReturnType<typeof hiddenLayers>,
  hidden: readonly Float64Array[],
  widths: readonly number[],
  siluScale: number,
): { sums: Float64Array[]; outputs: Float64Array[] } {
  const n = basisDot.length / widths[0];
  const sumsDot: Float64Array[] = [];
  const outputs = [basisDot];
  hidden.forEach((weight, k) => {
    const [from, to] = [widths[k], widths[k + 1]];
    const aDot = new Float64Array(n * to);
    addProduct(aDot, outputs[k], weight, n, from, to, 1 / Math.sqrt(from));
    sumsDot.push(aDot);
    outputs.push(aDot.map((x, i) => siluScale * siluSlope(sums[k][i]) * x));
  });
  return { sums: sumsDot, outputs };
}

/** Tangent of `radialWeights`. */
export function radialWeightsTangent(
  basis: Float64Array,
  { radialMlp, radialWidths }: Mlp,
  siluScale: number,
  basisDot: Float64Array,
): Float64Array {
  const last = radialMlp.length - 1;
  const n = basis.length / radialWidths[0];
  const [from, to] = [radialWidths[last], radialWidths[last + 1]];
  const hidden = radialMlp.slice(0, last);
  const layers = hiddenLayers(basis, hidden, radialWidths, siluScale);
  const { outputs } = hiddenTangents(basisDot, layers, hidden, radialWidths, siluScale);
  const out = new Float64Array(n * to);
  addProduct(out, outputs[last], radialMlp[last], n, from, to, 1 / Math.sqrt(from));
  return out;
}

/** Tangent of `radialMlpWeights`, added to `mlpBarDot`. */
export function radialMlpWeightsTangent(
  basis: Float64Array,
  { radialMlp, radialWidths }: Mlp,
  siluScale: number,
  radialBar: Float64Array,
  basisDot: Float64Array,
  radialBarDot: Float64Array,
  mlpBarDot: readonly Float64Array[],
): void {
  const last = radialMlp.length - 1;
  const hidden = radialMlp.slice(0, last);
  const layers = hiddenDual(basis, basisDot, hidden, radialWidths, siluScale);
  const [from, to] = [radialWidths[last], radialWidths[last + 1]];
  addOuter(mlpBarDot[last], layers.dot.outputs[last], radialBar, from);
  addOuter(mlpBarDot[last], layers.value.outputs[last], radialBarDot, from);
  if (last === 0) return;
  const back = transposed(radialMlp[last], from, to);
  const n = basis.length / radialWidths[0];
  const [bar, barDot] = [radialBar, radialBarDot].map((x) => {
    const out = new Float64Array(n * from);
    addProduct(out, x, back, n, to, from, 1 / Math.sqrt(from));
    return out;
  });
  hiddenWeightsTangent(layers, hidden, radialWidths, siluScale, bar, barDot, mlpBarDot);
}

/** Hidden layers and their tangents. */
export interface HiddenDual {
  readonly value: ReturnType<typeof hiddenLayers>;
  readonly dot: ReturnType<typeof hiddenLayers>;
}

/** Hidden layers on a basis that changes. */
export function hiddenDual(
  basis: Float64Array,
  basisDot: Float64Array,
  hidden: readonly Float64Array[],
  widths: readonly number[],
  siluScale: number,
): HiddenDual {
  const value = hiddenLayers(basis, hidden, widths, siluScale);
  return { value, dot: hiddenTangents(basisDot, value, hidden, widths, siluScale) };
}

/**
 * Tangent of the adjoint of the hidden layers for their weights, added to `weightsBarDot`.
 *
 * @param outputBar adjoint of what the last hidden layer gives, shape (n, width)
 * @param outputBarDot its tangent
 */
export function hiddenWeightsTangent(
  { value, dot }: HiddenDual,
  hidden: readonly Float64Array[],
  widths: readonly number[],
  siluScale: number,
  outputBar: Float64Array,
  outputBarDot: Float64Array,
  weightsBarDot: readonly Float64Array[],
): void {
  let [bar, barDot] = [outputBar, outputBarDot];
  for (let k = hidden.length - 1; k >= 0; k--) {
    const [a, aDot] = [value.sums[k], dot.sums[k]];
    const sumBar = bar.map((x, i) => siluScale * x * siluSlope(a[i]));
    const sumBarDot = barDot.map((x, i) =>
      siluScale * (x * siluSlope(a[i]) + bar[i] * siluCurvature(a[i]) * aDot[i])
    );
    const [from, to] = [widths[k], widths[k + 1]];
    addOuter(weightsBarDot[k], dot.outputs[k], sumBar, from);
    addOuter(weightsBarDot[k], value.outputs[k], sumBarDot, from);
    if (k === 0) return;
    const back = transposed(hidden[k], from, to);
    const n = a.length / to;
    [bar, barDot] = [sumBar, sumBarDot].map((x) => {
      const out = new Float64Array(n * from);
      addProduct(out, x, back, n, to, from, 1 / Math.sqrt(from));
      return out;
    });
  }
}
