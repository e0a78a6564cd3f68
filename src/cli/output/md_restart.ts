import { join } from "node:path";
import type { Build } from "../../cpu/memory.ts";
import type { Replica } from "../../dynamics/replica.ts";
import type { StartingReplica } from "../input/md_start.ts";
import { cutRun, type Sizes, sizesOf } from "./md_folder.ts";
import { type Course, readRestart, writeRestart } from "./restart_folder.ts";

const FORMAT = "cpd-md-restart";

/** A run, and where it writes. */
export interface MdRun {
  /** Empty for the output folder itself. */
  readonly name: string;
  readonly folder: string;
  readonly replica: Replica;
  /** Temperature that it is held at, or that it started with, K. */
  readonly wanted: number;
  /** Why it stopped before its last step, or null. */
  stopped: string | null;
}

/** What the restart says of a run besides its arrays. */
interface Kept {
  readonly step: number;
  readonly heat: number;
  readonly wanted: number;
  readonly stopped: string | null;
  readonly sizes: Sizes;
}

/** Writes one restart for all runs: they go on from the same step. */
export function writeRuns(
  output: string,
  runs: readonly MdRun[],
  course: Course,
  build: Build | null,
): void {
  const arrays = new Map(runs.flatMap(({ name, replica: { state } }) => [
    [`${name} positions`, state.positions] as const,
    [`${name} velocities`, state.velocities] as const,
  ]));
  const kept = runs.map(({ folder, replica: { state, heat }, wanted, stopped }): Kept => ({
    ...{ step: state.step, heat, wanted, stopped, sizes: sizesOf(folder) },
  }));
  writeRestart(output, FORMAT, {
    ...{ arrays, course, build, metadata: { runs: JSON.stringify(kept) } },
  });
}

/** Runs as they were when `writeRuns` kept them; what their files hold beyond that is cut off.
 * @throws {UsageError} if they took another course, or files are missing */
export function readRuns(
  output: string,
  course: Course,
  starts: readonly StartingReplica[],
): MdRun[] {
  const { arrays, metadata } = readRestart(output, FORMAT, course);
  const kept = JSON.parse(metadata.runs) as Kept[];
  return starts.map(({ name, state, stream }, i): MdRun => {
    const folder = join(output, name);
    const { step, heat, wanted, stopped, sizes } = kept[i];
    cutRun(folder, sizes);
    state.positions.set(arrays.get(`${name} positions`)!);
    state.velocities.set(arrays.get(`${name} velocities`)!);
    state.step = step;
    const prediction = null!; // until the first forces
    return {
      ...{ name, folder, wanted, stopped },
      replica: { state, prediction, heat, stream },
    };
  });
}
