import type { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import type { Tensor } from "../src/checkpoint/tensors.ts";
import type { Npz } from "./support.ts";

/**
 * The checkpoint behind one of the `.npz` cases. U matrices are not in these files: they are those of
 * any model with the same degrees.
 */
export function checkpointOf(npz: Npz, couplings: ReadonlyMap<string, Tensor>): Checkpoint {
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
