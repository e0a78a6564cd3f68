import { cellVolume, type Frame } from "../frame.ts";
import { lookUp, parseBooleans, parseNumbers } from "./comment_line.ts";
import type { RawFrame } from "./frame_ranges.ts";
import { ENERGY_KEYS, FORCE_COLUMNS, STRESS_KEYS, VIRIAL_KEYS } from "./labels.ts";
import { parseNumberBytes } from "./number_bytes.ts";
import { parseProperties } from "./properties.ts";

/** What a frame says about its energy, forces and stress; numbers as they are written, NaN included. */
export interface FrameLabels {
  /** Energy of the frame, eV. */
  readonly energy: { readonly key: string; readonly value: number } | null;
  /** Energy of the frame under another key that differs, eV. */
  readonly other: { readonly key: string; readonly value: number } | null;
  /** Shape (n_atoms, 3), eV/Å. */
  readonly forces: { readonly key: string; readonly values: Float64Array } | null;
  readonly stress: StressLabel | null;
  /** False where the frame says that its calculation did not converge. */
  readonly converged: boolean;
}

export interface StressLabel {
  readonly key: string;
  readonly kind: "stress" | "virial";
  /** Numbers in the file: 6 (xx yy zz yz xz xy) or 9. */
  readonly components: number;
  /** Trace of the stress in ASE's sign, eV/Å³; NaN where it cannot be had. */
  readonly trace: number;
}

const CONVERGED_KEYS = ["converged", "scf_converged", "is_converged", "SCF_converged"];
/** Energies that differ by less are the same, eV. */
const SAME_ENERGY = 1e-8;

/** Reads the labels of a frame from its comment line and columns. */
export function readLabels(raw: RawFrame, frame: Frame): FrameLabels {
  const { info } = frame;
  const energies = ENERGY_KEYS.flatMap((key) =>
    info.has(key) ? [{ key, value: number(info.get(key)!) }] : []
  );
  const [energy] = energies;
  const other = energies.find(({ value }) => Math.abs(value - energy.value) > SAME_ENERGY);
  return {
    energy: energy ?? null,
    other: other ?? null,
    forces: readForces(raw, frame),
    stress: readStress(frame),
    converged: !CONVERGED_KEYS.some((key) => parseBooleans(info.get(key) ?? "")[0] === false),
  };
}

function number(text: string): number {
  const numbers = parseNumbers(text);
  return numbers.length === 1 ? numbers[0] : NaN;
}

function readForces(
  { bytes, nAtoms, rowsStart }: RawFrame,
  { info }: Frame,
): FrameLabels["forces"] {
  const properties = parseProperties(lookUp(info, "Properties") ?? "") ?? [];
  const column = FORCE_COLUMNS.map((name) =>
    properties.find((p) => p.name === name && p.type === "R" && p.count === 3)
  ).find((found) => found !== undefined);
  if (!column) return null;
  const values = new Float64Array(3 * nAtoms);
  let at = rowsStart;
  for (let i = 0; i < nAtoms; i++) {
    let end = bytes.indexOf(10, at);
    if (end < 0) end = bytes.length;
    for (let c = 0; at < end; c++) {
      while (at < end && bytes[at] <= 32) at++;
      const from = at;
      while (at < end && bytes[at] > 32) at++;
      const k = c - column.start;
      if (k >= 0 && k < 3) values[3 * i + k] = parseNumberBytes(bytes, from, at);
      if (k >= 2) break;
    }
    at = end + 1;
  }
  return { key: column.name, values };
}

function readStress({ info, cell, pbc }: Frame): StressLabel | null {
  const volume = pbc.every(Boolean) ? cellVolume(cell) : NaN;
  for (const [kind, keys] of [["stress", STRESS_KEYS], ["virial", VIRIAL_KEYS]] as const) {
    const key = keys.find((name) => info.has(name));
    if (!key) continue;
    const numbers = parseNumbers(info.get(key)!);
    const trace = numbers.length === 9
      ? numbers[0] + numbers[4] + numbers[8]
      : numbers.length === 6
      ? numbers[0] + numbers[1] + numbers[2]
      : NaN;
    const scale = kind === "virial" ? -1 / volume : 1;
    const finite = numbers.every(Number.isFinite);
    return { key, kind, components: numbers.length, trace: finite ? scale * trace : NaN };
  }
  return null;
}
