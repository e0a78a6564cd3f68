import { rm } from "node:fs/promises";
import process from "node:process";
import { InterruptedError, ParseError } from "../../errors.ts";
import type { LabelKeys } from "../../io/frame_labels.ts";
import type { FrameFacts, Problem } from "../../scan/facts.ts";
import {
  type FileScan,
  PROBLEM_KINDS,
  scanFile,
  type ScanOptions,
  type ScanReport,
  scanReport,
} from "../../scan/scan_file.ts";
import type { FileSummary, Range } from "../../scan/summary.ts";
import { checkKeys } from "../input/labels.ts";
import { isInterrupted } from "../interrupt.ts";
import { openInputs } from "../input/open_inputs.ts";
import type { ScanCommand } from "../syntax/options.ts";
import { Console } from "../output/output.ts";
import { parseFilter } from "../input/where.ts";

/** Frames named per kind of problem on the terminal; `--json` names them all. */
const NAMED = 5;

const NO_LABELS =
  "none found (energy, forces, stress, virial under the names of cpd help units); " +
  "choosing frames needs none";

/** `cpd scan`: what is in the files, problems first. */
export async function runScan(command: ScanCommand): Promise<void> {
  const console = new Console(command.quiet);
  const temporary: string[] = [];
  const where = command.where === null ? null : await parseFilter(command.where);
  const options: ScanOptions = {
    keys: command.keys,
    accepts: (frame, labels) => !where || where.accepts(frame, labels),
  };
  try {
    const scans: FileScan[] = [];
    const reading = { strict: false, species: command.species, output: null };
    for (const { spec } of await openInputs(command.inputs, reading, temporary, console)) {
      const progress = console.counter(`Scan ${spec.name}`);
      const scan = await scanFile(spec, options, (frames) => {
        progress(frames);
        if (isInterrupted()) throw new InterruptedError("Interrupted");
      });
      if (scan.facts.length === 0 && scan.problems.length === 0 && !where) {
        throw new ParseError(spec.name, `it holds no frame${spec.slice ? " in that slice" : ""}`);
      }
      scans.push(scan);
    }
    where?.check();
    if (where) console.say(where.summary());
    checkKeys(command.keys, scans[0].spec.name, hasLabels(scans));
    const report = scanReport(scans);
    process.stdout.write(
      command.json ? `${JSON.stringify(report, null, 2)}\n` : formatScan(report),
    );
    if (command.strict && report.problems.length > 0) process.exitCode = 6;
  } finally {
    for (const folder of temporary) await rm(folder, { recursive: true, force: true });
  }
}

/** Whether some frame has a label of each kind. */
function hasLabels(scans: readonly FileScan[]): (quantity: keyof LabelKeys) => boolean {
  const has = {
    energy: ({ energyKey }: FrameFacts) => energyKey !== null,
    forces: ({ forcesKey }: FrameFacts) => forcesKey !== null,
    stress: ({ stress, virial }: FrameFacts) => (stress ?? virial) !== null,
  };
  return (quantity) => scans.some(({ facts }) => facts.some(has[quantity]));
}

/** The report for people. */
export function formatScan({ problems, files }: ScanReport): string {
  const lines = [problems.length > 0 ? "Problems" : "No problems found"];
  for (const kind of PROBLEM_KINDS) {
    const own = problems.filter((problem) => problem.kind === kind);
    if (own.length > 0) lines.push(...formatProblems(kind, own));
  }
  for (const file of files) lines.push("", ...formatFile(file));
  return `${lines.join("\n")}\n`;
}

function formatProblems(kind: string, problems: readonly Problem[]): string[] {
  const named = problems.slice(0, NAMED).map(({ frame, text }) =>
    `    ${text.includes(frame.split("@")[0]) && kind === "unreadable" ? "" : `${frame}: `}${text}`
  );
  const more = problems.length - named.length;
  const rest = more > 0 ? [`    and ${more} more (--json names them all)`] : [];
  return [`  ${kind}: ${problems.length}`, ...named, ...rest];
}

function formatFile(file: FileSummary): string[] {
  const row = (label: string, text: string) => `  ${label.padEnd(12)} ${text}`;
  const counts = (groups: Readonly<Record<string, number>>) => {
    const names = Object.entries(groups);
    if (names.length === 1) return names[0][0];
    const shown = names.slice(0, 6).map(([name, n]) => `${name} (${n})`).join(", ");
    return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
  };
  const quantity = (label: string, range: Range | null, unit: string) =>
    range ? [row(label, `${between(range, 5)} ${unit}`)] : [];
  return [
    file.file,
    row("frames", String(file.n_frames)),
    row("atoms", between(file.n_atoms, 12)),
    row("formula", counts(file.formulas)),
    row("periodic", counts(file.pbc)),
    ...quantity("lattice", file.lattice, "Å"),
    ...quantity("volume", file.volume_per_atom, "Å³/atom"),
    ...(file.n_isolated_atoms > 0
      ? [row("isolated", `${file.n_isolated_atoms} single atoms that meet no other`)]
      : []),
    ...(file.labels.length === 0 && file.unread.length === 0 ? [row("labels", NO_LABELS)] : []),
    ...file.unread.map(({ name, kind }) =>
      row(
        "not read",
        `${
          file.labels.length === 0 ? "no label under a known name; " : ""
        }${name} looks like one: ` +
          `--${kind}-key ${name}`,
      )
    ),
    ...file.labels.map(({ key, assumed, n_frames }) =>
      row("label", `${key}: ${assumed}${n_frames < file.n_frames ? ` (${n_frames} frames)` : ""}`)
    ),
    ...quantity("energy", file.energy, "eV/atom"),
    ...quantity("largest |F|", file.max_force, "eV/Å"),
    ...quantity("pressure", file.pressure, "GPa, static"),
  ];
}

function between({ low, high }: Range, digits: number): string {
  const text = (x: number) => String(Number(x.toPrecision(digits)));
  return text(low) === text(high) ? text(low) : `${text(low)} to ${text(high)}`;
}
