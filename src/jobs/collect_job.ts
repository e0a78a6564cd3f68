import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { completeCell, type Frame, invertCell } from "../frame.ts";
import { type Format, formatOf } from "../io/formats/formats.ts";
import type { FrameRecord, Note } from "../io/formats/frame_record.ts";
import { type JobInput, readInput } from "./open_template.ts";

/** The frame that was sent, beside the input of its job. */
export const SENT = "frame.xyz";

/** What became of a job. */
export interface JobResult extends Pick<JobInput, "settings" | "mesh"> {
  readonly status:
    | "done"
    | "missing"
    | "not converged"
    | "unreadable"
    | "other structure"
    | "no forces";
  /** Why it is not done, in words. */
  readonly reason: string;
  /** The labels, atoms in the order of the frame that was sent; null unless it is done. */
  readonly labels: Pick<FrameRecord, "energy" | "forces" | "stress"> | null;
  /** Whether the input was written after the output: another input may have made it, or files were copied. */
  readonly stale: boolean;
}

/** Å; outputs print cells with three decimals at least. */
const [SAME_CELL, SAME_PLACE] = [1e-3, 1e-3];
/** What holds the structure and settings, not results. */
const NOT_OUTPUTS = new Set([
  SENT,
  "pw.in",
  "INCAR",
  "POSCAR",
  "POTCAR",
  "KPOINTS",
  "cp2k.inp",
  "control.in",
  "geometry.in",
  "CONTCAR",
  "XDATCAR",
]);
const PREFERRED = ["pw.out", "vasprun.xml", "OUTCAR", "cp2k.out", "aims.out"];

/** Reads the output of a job and holds it against the frame that was sent. */
export async function collectJob(folder: string, sent: Frame): Promise<JobResult> {
  const exists = existsSync(folder);
  const { name: input, ...own } = readInput(folder);
  const failed = (status: JobResult["status"], reason: string): JobResult => ({
    ...{ ...own, status, reason, labels: null, stale: false },
  });
  const found = exists ? await outputOf(folder) : null;
  if (found === null) return failed("missing", "there is no output that is read");
  const notes: string[] = [];
  let cut: string | null = null;
  let last: FrameRecord | null = null;
  try {
    const source = { name: found.name, path: join(folder, found.name), elements: null };
    const note: Note = (sentence, isCut = false) => {
      notes.push(sentence);
      if (isCut) cut = sentence;
    };
    for await (const record of found.format.read(source, note)) last = record;
  } catch (error) {
    return failed("unreadable", (error as Error).message);
  }
  if (cut !== null) return failed(/not converge/.test(cut) ? "not converged" : "missing", cut);
  if (last === null) return failed("missing", notes[0] ?? `${found.name} holds no step`);
  if (last.converged === false) return failed("not converged", `${found.name} says so`);
  const order = orderOf(last.species, sent.species);
  if (order === null) {
    return failed("other structure", "its atoms are others than those that were sent");
  }
  const off = difference(last, sent, order);
  if (off !== null) return failed("other structure", off);
  const { energy, forces, stress } = last;
  if (energy === null || forces === null) {
    return failed("no forces", energy === null ? "there is no energy" : "there are no forces");
  }
  if (!Number.isFinite(energy) || !forces.every(Number.isFinite)) {
    return failed("unreadable", "its labels are not numbers");
  }
  const ordered = new Float64Array(forces.length);
  order.forEach((at, n) => ordered.set(forces.subarray(3 * at, 3 * at + 3), 3 * n));
  return {
    ...{ ...own, status: "done", reason: "", labels: { energy, forces: ordered, stress } },
    stale: timeOf(join(folder, found.name)) < timeOf(join(folder, input ?? SENT)),
  };
}

/** When a file was written, ms. */
function timeOf(path: string): number {
  return statSync(path).mtimeMs;
}

async function outputOf(folder: string) {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !NOT_OUTPUTS.has(entry.name)).map(({ name }) => name)
    .sort();
  const found: { name: string; format: Format }[] = [];
  for (const name of names) {
    const format = await formatOf(join(folder, name), name).catch(() => null);
    if (format) found.push({ name, format });
  }
  const preferred = PREFERRED.map((name) => found.find((one) => one.name === name));
  return preferred.find(Boolean) ?? found[0] ?? null;
}

/** Places of the atoms of an output in the order of the frame: each element's atoms keep their order; null where the
 * elements differ. */
function orderOf(output: Uint8Array, sent: Uint8Array): number[] | null {
  if (output.length !== sent.length) return null;
  const places = new Map<number, number[]>();
  output.forEach((z, n) => {
    const own = places.get(z);
    if (own) own.push(n);
    else places.set(z, [n]);
  });
  const taken = new Map<number, number>();
  const order = Array.from(sent, (z) => {
    const k = taken.get(z) ?? 0;
    taken.set(z, k + 1);
    return places.get(z)?.[k] ?? -1;
  });
  return order.includes(-1) ? null : order;
}

/** What is different between the structures, in words, or null. */
function difference(
  { cell, positions }: FrameRecord,
  sent: Frame,
  order: readonly number[],
): string | null {
  const cellOff = cell.reduce((most, x, k) => Math.max(most, Math.abs(x - sent.cell[k])), 0);
  if (cellOff > SAME_CELL) return `its cell differs by ${cellOff.toPrecision(2)} Å`;
  const whole = completeCell(sent.cell, sent.pbc);
  const inverse = invertCell(whole);
  let worst = 0;
  order.forEach((at, n) => {
    const d = [0, 1, 2].map((k) => positions[3 * at + k] - sent.positions[3 * n + k]);
    for (let axis = 0; axis < 3; axis++) {
      if (!sent.pbc[axis]) continue;
      const part = d[0] * inverse[axis] + d[1] * inverse[3 + axis] + d[2] * inverse[6 + axis];
      const turns = Math.round(part);
      for (let k = 0; k < 3; k++) d[k] -= turns * sent.cell[3 * axis + k];
    }
    worst = Math.max(worst, Math.hypot(...d));
  });
  return worst > SAME_PLACE ? `an atom is ${worst.toPrecision(2)} Å from where it was sent` : null;
}
