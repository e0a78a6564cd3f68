/** Steps of dynamics of dense hydrogen, and beside them ASE with the official calculator.
 *
 *     deno run -A bench/dynamics.ts [PYTHON]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadMace } from "../src/checkpoint/load.ts";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { drawVelocities } from "../src/dynamics/draw_velocities.ts";
import { drawsOf } from "../src/dynamics/draws.ts";
import { insane } from "../src/dynamics/guard.ts";
import { observe } from "../src/dynamics/observables.ts";
import { frameOf, type Predict, type Replica, stepTogether } from "../src/dynamics/replica.ts";
import { stateOf } from "../src/dynamics/state.ts";
import type { Frame } from "../src/frame.ts";
import type { MaceModel } from "../src/model/mace_model.ts";
import { closestPair } from "../src/scan/closest_pair.ts";
import { extendedXyz } from "../src/io/write_extxyz.ts";
import { denseHydrogen } from "../src/speed/inputs.ts";
import { sharedPath } from "../tests/support.ts";
import { row, table } from "./timing.ts";

const [RS, DT, TEMPERATURE] = [1.32, 0.48, 1000];
const SIZES = [[64, 200, 20], [256, 50, 8], [2048, 6, 2]] as const;
const NS_PER_DAY = 86_400_000 * DT / 1e6;

async function benchDynamics(python: string | undefined): Promise<void> {
  const file = sharedPath("models/hhe-vdwdf.model");
  if (!file) return console.log("no hhe-vdwdf: its file is not there");
  const { model } = loadMace(file);
  table(
    `Steps of dynamics, hhe-vdwdf, r_s ${RS}, cpu`,
    ...["atoms", "ms/step, 1 run, 1 thread", "ns/day", "not forces, %"],
    ...["2 runs, 2 threads, times faster", "ASE, ms/step", "times faster"],
  );
  for (const [atoms, steps, peerSteps] of SIZES) {
    const frame = denseHydrogen(atoms, RS);
    const [one, two] = [await pace(model, frame, steps, 1), await pace(model, frame, steps, 2)];
    const peer = python ? 1000 * official(python, file, frame, peerSteps) : NaN;
    row(
      ...[atoms, one.ms.toFixed(1), (NS_PER_DAY / one.ms).toPrecision(3)],
      ...[(100 * one.others).toFixed(1), (2 * one.ms / two.ms).toFixed(2)],
      ...(python ? [peer.toFixed(0), (peer / one.ms).toFixed(0)] : ["", ""]),
    );
  }
}

/** Milliseconds of a step of so many runs on as many threads, and the share of them that is not forces. */
async function pace(
  model: MaceModel,
  frame: Frame,
  steps: number,
  runs: number,
): Promise<{ ms: number; others: number }> {
  const backend = await openCpuBackend(runs);
  const potential = await backend.openPotential(model, [1], 0);
  let inside = 0;
  const predict: Predict = async (frames) => {
    const start = performance.now();
    const predictions = await potential.predict(frames);
    inside += performance.now() - start;
    return predictions;
  };
  const replicas: Replica[] = [];
  for (let i = 0; i < runs; i++) {
    const state = stateOf(frame);
    drawVelocities(state, TEMPERATURE, drawsOf(BigInt(i), 0n, 0));
    const [prediction] = await predict([frameOf(state, "start")]);
    replicas.push({ state, prediction, heat: 0, stream: BigInt(i) });
  }
  const motion = { dt: DT, thermostat: { temperature: TEMPERATURE, tau: 50 }, seed: 0n };
  await stepTogether(replicas, motion, predict);
  inside = 0;
  const start = performance.now();
  for (let step = 0; step < steps; step++) {
    const before = replicas.map((replica) => observe(replica, DT));
    await stepTogether(replicas, motion, predict);
    replicas.forEach((replica, i) => {
      const why = insane(observe(replica, DT), before[i], TEMPERATURE, frame.species.length);
      if (why !== null) throw new Error(why);
      closestPair(frameOf(replica.state, "step"));
    });
  }
  const total = performance.now() - start;
  await potential.close();
  await backend.close();
  return { ms: total / steps, others: 1 - inside / total };
}

function official(python: string, model: string, frame: Frame, steps: number): number {
  const folder = mkdtempSync(join(tmpdir(), "cpd-bench-"));
  const file = join(folder, "frame.xyz");
  writeFileSync(file, extendedXyz(frame, [], []));
  const script = fileURLToPath(new URL("ase_md.py", import.meta.url));
  const { stdout, stderr } = spawnSync(
    python,
    ["-W", "ignore", script, model, file, String(steps)],
    { encoding: "utf8" },
  );
  rmSync(folder, { recursive: true });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error(`ASE failed:\n${stderr}`);
  return JSON.parse(line).seconds;
}

await benchDynamics(process.argv[2]);
