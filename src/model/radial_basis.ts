import { addProduct, transposed } from "../matrix.ts";
import type { AgnesiTransform, MaceLayer, RadialModel } from "./mace_model.ts";
import { polynomialCutoff, polynomialCutoffSlope } from "./polynomial_cutoff.ts";
import { silu, siluSlope } from "./silu.ts";

/** Agnesi transform of a distance, 1 / (1 + a y^q / (1 + y^(q - p))) with y = r / r0. */
export function agnesi(r: number, r0: number, { q, p, a }: AgnesiTransform): number {
  const y = r / r0;
  return 1 / (1 + a * y ** p / (1 + y ** (p - q)));
}

/** Derivative of `agnesi` with respect to r, 1/Å. */
function agnesiSlope(r: number, r0: number, transform: AgnesiTransform): number {
  const { q, p, a } = transform;
  const y = r / r0;
  const below = 1 + y ** (p - q);
  const slope = a * (p * y ** (p - 1) * below - (p - q) * y ** (2 * p - q - 1)) / below ** 2;
  return -(agnesi(r, r0, transform) ** 2) * slope / r0;
}

/** r0 of the Agnesi transform: the mean of both covalent radii, Å. */
function agnesiLength(transform: AgnesiTransform, z1: number, z2: number): number {
  return 0.5 * (transform.covalentRadii[z1] + transform.covalentRadii[z2]);
}

/**
 * Radial embedding b_n(r) = prefactor · sin(w_n t) / t · f_cut(r), where t is r or its Agnesi transform.
 *
 * @param r edge lengths, shape (n_edges), Å
 * @param senders atomic numbers of the senders, shape (n_edges)
 * @param receivers atomic numbers of the receivers, shape (n_edges)
 * @returns shape (n_edges, n_bessel)
 */
export function radialBasis(
  r: Float64Array,
  senders: ArrayLike<number>,
  receivers: ArrayLike<number>,
  model: RadialModel,
  rMax: number,
): Float64Array {
  const { bessel, prefactor, cutoffPower, agnesi: transform } = model;
  const nb = bessel.length;
  const out = new Float64Array(r.length * nb);
  for (let e = 0; e < r.length; e++) {
    const t = transform
      ? agnesi(r[e], agnesiLength(transform, senders[e], receivers[e]), transform)
      : r[e];
    const factor = prefactor / t * polynomialCutoff(r[e], rMax, cutoffPower);
    for (let n = 0; n < nb; n++) out[e * nb + n] = factor * Math.sin(bessel[n] * t);
  }
  return out;
}

/**
 * Adjoint of `radialBasis` for the distances.
 *
 * @param basisBar shape (n_edges, n_bessel)
 * @returns shape (n_edges), 1/Å
 */
export function radialBasisAdjoint(
  r: Float64Array,
  senders: ArrayLike<number>,
  receivers: ArrayLike<number>,
  model: RadialModel,
  rMax: number,
  basisBar: Float64Array,
): Float64Array {
  const { bessel, prefactor, cutoffPower, agnesi: transform } = model;
  const nb = bessel.length;
  const out = new Float64Array(r.length);
  for (let e = 0; e < r.length; e++) {
    const r0 = transform ? agnesiLength(transform, senders[e], receivers[e]) : 1;
    const t = transform ? agnesi(r[e], r0, transform) : r[e];
    const dt = transform ? agnesiSlope(r[e], r0, transform) : 1;
    const cutoff = polynomialCutoff(r[e], rMax, cutoffPower);
    const slope = polynomialCutoffSlope(r[e], rMax, cutoffPower);
    for (let n = 0; n < nb; n++) {
      const [sin, cos] = [Math.sin(bessel[n] * t), Math.cos(bessel[n] * t)];
      const inner = (bessel[n] * cos - sin / t) / t * dt * cutoff + sin / t * slope;
      out[e] += basisBar[e * nb + n] * prefactor * inner;
    }
  }
  return out;
}

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
  layer: Pick<MaceLayer, "radialMlp" | "radialWidths">,
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
 * Adjoint of `radialWeights` for the radial embedding.
 *
 * @param radialBar shape (n_edges, n_paths, C)
 * @param basisBar added to, shape (n_edges, n_bessel)
 */
export function radialWeightsAdjoint(
  basis: Float64Array,
  { radialMlp, radialWidths }: Pick<MaceLayer, "radialMlp" | "radialWidths">,
  siluScale: number,
  radialBar: Float64Array,
  basisBar: Float64Array,
): void {
  const n = basis.length / radialWidths[0];
  const { sums } = hiddenLayers(basis, radialMlp.slice(0, -1), radialWidths, siluScale);
  let bar = radialBar;
  for (let k = radialMlp.length - 1; k >= 0; k--) {
    const [from, to] = [radialWidths[k], radialWidths[k + 1]];
    const next = new Float64Array(n * from);
    addProduct(next, bar, transposed(radialMlp[k], from, to), n, to, from, 1 / Math.sqrt(from));
    bar = k > 0 ? next.map((x, i) => x * siluScale * siluSlope(sums[k - 1][i])) : next;
  }
  for (let i = 0; i < bar.length; i++) basisBar[i] += bar[i];
}

/**
 * Adjoint of `radialWeights` for the weights of the MLP.
 *
 * @param radialBar shape (n_edges, n_paths, C)
 * @param mlpBar added to, shaped as the MLP
 */
export function radialMlpWeights(
  basis: Float64Array,
  { radialMlp, radialWidths }: Pick<MaceLayer, "radialMlp" | "radialWidths">,
  siluScale: number,
  radialBar: Float64Array,
  mlpBar: readonly Float64Array[],
): void {
  const n = basis.length / radialWidths[0];
  const { sums, outputs } = hiddenLayers(basis, radialMlp.slice(0, -1), radialWidths, siluScale);
  let bar = radialBar;
  for (let k = radialMlp.length - 1; k >= 0; k--) {
    const [from, to] = [radialWidths[k], radialWidths[k + 1]];
    const scale = 1 / Math.sqrt(from);
    addProduct(mlpBar[k], transposed(outputs[k], n, from), bar, from, n, to, scale);
    if (k === 0) return;
    const next = new Float64Array(n * from);
    addProduct(next, bar, transposed(radialMlp[k], from, to), n, to, from, scale);
    bar = next.map((x, i) => x * siluScale * siluSlope(sums[k - 1][i]));
  }
}

/** Density of each edge, tanh((b · w / √n_bessel)²), shape (n_edges). */
export function edgeDensity(basis: Float64Array, weight: Float64Array): Float64Array {
  const nb = weight.length;
  const out = new Float64Array(basis.length / nb);
  for (let e = 0; e < out.length; e++) {
    let d = 0;
    for (let n = 0; n < nb; n++) d += basis[e * nb + n] * weight[n];
    out[e] = Math.tanh(d * d / nb);
  }
  return out;
}

/** Adjoint of `edgeDensity` for the radial embedding, added to `basisBar`. */
export function edgeDensityAdjoint(
  basis: Float64Array,
  weight: Float64Array,
  rhoBar: Float64Array,
  basisBar: Float64Array,
): void {
  const nb = weight.length;
  for (let e = 0; e < rhoBar.length; e++) {
    let d = 0;
    for (let n = 0; n < nb; n++) d += basis[e * nb + n] * weight[n] / Math.sqrt(nb);
    const slope = rhoBar[e] * (1 - Math.tanh(d * d) ** 2) * 2 * d / Math.sqrt(nb);
    for (let n = 0; n < nb; n++) basisBar[e * nb + n] += slope * weight[n];
  }
}

/** Adjoint of `edgeDensity` for its weights, added to `weightBar`. */
export function edgeDensityWeights(
  basis: Float64Array,
  weight: Float64Array,
  rhoBar: Float64Array,
  weightBar: Float64Array,
): void {
  const nb = weight.length;
  for (let e = 0; e < rhoBar.length; e++) {
    let d = 0;
    for (let n = 0; n < nb; n++) d += basis[e * nb + n] * weight[n] / Math.sqrt(nb);
    const slope = rhoBar[e] * (1 - Math.tanh(d * d) ** 2) * 2 * d / Math.sqrt(nb);
    for (let n = 0; n < nb; n++) weightBar[n] += slope * basis[e * nb + n];
  }
}
