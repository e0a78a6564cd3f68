import { WeightsError } from "../errors.ts";
import { type Archive, openArchive, readEntry } from "./archive.ts";
import type { Checkpoint, CheckpointConfig } from "./checkpoint.ts";
import { isTensor, type Tensor, TensorReader } from "./tensors.ts";
import { Call, type Dict, Global, unpickle } from "./unpickle.ts";

/** κ where a file does not say it: e3nn's Monte-Carlo value, the same in every published model. */
const SILU_SCALE = 1.6791767923989418;
const MAX_MODULES = 10_000;
const MAX_DEPTH = 32;

/** A module of the pickled tree: its class and the python attributes of its state. */
interface Module {
  readonly className: string;
  readonly state: Dict;
}

/**
 * Reads a checkpoint written by `torch.save`: a whole model, a state dict, or a training checkpoint
 * that holds a state dict under `model`.
 *
 * @param bytes the file
 * @throws {WeightsError} if the file is damaged or is not a MACE checkpoint
 */
export function readModelFile(bytes: Uint8Array): Checkpoint {
  const archive = openArchive(bytes);
  const pickle = [...archive.entries.keys()].find((name) => /(^|\/)data\.pkl$/.test(name));
  if (!pickle) throw new WeightsError("the archive holds no data.pkl, it was not written by torch");
  const prefix = pickle.slice(0, -"data.pkl".length);
  checkByteOrder(archive, prefix);
  let root = unpickle(readEntry(archive, pickle));
  if (root instanceof Map && root.get("model") instanceof Map) root = root.get("model");
  const reader = new TensorReader(archive, prefix);
  if (root instanceof Map) return fromStateDict(reader, root);
  return fromModules(reader, root);
}

function checkByteOrder(archive: Archive, prefix: string): void {
  if (!archive.entries.has(`${prefix}byteorder`)) return;
  const order = new TextDecoder().decode(readEntry(archive, `${prefix}byteorder`)).trim();
  if (order !== "little") throw new WeightsError(`it is stored in ${order} endian order`);
}

/** A whole pickled model: walks its modules and collects tensors under dotted names. */
function fromModules(reader: TensorReader, root: unknown): Checkpoint {
  const modules = new Map<string, Module>();
  const tensors = new Map<string, Tensor>();
  const visited = new Set<unknown>();
  const visit = (value: unknown, path: string, depth: number) => {
    const module = asModule(value);
    if (!module || visited.has(value)) return;
    visited.add(value);
    if (depth > MAX_DEPTH || modules.size >= MAX_MODULES) {
      throw new WeightsError("its modules are nested too deeply");
    }
    modules.set(path, module);
    const join = (name: unknown) => (path ? `${path}.${text(name)}` : text(name));
    for (const group of ["_parameters", "_buffers"]) {
      for (const [name, value] of dict(module.state.get(group))) {
        const full = join(name);
        if (isTensor(value)) tensors.set(full, reader.read(value, full));
      }
    }
    for (const [name, value] of dict(module.state.get("_modules"))) {
      visit(value, join(name), depth + 1);
    }
  };
  visit(root, "", 0);
  const model = modules.get("");
  if (!model) throw new WeightsError("it holds neither a model nor a state dict");
  refuseVariants(modules);
  return { tensors, config: moduleConfig(reader, modules, model, tensors) };
}

function asModule(value: unknown): Module | null {
  if (!(value instanceof Call)) return null;
  const state = Array.isArray(value.state) ? value.state[0] : value.state;
  if (!(state instanceof Map) || !(value.callable instanceof Global)) return null;
  const className = value.callable.name.split(" ").pop()!.split(".").pop()!;
  return { className, state };
}

/** A name; anything else in its place is damage (and its conversion to text could be endless). */
function text(value: unknown): string {
  if (typeof value !== "string") throw new WeightsError("a name in it is not text");
  return value;
}

function dict(value: unknown): Dict {
  return value instanceof Map ? value : new Map();
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
  model: Module,
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
