import type { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import type { Tensor } from "../src/checkpoint/tensors.ts";
import { loadMace } from "../src/checkpoint/load.ts";
import { maceModel } from "../src/checkpoint/mace_checkpoint.ts";
import { type MaceModel, messagePaths } from "../src/model/mace_model.ts";
import { normalNumbers, type Npz, readNpz, sharedPath } from "./support.ts";

/** One of the `.npz` cases and its model; null where the reference material is not present. */
export function goldenCase(
  name: string,
): { npz: Npz; model: MaceModel; checkpoint: Checkpoint } | null {
  const path = sharedPath(`reference/mace/${name}.npz`);
  const couplings = sharedPath("reference/mace/density_c16.model");
  if (!path || !couplings) return null;
  const npz = readNpz(path);
  const checkpoint = checkpointOf(npz, loadMace(couplings).checkpoint.tensors);
  return { npz, model: maceModel(checkpoint), checkpoint };
}

/**
 * The checkpoint behind one of the `.npz` cases. U matrices are not in these files: they are those of
 * any model with the same degrees.
 */
function checkpointOf(npz: Npz, couplings: ReadonlyMap<string, Tensor>): Checkpoint {
  const meta = JSON.parse(npz.text("meta"));
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of couplings) {
    if (name.includes("U_matrix")) tensors.set(name, tensor);
  }
  for (const name of npz.names) {
    if (name.startsWith("w:")) tensors.set(name.slice(2), { dtype: "F64", ...npz.array(name) });
  }
  return {
    tensors,
    config: {
      modelClass: "ScaleShiftMACE",
      interactionClasses: meta.interaction_cls,
      avgNumNeighbors: meta.avg_num_neighbors,
      heads: meta.heads,
      siluScale: meta.silu_cst,
      elementNormalizer: meta.Z.length,
    },
  };
}

/** Couplings of the outputs l = 0, 1, 2 for l_max 3, as in `couplings_lmax3.json`. */
type CouplingTable = Record<
  string,
  { K: number[]; polys: { m: number[]; terms: [order: number, k: number, value: number][] }[][] }
>;

/**
 * A checkpoint in the form of exported weights, with random weights: hidden features up to l = 2, two
 * layers, l_max 3, correlation 3, two elements (H and O), two heads.
 */
export function randomCheckpoint(table: CouplingTable, density: boolean): Checkpoint {
  const [C, L, nb, nElements, nHeads] = [8, 2, 6, 2, 2];
  const tensors = new Map<string, Tensor>();
  let seed = 1;
  const set = (name: string, shape: number[], data: ArrayLike<number>) =>
    void tensors.set(name, { dtype: "F64", shape, data: Float64Array.from(data) });
  const random = (name: string, ...shape: number[]) =>
    set(name, shape, normalNumbers(seed++, shape.reduce((product, n) => product * n, 1)));
  set("atomic_numbers", [2], [1, 8]);
  set("r_max", [], [3]);
  set("num_interactions", [], [2]);
  set("l_max", [], [3]);
  random("node_embedding.linear.weight", nElements * C);
  const radial = "radial_embedding.";
  set(`${radial}bessel_fn.bessel_weights`, [nb], [1, 2, 3, 4, 5, 6].map((n) => n * Math.PI / 3));
  set(`${radial}bessel_fn.prefactor`, [], [Math.sqrt(2 / 3)]);
  set(`${radial}cutoff_fn.p`, [], [5]);
  random("atomic_energies_fn.atomic_energies", nHeads, nElements);
  random("scale_shift.scale", nHeads);
  random("scale_shift.shift", nHeads);
  for (let t = 0; t < 2; t++) {
    const [lIn, lOut] = t === 0 ? [0, L] : [L, 0];
    const nPaths = messagePaths(lIn, 3).length;
    const block = `interactions.${t}.`;
    random(`${block}linear_up.weight`, (lIn + 1) * C * C);
    random(`${block}conv_tp_weights.layer0.weight`, nb, 16);
    random(`${block}conv_tp_weights.layer1.weight`, 16, nPaths * C);
    random(`${block}linear.weight`, nPaths * C * C);
    random(`${block}skip_tp.weight`, (t === 0 ? 4 : 1) * C * nElements * C);
    if (density) random(`${block}density_fn.layer0.weight`, nb, 1);
    for (let l = 0; l <= lOut; l++) addContraction(tensors, random, table[`L${l}`], t, l, C);
    random(`products.${t}.linear.weight`, (lOut + 1) * C * C);
  }
  random("readouts.0.linear.weight", C * nHeads);
  random("readouts.1.linear_1.weight", C * 4 * nHeads);
  random("readouts.1.linear_2.weight", 4 * nHeads * nHeads);
  const kind = density ? "Density" : "";
  return {
    tensors,
    config: {
      modelClass: "ScaleShiftMACE",
      interactionClasses: ["", "Residual"].map((r) => `RealAgnostic${kind}${r}InteractionBlock`),
      avgNumNeighbors: [12, 12],
      heads: ["a", "b"],
      siluScale: 1.6791767923989418,
      elementNormalizer: 2,
    },
  };
}

function addContraction(
  tensors: Map<string, Tensor>,
  random: (name: string, ...shape: number[]) => void,
  { K, polys }: CouplingTable[string],
  t: number,
  l: number,
  C: number,
): void {
  const prefix = `products.${t}.symmetric_contractions.contractions.${l}.`;
  random(`${prefix}weights_max`, 2, K[2], C);
  random(`${prefix}weights.0`, 2, K[1], C);
  random(`${prefix}weights.1`, 2, K[0], C);
  const first = [0, K[0], K[0] + K[1]];
  const nPaths = K[0] + K[1] + K[2];
  const monomials: number[] = [];
  const couplings: number[] = [];
  polys.forEach((terms, component) => {
    for (const { m, terms: values } of terms) {
      monomials.push(component, ...m, ...new Array(3 - m.length).fill(255));
      const row = new Array<number>(nPaths).fill(0);
      for (const [order, k, value] of values) row[first[order - 1] + k] = value;
      couplings.push(...row);
    }
  });
  const nTerms = monomials.length / 4;
  const table = (shape: number[], data: number[]): Tensor => ({
    dtype: "F64",
    shape,
    data: Float64Array.from(data),
  });
  tensors.set(`${prefix}monomials`, table([nTerms, 4], monomials));
  tensors.set(`${prefix}couplings`, table([nTerms, nPaths], couplings));
}
