import { existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  isHydrogen,
  MOLECULAR_REACH,
  molecularCoordination,
  molecularFraction,
} from "../../analyze/molecular_fraction.ts";
import { wignerSeitzRadius } from "../../density.ts";
import { meanPressure, type Observables } from "../../dynamics/observables.ts";
import { frameOf, type Replica } from "../../dynamics/replica.ts";
import type { DynamicsState } from "../../dynamics/state.ts";
import { UsageError } from "../../errors.ts";
import { distinctElements, type Frame, periodicVolume } from "../../frame.ts";
import { neighborList } from "../../graph/neighbor_list.ts";
import { digits } from "../../io/annotate.ts";
import { csvLine } from "../../io/table.ts";
import { extendedXyz } from "../../io/write_extxyz.ts";
import { stressOf } from "../../model/prediction.ts";
import { append, saveWhole } from "./restart_folder.ts";

/** Columns of thermo.csv; `molecular_fraction` follows for hydrogen. */
export const THERMO =
  "step,time,temperature,kinetic,potential,total,conserved,pressure,pressure_xx," +
  "pressure_yy,pressure_zz,pressure_yz,pressure_xz,pressure_xy";
const FILES = ["trajectory.xyz", "thermo.csv"] as const;

/** Sizes of the files of a run where its restart was written, bytes. */
export type Sizes = readonly number[];

/** Begins the files of a run anew. */
export function beginRun(folder: string, hydrogen: boolean): void {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, "label_next.xyz"), { force: true });
  writeFileSync(join(folder, FILES[0]), "");
  writeFileSync(join(folder, FILES[1]), `${THERMO}${hydrogen ? ",molecular_fraction" : ""}\n`);
}

/** Cuts off what was written after the restart.
 * @throws {UsageError} if something is missing */
export function cutRun(folder: string, sizes: Sizes): void {
  FILES.forEach((name, i) => {
    const path = join(folder, name);
    if (!existsSync(path) || statSync(path).size < sizes[i]) {
      throw new UsageError(
        `Cannot go on in "${folder}": ${name} is not what it was; use --force to begin anew`,
      );
    }
    truncateSync(path, sizes[i]);
  });
}

export function sizesOf(folder: string): Sizes {
  return FILES.map((name) => statSync(join(folder, name)).size);
}

/** Adds a row to thermo.csv. */
export function appendThermo(folder: string, { state }: Replica, seen: Observables): void {
  const { pressure, step, time, temperature, kinetic, potential, total, conserved } = seen;
  const [xx, xy, xz, , yy, yz, , , zz] = pressure;
  const numbers = [
    ...[temperature, kinetic, potential, total, conserved, meanPressure(seen)],
    ...[xx, yy, zz, yz, xz, xy],
    ...(isHydrogen(state.species) ? [fractionOf(frameOf(state, `step ${step}`))] : []),
  ];
  const cells = numbers.map((x) => Number.isNaN(x) ? "" : digits(x));
  append(join(folder, FILES[1]), csvLine([step, time, ...cells]));
}

function fractionOf(frame: Frame): number {
  return molecularFraction(molecularCoordination(neighborList(frame, MOLECULAR_REACH)));
}

/** Adds a frame to trajectory.xyz. */
export function appendFrame(folder: string, replica: Replica, { step, time }: Observables): void {
  const { state, prediction } = replica;
  const stress = stressOf(prediction, frameOf(state, ""));
  const keys = [
    `energy=${digits(prediction.energy)}`,
    ...(stress ? [`stress="${[...stress].map(digits).join(" ")}"`] : []),
    ...[`step=${step}`, `time=${time}`],
  ];
  const text = frameText(state, keys, [state.velocities, prediction.forces]);
  append(join(folder, FILES[0]), text);
}

/** Writes frames to label next: without energies and forces, which are not to be trusted. */
export function writeLabelNext(folder: string, states: readonly DynamicsState[]): void {
  const texts = states.map((state) => frameText(state, [`step=${state.step}`], [state.velocities]));
  saveWhole(folder, "label_next.xyz", texts.join(""));
}

/** A frame as extended XYZ.
 * @param columns velocities, and forces where they are given, shape (n_atoms, 3) */
function frameText(
  state: DynamicsState,
  keys: readonly string[],
  columns: readonly Float64Array[],
): string {
  const volume = periodicVolume(state);
  const single = distinctElements(state.species).length === 1 && Number.isFinite(volume);
  const rs = wignerSeitzRadius(state.species.length, volume);
  const all = [...keys, ...(single ? [`rs=${Number(rs.toPrecision(9))}`] : [])];
  const named = ["velocities", "forces"].slice(0, columns.length)
    .map((name, i) => ({ name, vectors: columns[i] }));
  return extendedXyz(state, all, named, digits);
}
