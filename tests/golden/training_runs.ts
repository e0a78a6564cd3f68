/** Recorded trainings of the official code, made ready to be repeated. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { loadMace } from "../../src/checkpoint/load.ts";
import { parseFrame } from "../../src/io/extxyz.ts";
import { readLabels } from "../../src/io/frame_labels.ts";
import { splitFrames } from "../../src/io/frame_ranges.ts";
import { takeElements } from "../../src/model/elements.ts";
import type { MaceModel } from "../../src/model/mace_model.ts";
import type { FitOptions } from "../../src/train/fit.ts";
import type { LossKind } from "../../src/train/loss.ts";
import type { LabelledFrame } from "../../src/train/trainer.ts";
import { copyModel, movingTensors } from "../../src/train/weights.ts";
import { type Npz, readNpz, sharedPath } from "../support.ts";

/** What the official code noted of a step. */
export interface RecordedStep {
  readonly step: number;
  readonly batch: readonly number[];
  readonly lr: number;
  readonly loss: number;
  readonly gradient_norm: number;
}

/** What it noted after an epoch: of the weights, and of their averages. */
export interface RecordedEpoch {
  readonly raw: RecordedValidation;
  readonly ema?: RecordedValidation;
}

interface RecordedValidation {
  readonly valid_loss: number;
  readonly rmse_e_meV_per_atom: number;
  readonly rmse_f_eV_per_A: number;
}

/** A recorded training and all that it takes to repeat it. */
export interface RecordedRun {
  readonly name: string;
  readonly model: MaceModel;
  readonly train: readonly LabelledFrame[];
  readonly valid: readonly LabelledFrame[];
  readonly options: FitOptions;
  readonly order: readonly (readonly number[])[];
  readonly steps: readonly RecordedStep[];
  readonly epochs: readonly RecordedEpoch[];
  readonly npz: Npz;
}

/** Labelled frames of a file of the shared folder; none where it is not there. */
export async function labelledFrames(path: string): Promise<LabelledFrame[]> {
  async function* chunks() {
    const bytes = readFileSync(path);
    yield new Uint8Array(path.endsWith(".gz") ? gunzipSync(bytes) : bytes);
  }
  const frames: LabelledFrame[] = [];
  for await (const raw of splitFrames(chunks(), "labelled", () => {})) {
    const frame = parseFrame(raw, "labelled");
    const { energy, forces, stress } = readLabels(raw, frame);
    frames.push({
      frame,
      labels: {
        energy: energy?.value ?? null,
        forces: forces?.values ?? null,
        stress: stress?.tensor ?? null,
        weight: 1,
      },
    });
  }
  return frames;
}

/** Files of the shared folder that the runs start from. */
const MODELS: Record<string, string> = {
  "hydrogen-small.model": "demo/hydrogen-small.model",
  "density_c16.model": "reference/mace/density_c16.model",
};
const DATA: Record<string, string> = {
  "shared/demo/hydrogen-1000K-labelled.xyz.gz": "demo/hydrogen-1000K-labelled.xyz.gz",
  "density_frames.xyz": "reference/train/density_frames.xyz",
};

/** A recorded run, or null where the shared folder is not there. */
export async function recordedRun(name: string): Promise<RecordedRun | null> {
  const path = sharedPath(`reference/train/${name}.json`);
  if (!path) return null;
  const run = JSON.parse(readFileSync(path, "utf8"));
  const frames = await labelledFrames(sharedPath(DATA[run.data])!);
  const { model } = loadMace(sharedPath(MODELS[run.start_model])!);
  const kept = run.elements
    ? model.elements.flatMap((z, i) => (run.elements as number[]).includes(z) ? [i] : [])
    : [...model.elements.keys()];
  const start = copyModel(takeElements(model, kept));
  const { protocol } = run;
  const { weights, betas } = protocol;
  const kinds: Record<string, LossKind> = { huber: "huber", universal: "universal" };
  const at = (places: readonly number[]) => places.map((k) => frames[k]);
  return {
    name,
    model: { ...start, atomicEnergies: Float64Array.from([run.atomic_energies].flat(2)) },
    train: at(run.train_frames),
    valid: at(run.valid_frames),
    options: {
      kind: kinds[protocol.loss] ?? "weighted",
      energyWeight: weights.energy_weight,
      forcesWeight: weights.forces_weight,
      stressWeight: weights.stress_weight ?? 0,
      delta: weights.huber_delta ?? protocol.huber_delta ?? 0.01,
      ...{ beta1: betas[0], beta2: betas[1], epsilon: protocol.eps, clip: protocol.clip },
      ...{ learningRate: protocol.lr, weightDecay: protocol.weight_decay },
      ...{ epochs: run.epochs.length, batch: protocol.batch, ema: protocol.ema_decay },
      plateau: { factor: 0.8, patience: 50 },
      patience: null,
      moving: movingTensors(start, ["all"]),
    },
    ...{ order: run.order, steps: run.steps, epochs: run.epochs },
    npz: readNpz(sharedPath(`reference/train/${name}.npz`)!),
  };
}
