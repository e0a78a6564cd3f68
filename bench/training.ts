/** A training step of dense hydrogen beside energies and forces of the same frames, and beside the official code.
 *
 *     deno run -A bench/training.ts [PYTHON]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { referenceBackend } from "../src/backend.ts";
import { loadMace } from "../src/checkpoint/load.ts";
import { openCpuBackend } from "../src/cpu/backend.ts";
import type { Frame } from "../src/frame.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import type { MaceModel } from "../src/model/mace_model.ts";
import { weightsOf } from "../src/model/model_weights.ts";
import { extendedXyz } from "../src/io/write_extxyz.ts";
import { denseHydrogen } from "../src/speed/inputs.ts";
import { mediumModel } from "../src/speed/medium_model.ts";
import { adamState } from "../src/train/adam.ts";
import type { LossOptions } from "../src/train/loss.ts";
import { movingArrays, trainStep } from "../src/train/step.ts";
import type { LabelledFrame } from "../src/train/trainer.ts";
import { movingTensors } from "../src/train/weights.ts";
import { gradientError } from "../src/speed/errors.ts";
import { sharedPath } from "../tests/support.ts";
import { check, interleave, micros, row, table } from "./timing.ts";

/** Frames of a step: the paper's batch. */
const BATCH = 2;
/** The paper's campaign. */
const [FRAMES, EPOCHS] = [200, 500];

const OPTIONS: LossOptions = {
  ...{ kind: "weighted", energyWeight: 10000, forcesWeight: 550, stressWeight: 0, delta: 1 },
};

export async function benchTraining(python: string | undefined): Promise<void> {
  table(
    "A training step, 2 frames of dense hydrogen, cpu",
    ...["model", "atoms", "r_max Å", "r_s Bohr", "error", "µs/edge, 1 thread"],
    ...[
      "times energies and forces",
      "2 threads, times faster",
      `${FRAMES} frames, ${EPOCHS} epochs`,
    ],
    ...["official, µs/edge", "times faster", "official, resident GB"],
  );
  const medium = mediumModel({ elements: [1], rMax: 5, channels: 128 });
  for (const rs of [1.24, 1.4]) await benchModel("medium", "medium:5", medium, 256, rs, python);
  const file = sharedPath("models/hhe-vdwdf.model");
  if (!file) return console.log("\nno hhe-vdwdf: its file is not there");
  const { model } = loadMace(file);
  for (const rs of [1.24, 1.4]) await benchModel("hhe-vdwdf", file, model, 128, rs, python);
}

function labelled(frame: Frame): LabelledFrame {
  const forces = Float64Array.from(frame.positions, (_, i) => Math.sin(i));
  return { frame, labels: { energy: -10, forces, stress: null, weight: 1 } };
}

async function benchModel(
  name: string,
  official: string,
  model: MaceModel,
  atoms: number,
  rs: number,
  python: string | undefined,
): Promise<void> {
  const frames = Array.from({ length: BATCH }, (_, i) => denseHydrogen(atoms, rs, i + 1));
  const batch = frames.map(labelled);
  const backends = await Promise.all([1, 2, 1].map((n) => openCpuBackend(n)));
  const [one, two] = await Promise.all(
    backends.slice(0, 2).map((backend) => backend.openTrainer(model, [1], 0)),
  );
  const small = [labelled(denseHydrogen(16, rs))];
  const exact = await (await referenceBackend.openTrainer(model, [1], 0))
    .gradient(model, small, OPTIONS);
  const own = await one.gradient(model, small, OPTIONS);
  const checked = check("gradient", gradientError(own.gradient, exact.gradient), 1e-4);
  const potential = await backends[2].openPotential(model, [1], 0);
  const moving = movingTensors(model, ["all"]);
  const state = adamState(movingArrays(weightsOf(model), moving).numbers, true);
  // A whole step, but for its length: the weights stay.
  const options = {
    learningRate: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    clip: 10,
    weightDecay: 0,
  };
  const step = async (trainer: typeof one) => {
    const { gradient } = await trainer.gradient(model, batch, OPTIONS);
    trainStep(model, gradient, state, { ...options, moving });
  };
  const [single, threads, forces] = await interleave(
    [() => step(one), () => step(two), () => potential.predict(frames)],
    3,
  );
  await Promise.all([one.close(), two.close(), potential.close()]);
  for (const backend of backends) await backend.close();
  const edges = frames.reduce((sum, frame) => sum + neighborList(frame, model.rMax).nEdges, 0);
  const steps = FRAMES / BATCH * EPOCHS;
  const hours = (cores: number) => (steps * threads.median * 2 / cores / 3.6e6).toFixed(1);
  // One frame: two of the medium architecture do not fit the memory of the machine there.
  const peer = python ? officialStep(python, official, frames.slice(0, 1)) : null;
  const peerMicros = peer && 1e6 * peer.seconds / peer.edges;
  row(
    ...[name, atoms, model.rMax, rs, checked, micros(single, edges)],
    ...[(single.median / forces.median).toFixed(2), (single.median / threads.median).toFixed(2)],
    `${hours(2)} h on 2 cores; ${hours(16)} h on 16 with steps of 16 frames`,
    ...[
      peerMicros?.toFixed(0) ?? "",
      peerMicros ? (peerMicros * edges / (1000 * single.median)).toFixed(0) : "",
    ],
    peer?.resident_gb.toFixed(1) ?? "",
  );
}

/** The same step by the official code, in a process of its own. */
function officialStep(
  python: string,
  model: string,
  frames: readonly Frame[],
): { seconds: number; edges: number; resident_gb: number } {
  const folder = mkdtempSync(join(tmpdir(), "cpd-bench-"));
  const file = join(folder, "frames.xyz");
  writeFileSync(file, frames.map((frame) => extendedXyz(frame, [], [])).join(""));
  const script = fileURLToPath(new URL("mace_train.py", import.meta.url));
  const { stdout, stderr } = spawnSync(python, ["-W", "ignore", script, model, file], {
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error(`The official code failed:\n${stderr}`);
  return JSON.parse(line);
}

if (import.meta.main) await benchTraining(process.argv[2]);
