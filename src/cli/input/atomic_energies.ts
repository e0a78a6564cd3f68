import { RequestError } from "../../errors.ts";
import { chemicalSymbol, distinctElements } from "../../frame.ts";
import type { MaceModel } from "../../model/mace_model.ts";
import { atomicEnergies } from "../../train/atomic_energies.ts";
import { rmseOf } from "../../train/errors.ts";
import type { FitRun } from "../../train/fit.ts";
import type { Console } from "../output/output.ts";
import type { TrainCommand } from "../syntax/train_options.ts";
import type { StartingModel } from "./starting_model.ts";
import type { TrainingFrames } from "./training_frames.ts";

/** Energies of isolated atoms, eV: those of the model, and those that are trained with. */
export type AtomicEnergyTable = Record<string, { readonly model: number; readonly used: number }>;

/** What a training starts with. */
export interface StartingEnergies {
  readonly model: MaceModel;
  readonly e0s: AtomicEnergyTable;
  /** Of the training frames by this model, eV, by their ids. */
  readonly energies: ReadonlyMap<string, number>;
}

/** Labels further off than this on average have another zero, eV/atom. */
const OFF = 0.5;

/**
 * The model with the energies of isolated atoms that were asked for; they are told with what is left of the errors.
 *
 * @throws {RequestError} where the model's own are kept and the labels have another zero
 */
export async function chooseAtomicEnergies(
  command: TrainCommand,
  { train, isolated }: TrainingFrames,
  { model, head }: StartingModel,
  predict: FitRun["predict"],
  console: Console,
): Promise<StartingEnergies> {
  const predictions = await predict(model, train);
  const n = model.elements.length;
  const current = model.atomicEnergies.slice(head * n, (head + 1) * n);
  const { energies, fit } = atomicEnergies(
    command.e0s,
    model.elements,
    current,
    train,
    predictions.map(({ energy }) => energy),
    isolated,
  );
  const shifted = predictions.map((prediction, f) => {
    const shift = train[f].frame.species.reduce((sum, z) => {
      const i = model.elements.indexOf(z);
      return sum + energies[i] - current[i];
    }, 0);
    return { ...prediction, energy: prediction.energy + shift };
  });
  const errors = train.flatMap(({ frame, labels }, f) =>
    labels.energy === null ? [] : [(shifted[f].energy - labels.energy) / frame.species.length]
  );
  const mean = errors.reduce((sum, e) => sum + e, 0) / errors.length;
  if (command.e0s === "model" && command.energyWeight > 0 && Math.abs(mean) > OFF) {
    throw new RequestError(
      "Cannot train with the model's energies of isolated atoms: its energies are off by " +
        `${
          mean.toPrecision(4)
        } eV/atom on average, the labels have another zero; use --e0s average, ` +
        "estimated, isolated or H:E,O:E",
    );
  }
  const seen = new Set(distinctElements(train.flatMap(({ frame }) => [...frame.species])));
  const e0s: AtomicEnergyTable = {};
  model.elements.forEach((z, i) => {
    if (seen.has(z)) e0s[chemicalSymbol(z)] = { model: current[i], used: energies[i] };
  });
  tell(command, e0s, fit, 1000 * rmseOf(train, shifted).energy, console);
  const all = model.atomicEnergies.slice();
  all.set(energies, head * n);
  return {
    model: { ...model, atomicEnergies: all },
    e0s,
    energies: new Map(train.map(({ frame }, f) => [frame.id, shifted[f].energy])),
  };
}

function tell(
  { e0s: choice }: TrainCommand,
  e0s: AtomicEnergyTable,
  fit: { rank: number; condition: number } | null,
  left: number,
  console: Console,
): void {
  const told = Object.entries(e0s).map(([symbol, { model, used }]) => {
    const shift = used - model;
    return `${symbol} ${used.toFixed(4)}${shift === 0 ? "" : ` (the model's ${model.toFixed(4)})`}`;
  });
  const how = typeof choice === "string" ? choice : "given";
  console.say(`Energies of isolated atoms, ${how}: ${told.join(", ")} eV`);
  if (Number.isFinite(left)) {
    console.say(`Energies before the first step: RMSE ${left.toFixed(1)} meV/atom`);
  }
  if (!fit) return;
  const n = Object.keys(e0s).length;
  console.say(`Fitted: rank ${fit.rank} of ${n}, condition ${fit.condition.toPrecision(3)}`);
  if (fit.rank < n) {
    console.warn(
      `the compositions do not tell all ${n} elements apart (rank ${fit.rank}): the smallest energies ` +
        "that fit are taken, and mean nothing by themselves",
    );
  }
}
