import { WeightsError } from "../errors.ts";
import { type Archive, openArchive, readEntry } from "./archive.ts";
import { isTensor, type Tensor, TensorReader } from "./tensors.ts";
import { Call, type Dict, Global, unpickle } from "./unpickle.ts";

const MAX_MODULES = 10_000;
const MAX_DEPTH = 32;

/** A module of a pickled tree: its class and the python attributes of its state. */
export interface Module {
  readonly className: string;
  readonly state: Dict;
}

/** A whole pickled model: modules and tensors by dotted names, the root's name is empty. */
export interface ModuleTree {
  readonly modules: ReadonlyMap<string, Module>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** What `torch.save` wrote: the object, nothing of it executed, and a reader for its tensors. */
export interface TorchFile {
  readonly root: unknown;
  readonly reader: TensorReader;
}

/** Opens a file written by `torch.save`; of a training checkpoint, the state dict under `model`.
 * @throws {WeightsError} if it is damaged or was not written by torch */
export function openTorchFile(bytes: Uint8Array): TorchFile {
  const archive = openArchive(bytes);
  const names = [...archive.entries.keys()];
  if (names.some((name) => /(^|\/)(constants\.pkl|code\/.*)$/.test(name))) {
    throw new WeightsError(
      "it is compiled (TorchScript); give the .model that it was made from, the one without " +
        "_compiled or -lammps in its name",
    );
  }
  const pickle = names.find((name) => /(^|\/)data\.pkl$/.test(name));
  if (!pickle) throw new WeightsError("the archive holds no data.pkl, it was not written by torch");
  const prefix = pickle.slice(0, -"data.pkl".length);
  checkByteOrder(archive, prefix);
  let root = unpickle(readEntry(archive, pickle));
  if (root instanceof Map && root.get("model") instanceof Map) root = root.get("model");
  return { root, reader: new TensorReader(archive, prefix) };
}

function checkByteOrder(archive: Archive, prefix: string): void {
  if (!archive.entries.has(`${prefix}byteorder`)) return;
  const order = new TextDecoder().decode(readEntry(archive, `${prefix}byteorder`)).trim();
  if (order !== "little") throw new WeightsError(`it is stored in ${order} endian order`);
}

/** Walks the modules of a pickled model and collects tensors under dotted names.
 * @throws {WeightsError} if the object is not a module or its tree is damaged */
export function readModules({ root, reader }: TorchFile): ModuleTree {
  const { modules, calls } = walkModules(root);
  if (!modules.has("")) throw new WeightsError("it holds neither a model nor a state dict");
  const tensors = new Map([...calls].map(([name, call]) => [name, reader.read(call, name)]));
  return { modules, tensors };
}

/** Tensors by name as they are pickled, of a model or of a state dict. */
export function pickledTensors({ root }: TorchFile): ReadonlyMap<string, Call> {
  if (!(root instanceof Map)) return walkModules(root).calls;
  return new Map(
    [...root].flatMap(([name, value]) => isTensor(value) ? [[text(name), value]] : []),
  );
}

function walkModules(root: unknown): { modules: Map<string, Module>; calls: Map<string, Call> } {
  const modules = new Map<string, Module>();
  const calls = new Map<string, Call>();
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
        if (isTensor(value)) calls.set(join(name), value);
      }
    }
    for (const [name, value] of dict(module.state.get("_modules"))) {
      visit(value, join(name), depth + 1);
    }
  };
  visit(root, "", 0);
  return { modules, calls };
}

/** The module behind an unpickled object, or null. */
export function asModule(value: unknown): Module | null {
  if (!(value instanceof Call)) return null;
  const state = Array.isArray(value.state) ? value.state[0] : value.state;
  if (!(state instanceof Map) || !(value.callable instanceof Global)) return null;
  const className = value.callable.name.split(" ").pop()!.split(".").pop()!;
  return { className, state };
}

/** A name; anything else in its place is damage (and its conversion to text could be endless). */
export function text(value: unknown): string {
  if (typeof value !== "string") throw new WeightsError("a name in it is not text");
  return value;
}

/** The dictionary, or an empty one for anything else. */
export function dict(value: unknown): Dict {
  return value instanceof Map ? value : new Map();
}
