import { ParseError } from "../errors.ts";
import type { Frame } from "../frame.ts";
import { parseFrame } from "../io/extxyz.ts";
import { readChunks } from "../io/files.ts";
import { type RawFrame, splitFrames } from "../io/frame_ranges.ts";
import { type FrameLabels, type LabelKeys, labelsWhenAsked } from "../io/frame_labels.ts";
import { type InputSpec, sliceMask } from "../io/inputs.ts";
import { compareFrames } from "./compare_frames.ts";
import { examineFrame } from "./examine_frame.ts";
import type { FrameFacts, Problem, ProblemKind } from "./facts.ts";
import { stressSign } from "./stress_sign.ts";
import { type FileSummary, summarise } from "./summary.ts";

/** What is in the files, and what is wrong with them. */
export interface ScanReport {
  readonly n_frames: number;
  readonly problems: readonly Problem[];
  readonly files: readonly FileSummary[];
}

/** Problems in the order in which they are told: what makes frames useless first. */
export const PROBLEM_KINDS: readonly ProblemKind[] = [
  "unreadable",
  "not a number",
  "atoms too close",
  "not converged",
  "truncated",
  "conflicting labels",
  "units",
  "stress",
  "stress and virial",
  "stress sign",
  "labels missing",
  "duplicate",
  "near duplicate",
  "energy outlier",
  "force outlier",
  "pressure outlier",
  "net force",
  "atom order",
];

/** What one file holds; a frame that cannot be read is a problem, and the next one is read. */
export interface FileScan {
  readonly spec: InputSpec;
  readonly facts: readonly FrameFacts[];
  readonly problems: readonly Problem[];
}

/** What is read of a frame, and which frames are looked at. */
export interface ScanOptions {
  readonly keys: LabelKeys;
  accepts(frame: Frame, labels: () => FrameLabels): boolean;
}

/**
 * Examines every frame of a file.
 *
 * @param report told the number of frames seen so far
 * @throws {ParseError} where the file cannot be divided into frames at all
 */
export async function scanFile(
  spec: InputSpec,
  { keys, accepts }: ScanOptions,
  report: (frames: number) => void,
): Promise<FileScan> {
  const seen: { index: number; facts: FrameFacts | null; problems: Problem[] }[] = [];
  const problems: Problem[] = [];
  const frames = splitFrames(
    readChunks(spec.path),
    spec.name,
    ({ line, index, declared, rows }) =>
      problems.push({
        kind: "truncated",
        frame: `${spec.name}@${index}`,
        text: `line ${line} declares ${declared} atoms, ${rows} rows follow`,
      }),
  );
  for await (const raw of frames) {
    seen.push({ index: raw.index, ...examine(raw, spec.name, keys, accepts) });
    report(seen.length);
  }
  const mask = sliceMask(spec.slice, seen.length);
  const wanted = seen.filter(({ index }) => mask[index]);
  return {
    spec,
    facts: wanted.flatMap(({ facts }) => (facts ? [facts] : [])),
    problems: [...wanted.flatMap((frame) => frame.problems), ...problems],
  };
}

function examine(
  raw: RawFrame,
  file: string,
  keys: LabelKeys,
  accepts: ScanOptions["accepts"],
) {
  try {
    const frame = parseFrame(raw, file);
    const labels = labelsWhenAsked(raw, frame, keys);
    if (!accepts(frame, labels)) return { facts: null, problems: [] };
    return examineFrame(frame, labels());
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const problem: Problem = {
      kind: "unreadable",
      frame: `${file}@${raw.index}`,
      text: error.message,
    };
    return { facts: null, problems: [problem] };
  }
}

/** The report on all files together; problems do not depend on the order in which files are given. */
export function scanReport(scans: readonly FileScan[]): ScanReport {
  const sorted = scans.toSorted((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  // A frame that is given twice is one frame.
  const facts = [...new Map(sorted.flatMap((scan) => scan.facts).map((f) => [f.id, f])).values()];
  const problems = [
    ...sorted.flatMap((scan) => scan.problems),
    ...compareFrames(facts),
    ...sorted.flatMap((scan) => stressSign(scan.facts)),
  ];
  const order = new Map(PROBLEM_KINDS.map((kind, i) => [kind, i]));
  return {
    n_frames: facts.length,
    problems: problems.toSorted((a, b) => order.get(a.kind)! - order.get(b.kind)!),
    files: scans.filter((scan) => scan.facts.length > 0)
      .map((scan) => summarise(scan.spec.name, scan.facts)),
  };
}
