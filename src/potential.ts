import type { Backend, Potential } from "./backend.ts";
import { UsageError, WeightsError } from "./errors.ts";
import { chemicalSymbol } from "./frame.ts";
import { type DescriptorModel, isSchnet } from "./model/descriptor_model.ts";
import type { MaceModel } from "./model/mace_model.ts";

/**
 * Makes a model ready to predict energies, forces and virials on a backend.
 *
 * @param options `elements` that the frames hold, atomic numbers (all that the model knows if not given:
 * fewer are ready sooner); `head`, the name of the readout head where the model has several
 * @throws {UsageError} if the head is none of the model's, or missing where there are several
 * @throws {WeightsError} if the model has no energies, or lacks an element
 */
export function openPotential(
  model: DescriptorModel,
  backend: Backend,
  options: { readonly elements?: readonly number[]; readonly head?: string | null } = {},
): Promise<Potential> {
  const potential = requirePotential(model);
  const elements = options.elements ?? potential.elements;
  const missing = elements.filter((z) => !potential.elements.includes(z)).map(chemicalSymbol);
  if (missing.length > 0) {
    const known = potential.elements.map(chemicalSymbol).join(", ");
    throw new WeightsError(
      `Cannot predict ${missing.join(", ")}: the model knows ${known}; choose another model`,
    );
  }
  const sorted = [...elements].sort((a, b) => a - b);
  return backend.openPotential(potential, sorted, headIndex(potential, options.head));
}

/** The model, if it has energies.
 * @throws {WeightsError} if it describes atoms only */
export function requirePotential(model: DescriptorModel): MaceModel {
  if (!isSchnet(model) && model.readouts.length === model.layers.length) return model;
  throw new WeightsError(
    `Cannot predict energies with a ${model.kind} model: only MACE checkpoints with readouts are ` +
      "potentials; choose another model",
  );
}

/** Place of a readout head among the model's.
 * @param name the only head if not given */
export function headIndex({ heads }: MaceModel, name: string | null = null): number {
  if (name === null && heads.length === 1) return 0;
  const index = heads.indexOf(name ?? "");
  if (index >= 0) return index;
  const known = heads.join(", ");
  throw new UsageError(
    name === null
      ? `Cannot choose a readout head: the model has ${known}; name one with --head`
      : `Cannot use the readout head "${name}": the model has ${known}`,
  );
}
