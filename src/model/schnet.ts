import type { Graph } from "../frame.ts";
import { addProduct } from "../matrix.ts";
import type { Dense, SchnetLayer, SchnetModel } from "./schnet_model.ts";

/** Beyond this torch's softplus is the identity. */
const SOFTPLUS_LINEAR = 20;

/**
 * SchNet's representation of every atom in float64, equation by equation:
 * h_i ← h_i + f2out(Σ_j in2f(h_j) ∘ W(r_ij)) over `nLayers` interactions.
 *
 * @returns features after the last of these interactions, shape (n_atoms, channels)
 */
export function schnetFeatures(
  model: SchnetModel,
  graph: Graph,
  nLayers = model.layers.length,
): Float64Array {
  const { channels } = model;
  const { nAtoms, nEdges, firstEdge, sender, species, vectors } = graph;
  const h = new Float64Array(nAtoms * channels);
  species.forEach((z, n) =>
    h.set(model.embedding.subarray(z * channels, (z + 1) * channels), n * channels)
  );
  const r = Float64Array.from(
    { length: nEdges },
    (_, e) => Math.hypot(vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]),
  );
  for (const layer of model.layers.slice(0, nLayers)) {
    const x = dense(h, layer.in2f);
    const filters = schnetFilters(model, layer, r);
    const width = layer.in2f.nOut;
    const sums = new Float64Array(nAtoms * width);
    for (let n = 0; n < nAtoms; n++) {
      for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
        for (let c = 0; c < width; c++) {
          sums[n * width + c] += x[sender[e] * width + c] * filters[e * width + c];
        }
      }
    }
    const [first, second] = layer.f2out;
    dense(dense(sums, first).map(shiftedSoftplus), second).forEach((v, i) => h[i] += v);
  }
  return h;
}

/**
 * Filters of a layer at distances r: W(r) = filter(Gaussians(r)) · ½ (cos(π r / r_max) + 1).
 *
 * @param r Å, shape (n)
 * @returns shape (n, n_filters), zero from r_max on
 */
export function schnetFilters(
  { gaussians: { offsets, widths }, rMax }: SchnetModel,
  { filter: [first, second] }: SchnetLayer,
  r: Float64Array,
): Float64Array {
  const n = offsets.length;
  const expanded = Float64Array.from({ length: r.length * n }, (_, i) => {
    const k = i % n;
    return Math.exp(-0.5 * ((r[Math.floor(i / n)] - offsets[k]) / widths[k]) ** 2);
  });
  const filters = dense(dense(expanded, first).map(shiftedSoftplus), second);
  return filters.map((w, i) => {
    const distance = r[Math.floor(i / second.nOut)];
    return distance < rMax ? w * 0.5 * (Math.cos(Math.PI * distance / rMax) + 1) : 0;
  });
}

/** ln(1 + e^x) - ln 2; torch takes x for the logarithm beyond 20. */
export function shiftedSoftplus(x: number): number {
  return (x > SOFTPLUS_LINEAR ? x : Math.log1p(Math.exp(x))) - Math.LN2;
}

/** x W + b for rows x, shape (n, nIn) → (n, nOut). */
function dense(x: Float64Array, { nIn, nOut, weight, bias }: Dense): Float64Array {
  const n = x.length / nIn;
  const out = new Float64Array(n * nOut);
  for (let i = 0; i < n; i++) out.set(bias, i * nOut);
  addProduct(out, x, weight, n, nIn, nOut);
  return out;
}
