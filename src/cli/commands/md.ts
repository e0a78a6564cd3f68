import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Backend, Potential } from "../../backend.ts";
import { isHydrogen } from "../../analyze/molecular_fraction.ts";
import { chooseBuild } from "../../cpu/build.ts";
import { insane } from "../../dynamics/guard.ts";
import { temperatureOf } from "../../dynamics/kinetic.ts";
import { meanPressure, type Observables, observe } from "../../dynamics/observables.ts";
import { frameOf, type Motion, stepTogether } from "../../dynamics/replica.ts";
import { InterruptedError, RequestError } from "../../errors.ts";
import { NO_KEYS } from "../../io/inputs.ts";
import { openPotential } from "../../potential.ts";
import { closestPair } from "../../scan/closest_pair.ts";
import { loadPool, openModel, sourcesOf } from "../input/load_pool.ts";
import { readStart, replicasOf, type StartFrame } from "../input/md_start.ts";
import { frameKey } from "../input/training_frames.ts";
import { isInterrupted } from "../interrupt.ts";
import { openBackendOnCpu } from "../open_backend.ts";
import { appendFrame, appendThermo, beginRun, writeLabelNext } from "../output/md_folder.ts";
import { type MdRun, readRuns, writeRuns } from "../output/md_restart.ts";
import { Console, Stopwatch } from "../output/output.ts";
import { checkOutput } from "../output/output_folder.ts";
import {
  buildOf,
  type Course,
  holdsRestart,
  lockFolder,
  RESTART,
} from "../output/restart_folder.ts";
import { modelUsed } from "../output/results.ts";
import { writeMd } from "../output/write_md.ts";
import type { MdCommand } from "../syntax/md_options.ts";
import { parseDistill } from "../syntax/options.ts";
import { runDistill } from "./distill.ts";
import { runMdCheck } from "./md_check.ts";

/** Good frames that are kept for `label_next.xyz`, so many steps apart. */
const [KEPT, APART] = [5, 10];
const MS_PER_DAY = 86_400_000;

/** `cpd md`: molecular dynamics, and the frames of it that are worth labelling. */
export async function runMd(command: MdCommand): Promise<void> {
  if (command.check) return await runMdCheck(command);
  const console = new Console(command.quiet);
  const runs = await runDynamics(command, console);
  if (command.collect !== null) await collect(command, runs);
  refuseStopped(runs);
  console.say(`Moved; wrote ${command.output}/`);
}

async function runDynamics(command: MdCommand, console: Console): Promise<MdRun[]> {
  const watch = new Stopwatch();
  const { output } = command;
  const goesOn = holdsRestart(output) && !command.force;
  const sources = sourcesOf({ ...command, inputs: [command.start] });
  if (!goesOn) checkOutput(output, command.force, sources);
  const { start: input, strict, species } = command;
  const pool = await loadPool([input], { keys: NO_KEYS, strict, species, output }, console);
  let backend: Backend | null = null;
  let unlock = () => {};
  try {
    const start = await readStart(command, pool, console);
    const opened = openModel({ model: command.model, layers: null }, pool, console);
    const build = (goesOn ? buildOf(output) : null) ?? chooseBuild();
    backend = await openBackendOnCpu(command, "moves", console, build);
    const { elements } = pool;
    const potential = await openPotential(opened.model, backend, { elements, head: command.head });
    const model = modelUsed(opened);
    const course = courseOf(command, start, model.sha256, backend);
    const own = backend.name === "cpu" ? build : null;
    unlock = lockFolder(output);
    const runs = goesOn
      ? readRuns(output, course, replicasOf(command, start))
      : beginRuns(command, start);
    await predictNow(runs, potential);
    watch.lap("prepare");
    if (goesOn) {
      console.say(`Going on after step ${runs[0].replica.state.step} of ${command.steps}`);
    }
    await move(runs, command, potential, console, () => writeRuns(output, runs, course, own));
    watch.lap("move");
    await potential.close();
    process.stdout.write(writeMd({ command, pool, backend, model, runs }, watch, console.warnings));
    return runs;
  } finally {
    unlock();
    await backend?.close();
    await pool.dispose();
  }
}

/** Frames of the trajectories that `cpd distill` would label next. */
async function collect(
  { collect, reference, model, output, threads, backend, seed, quiet }: MdCommand,
  runs: readonly MdRun[],
): Promise<void> {
  await runDistill(parseDistill([
    ...runs.map(({ folder }) => join(folder, "trajectory.xyz")),
    ...["-n", String(collect), "-o", join(output, "collect"), "--force", "--model", model],
    ...["--threads", String(threads), "--backend", backend, "--seed", String(seed)],
    ...(reference === null ? [] : ["--reference", reference]),
    ...(quiet ? ["--quiet"] : []),
  ]));
}

function beginRuns(command: MdCommand, start: StartFrame): MdRun[] {
  rmSync(join(command.output, RESTART), { force: true });
  return replicasOf(command, start).map(({ name, state, stream }) => {
    const folder = join(command.output, name);
    beginRun(folder, isHydrogen(state.species));
    const prediction = null!; // until the first forces
    return {
      ...{ name, folder, replica: { state, prediction, heat: 0, stream }, stopped: null },
      wanted: command.temperature ?? temperatureOf(state),
    };
  });
}

/** Where all runs are that go on. */
async function predictNow(runs: readonly MdRun[], potential: Potential): Promise<void> {
  const active = runs.filter(({ stopped }) => stopped === null);
  const frames = active.map(({ replica: { state } }) => frameOf(state, `step ${state.step}`));
  const predictions = await potential.predict(frames);
  active.forEach(({ replica }, i) => replica.prediction = predictions[i]);
}

type Replica = MdRun["replica"];

/** The last good step of a run, and frames of steps before it. */
interface Good {
  seen: Observables;
  kept: Replica["state"][];
}

/** Moves all runs to their last step; writes on the way, and keeps what is needed to go on. */
async function move(
  runs: readonly MdRun[],
  command: MdCommand,
  potential: Potential,
  console: Console,
  keep: () => void,
): Promise<void> {
  const { steps, timestep: dt, restart, seed, temperature, tau, ensemble } = command;
  const thermostat = ensemble === "nvt" ? { temperature: temperature!, tau } : null;
  const motion: Motion = { dt, thermostat, seed };
  const status = statusLine(command, console.status());
  const good = new Map(
    runs.filter(({ stopped }) => stopped === null).map((run): [MdRun, Good] => [run, {
      seen: observe(run.replica, dt),
      kept: [copyOf(run.replica.state)],
    }]),
  );
  let step = Math.max(...runs.map(({ replica }) => replica.state.step));
  if (step === 0) {
    for (const run of runs) tell(run, good.get(run)!.seen, command);
    keep();
  }
  for (;;) {
    const active = runs.filter(({ stopped }) => stopped === null);
    if (step >= steps || active.length === 0) break;
    const replicas = active.map(({ replica }) => replica);
    await stepTogether(replicas, motion, (frames) => potential.predict(frames));
    step++;
    for (const run of active) {
      const seen = observe(run.replica, dt);
      if (isGood(run, seen, good.get(run)!, console)) tell(run, seen, command);
      if (run === active[0]) status(step, seen.temperature, meanPressure(seen));
    }
    if (step % restart === 0) keep();
    if (isInterrupted()) {
      keep();
      throw new InterruptedError(`Interrupted at step ${step}; the same command goes on`);
    }
  }
  keep();
}

/** Writes what is due at a step. */
function tell({ folder, replica }: MdRun, seen: Observables, { thermo, every }: MdCommand): void {
  if (seen.step % thermo === 0) appendThermo(folder, replica, seen);
  if (seen.step % every === 0) appendFrame(folder, replica, seen);
}

/** Whether a step can be trusted; a run whose step cannot stops, and its good frames are written. */
function isGood(run: MdRun, seen: Observables, good: Good, console: Console): boolean {
  const { replica, folder, name, wanted } = run;
  const { state } = replica;
  const why = insane(seen, good.seen, wanted, state.masses.length) ?? tooClose(replica);
  if (why !== null) {
    run.stopped = `step ${seen.step}: ${why}${alsoClose(replica, why)}`;
    writeLabelNext(folder, good.kept);
    console.warn(`${name}${name && ", "}stopped at ${run.stopped}`);
    return false;
  }
  good.seen = seen;
  const older = seen.step % APART === 1 ? good.kept : good.kept.slice(0, -1);
  good.kept = [...older, copyOf(state)].slice(-KEPT);
  return true;
}

function copyOf(state: Replica["state"]): Replica["state"] {
  return { ...state, positions: state.positions.slice(), velocities: state.velocities.slice() };
}

/** The closest pair, where it is closer than chemistry allows. */
function tooClose({ state }: Replica): string | null {
  const pair = closestPair(frameOf(state, "this step"));
  if (pair === null) return null;
  return typeof pair === "string"
    ? pair
    : `${pair.elements} are ${pair.distance.toFixed(3)} Å apart`;
}

/** The pair in addition to another reason. */
function alsoClose(replica: Replica, why: string): string {
  if (!replica.state.positions.every(Number.isFinite)) return "";
  const pair = tooClose(replica);
  return pair === null || pair === why ? "" : `, ${pair}`;
}

function statusLine({ steps, timestep }: MdCommand, write: (line: string) => void) {
  const start = performance.now();
  let first: number | null = null;
  return (step: number, temperature: number, pressure: number) => {
    first ??= step - 1;
    const each = (performance.now() - start) / (step - first);
    const pace = MS_PER_DAY / each * timestep / 1e6;
    write(
      `Step ${step}/${steps}: ${temperature.toFixed(0)} K` +
        (Number.isNaN(pressure) ? "" : `, ${pressure.toFixed(1)} GPa`) +
        `, ${pace.toPrecision(3)} ns/day, ${Math.round((steps - step) * each / 1000)} s left`,
    );
  };
}

/** @throws {RequestError} naming the runs that stopped */
function refuseStopped(runs: readonly MdRun[]): void {
  const stopped = runs.filter(({ stopped }) => stopped !== null);
  if (stopped.length === 0) return;
  const names = stopped.map(({ name, stopped }) => `${name}${name && ", "}${stopped}`);
  throw new RequestError(
    `Cannot go on with ${stopped.length} of ${runs.length} runs: ${
      names.join("; ")
    }; label the frames of ` +
      "label_next.xyz and train on them, or use a smaller --timestep",
  );
}

/** What decides where the atoms go; how long they do and what is told of it does not. */
function courseOf(
  command: MdCommand,
  { frame, velocities }: StartFrame,
  model: string,
  { name }: Backend,
): Course {
  const { head, ensemble, temperature, tau, timestep, seed, densities, every, thermo } = command;
  const drawn = velocities === null ? "drawn" : [...velocities].join();
  const words = { head, ensemble, temperature, tau, timestep, seed, every, thermo };
  return {
    start: frameKey(frame),
    velocities: createHash("sha256").update(drawn).digest("hex"),
    ...{ model, backend: name },
    densities: densities.map((density) => density.name).join(),
    ...Object.fromEntries(Object.entries(words).map(([key, value]) => [key, String(value)])),
  };
}
