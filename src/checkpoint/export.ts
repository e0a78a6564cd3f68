import { WeightsError } from "../errors.ts";
import { atomicNumber, chemicalSymbol } from "../frame.ts";
import { NO_FACTOR } from "../model/mace_model.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { readContraction } from "./contraction.ts";
import { maceModel } from "./mace_checkpoint.ts";
import type { Tensor } from "./tensors.ts";

/** Tensors that the forward pass does not use. */
const UNUSED =
  /(\.bias|\.output_mask|_zeroed|conv_tp\.weight|\._w3j.*|U_matrix_\d|pair_repulsion_fn\.(r_max|cutoff\..*)|cutoff_fn\.r_max|bessel_fn\.r_max)$/;

/**
 * Compact weights of a checkpoint: unused buffers dropped, U matrices replaced by their symmetrised
 * monomials, and only the wanted elements kept. Normalisations keep the original number of elements,
 * so every result of the kept elements is that of the original, bit for bit.
 *
 * @param symbols chemical symbols to keep, or null for all
 * @throws {WeightsError} if the model does not know one of them
 */
export function exportWeights(
  checkpoint: Checkpoint,
  symbols: readonly string[] | null,
): Checkpoint {
  const model = maceModel(checkpoint);
  const kept = symbols === null
    ? model.elements.map((_, i) => i)
    : elementPlaces(model.elements, symbols);
  const nElements = model.elements.length;
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of checkpoint.tensors) {
    if (UNUSED.test(name)) continue;
    tensors.set(name, sliceElements(name, tensor, kept, nElements, model.channels));
  }
  tensors.set("l_max", { dtype: "I64", shape: [], data: Float64Array.of(model.lMax) });
  const shape = { d: (model.lMax + 1) ** 2, channels: model.channels, nElements };
  model.layers.forEach((layer, t) => {
    for (let l = 0; l <= layer.lOut; l++) {
      const prefix = `products.${t}.symmetric_contractions.contractions.${l}.`;
      addMonomials(tensors, prefix, readContraction(checkpoint, prefix, l, shape));
    }
  });
  return { tensors, config: checkpoint.config };
}

function elementPlaces(elements: readonly number[], symbols: readonly string[]): number[] {
  const places = symbols.map((symbol) => {
    const place = elements.indexOf(atomicNumber(symbol));
    if (place < 0) {
      const known = elements.map(chemicalSymbol).join(", ");
      throw new WeightsError(`it does not know the element "${symbol}", only ${known}`);
    }
    return place;
  });
  return [...new Set(places)].sort((a, b) => a - b);
}

/** Keeps the rows of the wanted elements along the tensor's element axis, if it has one. */
function sliceElements(
  name: string,
  tensor: Tensor,
  kept: readonly number[],
  nElements: number,
  channels: number,
): Tensor {
  const { dtype, data, shape } = tensor;
  // Elements of length `inner` lie behind each other, `nElements` to a group.
  const inner = name === "atomic_numbers" || name.endsWith(".atomic_energies")
    ? 1
    : name === "node_embedding.linear.weight" || name.endsWith("skip_tp.weight")
    ? channels
    : /contractions\.\d\.weights/.test(name)
    ? shape[1] * shape[2]
    : 0;
  if (inner === 0 || kept.length === nElements) return tensor;
  const groups = data.length / (nElements * inner);
  const out = new Float64Array(groups * kept.length * inner);
  for (let g = 0; g < groups; g++) {
    kept.forEach((z, i) => {
      const from = (g * nElements + z) * inner;
      out.set(data.subarray(from, from + inner), (g * kept.length + i) * inner);
    });
  }
  const axis = shape.indexOf(nElements);
  const sliced = shape.length === 1
    ? [out.length]
    : shape.map((n, i) => (i === axis ? kept.length : n));
  return { dtype, shape: sliced, data: out };
}

function addMonomials(
  tensors: Map<string, Tensor>,
  prefix: string,
  contraction: ReturnType<typeof readContraction>,
): void {
  const { nTerms, nPaths, component, indices, basis } = contraction;
  const monomials = new Float64Array(4 * nTerms).fill(NO_FACTOR);
  for (let t = 0; t < nTerms; t++) {
    monomials[4 * t] = component[t];
    monomials.set(indices.subarray(3 * t, 3 * t + 3), 4 * t + 1);
  }
  tensors.set(`${prefix}monomials`, { dtype: "U8", shape: [nTerms, 4], data: monomials });
  tensors.set(`${prefix}couplings`, { dtype: "F64", shape: [nTerms, nPaths], data: basis });
}
