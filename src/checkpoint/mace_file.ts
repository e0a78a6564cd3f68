import { WeightsError } from "../errors.ts";
import type { Checkpoint, CheckpointConfig } from "./checkpoint.ts";
import { dict, type Module, readModules, text, type TorchFile } from "./modules.ts";
import { isTensor, type Tensor, type TensorReader } from "./tensors.ts";
import { Call, type Dict } from "./unpickle.ts";

/** κ where a file does not say it: e3nn's Monte-Carlo value, the same in every published model. */
const SILU_SCALE = 1.6791767923989418;

/**
 * Reads a MACE checkpoint: a whole model, a state dict, or a training checkpoint that holds a state
 * dict under `model`.
 *
 * @throws {WeightsError} if the file is damaged or is not a MACE checkpoint
 */
export function readMaceFile(file: TorchFile): Checkpoint {
  if (file.root instanceof Map) return fromStateDict(file.reader, file.root);
  const { modules, tensors } = readModules(file);
  refuseVariants(modules);
  return { tensors, config: moduleConfig(file.reader, modules, tensors) };
}

/** Refuses settings that change the forward pass in ways that are not supported. */
function refuseVariants(modules: ReadonlyMap<string, Module>): void {
  const model = modules.get("")!;
  if (model.state.get("apply_cutoff") === false) {
    throw new WeightsError("it was trained with apply_cutoff=False, which is not supported");
  }
  for (const name of ["use_agnostic_product", "use_so3", "embedding_specs", "edge_irreps"]) {
    for (const [path, module] of modules) {
      const value = module.state.get(name);
      const unset = value === undefined || value === null || value === false ||
        (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0);
      if (!unset && (path === "" || name !== "edge_irreps")) {
        throw new WeightsError(`it was trained with ${name}, which is not supported`);
      }
    }
  }
  for (const module of modules.values()) {
    const cueq = module.state.get("cueq_config");
    if (cueq instanceof Call && dict(cueq.state).get("enabled") === true) {
      throw new WeightsError("it is in cuEquivariance layout; convert it to e3nn with mace first");
    }
  }
  const transform = modules.get("radial_embedding.distance_transform");
  if (transform && transform.className !== "AgnesiTransform") {
    throw new WeightsError(`distance transform "${transform.className}" is not supported`);
  }
  const basis = modules.get("radial_embedding.bessel_fn");
  if (basis && basis.className !== "BesselBasis") {
    throw new WeightsError(`radial basis "${basis.className}" is not supported, only BesselBasis`);
  }
}

function moduleConfig(
  reader: TensorReader,
  modules: ReadonlyMap<string, Module>,
  tensors: ReadonlyMap<string, Tensor>,
): CheckpointConfig {
  const number = (value: unknown): number => {
    if (isTensor(value)) return reader.read(value, "attribute").data[0];
    return typeof value === "number" ? value : NaN;
  };
  const interactionClasses: string[] = [];
  const avgNumNeighbors: number[] = [];
  for (let t = 0; modules.has(`interactions.${t}`); t++) {
    const { className, state } = modules.get(`interactions.${t}`)!;
    interactionClasses.push(className);
    avgNumNeighbors.push(number(state.get("avg_num_neighbors")));
  }
  let siluScale = SILU_SCALE;
  for (const { className, state } of modules.values()) {
    if (className === "normalize2mom" && state.has("cst")) siluScale = number(state.get("cst"));
  }
  const model = modules.get("")!;
  const heads = model.state.get("heads");
  return {
    modelClass: model.className,
    interactionClasses,
    avgNumNeighbors,
    heads: Array.isArray(heads) && heads.length > 0 ? heads.map(text) : ["Default"],
    siluScale,
    elementNormalizer: tensors.get("atomic_numbers")?.data.length ?? 0,
  };
}

/** A state dict: names and tensors only, so classes are inferred from shapes. */
function fromStateDict(reader: TensorReader, root: Dict): Checkpoint {
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of root) {
    const full = text(name);
    if (isTensor(value)) tensors.set(full, reader.read(value, full));
  }
  const atomicNumbers = tensors.get("atomic_numbers");
  const embedding = tensors.get("node_embedding.linear.weight");
  if (!atomicNumbers || !embedding) {
    throw new WeightsError("it is a state dict, but not one of a MACE model");
  }
  const nElements = atomicNumbers.data.length;
  const channels = embedding.data.length / nElements;
  const interactionClasses: string[] = [];
  for (let t = 0; tensors.has(`interactions.${t}.linear_up.weight`); t++) {
    const skip = tensors.get(`interactions.${t}.skip_tp.weight`)?.data.length ?? 0;
    const linear = tensors.get(`products.${t}.linear.weight`)?.data.length ?? 0;
    const density = tensors.has(`interactions.${t}.density_fn.layer0.weight`);
    if (!density) {
      throw new WeightsError(
        `it is a state dict without avg_num_neighbors of interaction ${t}; load the whole model`,
      );
    }
    const residual = skip / nElements <= linear || skip !== 4 * channels * nElements * channels;
    interactionClasses.push(`RealAgnosticDensity${residual ? "Residual" : ""}InteractionBlock`);
  }
  const heads = tensors.get("scale_shift.scale")?.data.length ?? 1;
  return {
    tensors,
    config: {
      modelClass: "ScaleShiftMACE",
      interactionClasses,
      avgNumNeighbors: interactionClasses.map(() => NaN),
      heads: Array.from({ length: heads }, (_, i) => (heads === 1 ? "Default" : `head ${i}`)),
      siluScale: SILU_SCALE,
      elementNormalizer: nElements,
    },
  };
}
