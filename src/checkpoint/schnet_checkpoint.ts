import { WeightsError } from "../errors.ts";
import { transposed } from "../matrix.ts";
import type { Dense, SchnetLayer, SchnetModel } from "../model/schnet_model.ts";
import type { Module, ModuleTree } from "./modules.ts";
import type { Tensor } from "./tensors.ts";
import { Global } from "./unpickle.ts";

/** Where a schnetpack potential holds its representation. */
const PREFIX = "representation.";
/** Modules that the definition follows, by their place in the representation. */
const EXPECTED: Readonly<Record<string, string>> = {
  radial_basis: "GaussianRBF",
  cutoff_fn: "CosineCutoff",
  embedding: "Embedding",
};

/** True if the tree is a schnetpack potential, or a SchNet representation by itself. */
export function holdsSchnet({ modules }: ModuleTree): boolean {
  return modules.get("")?.className === "SchNet" ||
    modules.get("representation")?.className === "SchNet";
}

/**
 * The SchNet representation of a schnetpack 2 checkpoint.
 *
 * @throws {WeightsError} if a part of it is missing or differs from what the definition computes
 */
export function schnetModel({ modules, tensors }: ModuleTree): SchnetModel {
  const prefix = modules.get("")!.className === "SchNet" ? "" : PREFIX;
  const moduleAt = (name: string) => modules.get(prefix + name);
  const tensorAt = (name: string): Tensor => {
    const found = tensors.get(prefix + name);
    if (!found) throw new WeightsError(`there is no tensor "${prefix}${name}"`);
    return found;
  };
  for (const [name, className] of Object.entries(EXPECTED)) {
    const found = moduleAt(name)?.className;
    if (found === className) continue;
    throw new WeightsError(`its ${name} is a "${found}", only ${className} is supported`);
  }
  const embedding = tensorAt("embedding.weight");
  const [nRows, channels] = embedding.shape;
  const layers: SchnetLayer[] = [];
  const dense = (name: string, activated: boolean): Dense => {
    checkActivation(moduleAt(name), name, activated);
    const bias = tensors.get(`${prefix}${name}.bias`);
    return denseOf(tensorAt(`${name}.weight`), bias);
  };
  for (let t = 0; moduleAt(`interactions.${t}`); t++) {
    const block = `interactions.${t}`;
    layers.push({
      in2f: dense(`${block}.in2f`, false),
      filter: [dense(`${block}.filter_network.0`, true), dense(`${block}.filter_network.1`, false)],
      f2out: [dense(`${block}.f2out.0`, true), dense(`${block}.f2out.1`, false)],
    });
  }
  if (layers.length === 0) throw new WeightsError("its representation has no interactions");
  const offsets = tensorAt("radial_basis.offsets").data;
  layers.forEach((layer, t) => checkShapes(layer, `interaction ${t}`, channels, offsets.length));
  return {
    kind: "SchNet",
    // Row 0 is padding: there is no element 0.
    elements: Array.from({ length: nRows - 1 }, (_, i) => i + 1),
    rMax: tensorAt("cutoff_fn.cutoff").data[0],
    channels,
    dtype: embedding.dtype === "F64" ? "float64" : "float32",
    gaussians: {
      offsets,
      widths: tensorAt("radial_basis.widths").data,
    },
    embedding: embedding.data,
    layers,
  };
}

/** Refuses an activation that is not the one expected: none, or the shifted softplus. */
function checkActivation(module: Module | undefined, name: string, activated: boolean): void {
  const activation = module?.state.get("activation");
  const found = activation instanceof Global ? activation.name.split(" ").pop()! : "none";
  const expected = activated ? "shifted_softplus" : "none";
  if (found === expected) return;
  throw new WeightsError(`activation "${found}" of ${name} is not supported, expected ${expected}`);
}

/** Every linear layer must take what the one before it gives. */
function checkShapes(layer: SchnetLayer, name: string, channels: number, nGaussians: number): void {
  const { in2f, filter, f2out } = layer;
  const links = [
    [channels, in2f.nIn],
    [nGaussians, filter[0].nIn],
    [filter[0].nOut, filter[1].nIn],
    [filter[1].nOut, in2f.nOut],
    [in2f.nOut, f2out[0].nIn],
    [f2out[0].nOut, f2out[1].nIn],
    [f2out[1].nOut, channels],
  ];
  const shapes = [in2f, ...filter, ...f2out].every(({ nIn, nOut, weight, bias }) =>
    weight.length === nIn * nOut && bias.length === nOut
  );
  if (shapes && links.every(([from, to]) => from === to)) return;
  throw new WeightsError(`the shapes of the weights of its ${name} do not fit each other`);
}

/** torch keeps (out, in); here weights are (in, out). */
function denseOf({ shape, data }: Tensor, bias: Tensor | undefined): Dense {
  const [nOut, nIn] = shape;
  const weight = transposed(data, nOut, nIn);
  return { nIn, nOut, weight, bias: bias?.data ?? new Float64Array(nOut) };
}
