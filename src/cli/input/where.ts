import type { MathNode } from "mathjs/number";
import { massDensity } from "../../density.ts";
import { UsageError } from "../../errors.ts";
import { type Frame, periodicVolume } from "../../frame.ts";
import { lookUp, onlyNumber } from "../../io/comment_line.ts";
import type { FrameLabels } from "../../io/frame_labels.ts";
import { pressureOf } from "../../scan/stress_labels.ts";

/** Chooses frames by an expression of their numbers. */
export interface FrameFilter {
  /** Whether a frame is wanted; one that lacks a number of the expression is not. */
  accepts(frame: Frame, labels: () => FrameLabels): boolean;
  /** How many frames were taken, and what was said of the others, in one line. */
  summary(): string;
  /** @throws {UsageError} where a name of the expression was in no frame */
  check(): void;
}

/** What a name of `cpd help where` stands for; NaN where a frame lacks it. */
const QUANTITIES: Readonly<Record<string, (frame: Frame, labels: () => FrameLabels) => number>> = {
  index: ({ index }) => index,
  n_atoms: ({ species }) => species.length,
  volume: periodicVolume,
  volume_per_atom: (frame) => periodicVolume(frame) / frame.species.length,
  density: (frame) => massDensity(frame.species, periodicVolume(frame)),
  energy_per_atom: ({ species }, labels) => (labels().energy?.value ?? NaN) / species.length,
  max_force: (_, labels) => {
    const { forces } = labels();
    if (!forces) return NaN;
    let most = 0;
    for (let i = 0; i < forces.values.length; i += 3) {
      most = Math.max(most, Math.hypot(...forces.values.subarray(i, i + 3)));
    }
    return most;
  },
  pressure: (_, labels) => pressureOf(labels()),
};

/** Names that the expression may use besides keys of the comment line. */
const FILTER_NAMES: readonly string[] = Object.keys(QUANTITIES);

/** Operators by mathjs's names. */
const OPERATORS = new Set([
  ...["add", "subtract", "multiply", "divide", "pow", "unaryMinus", "unaryPlus"],
  ...["smaller", "larger", "smallerEq", "largerEq", "equal", "unequal"],
  ...["and", "or", "not"],
]);
/** Names that mathjs knows as numbers, and that no frame holds. */
const CONSTANTS = ["true", "false"];
/** Keys named where one is not known, at most. */
const NAMED = 24;

/**
 * Parses an expression of arithmetic, comparison and logic, such as
 * `max_force < 20 and volume_per_atom > 1.2`. mathjs is loaded only here.
 *
 * @throws {UsageError} if it is malformed or holds anything else
 */
export async function parseFilter(text: string): Promise<FrameFilter> {
  const { parse } = await import("mathjs/number");
  let root: MathNode;
  try {
    root = parse(text);
  } catch (error) {
    throw refusal(text, (error as Error).message.replace(/\.$/, ""));
  }
  const names = new Set<string>();
  root.traverse((node) => checkNode(text, node, names));
  const code = root.compile();
  const seen = { frames: 0, taken: 0, lacking: 0, keys: new Set<string>() };
  return {
    accepts(frame, labels) {
      seen.frames++;
      const scope = valuesOf(names, frame, labels);
      for (const key of frame.info.keys()) seen.keys.add(key);
      if (scope === null) seen.lacking++;
      const value: unknown = scope && code.evaluate(scope);
      if (value !== null && typeof value !== "boolean") {
        throw refusal(text, "it is a number, expected a comparison");
      }
      if (value) seen.taken++;
      return value === true;
    },
    summary() {
      const lack = seen.lacking > 0 ? `; ${seen.lacking} lack one of its numbers` : "";
      return `Where ${text}: ${seen.taken} of ${seen.frames} frames in the files${lack}`;
    },
    check() {
      const known = new Set([...seen.keys].map((key) => key.toLowerCase()));
      const unknown = [...names].filter((name) =>
        !FILTER_NAMES.includes(name) && !known.has(name.toLowerCase())
      );
      if (unknown.length === 0 || seen.frames === 0) return;
      const keys = [...seen.keys].filter((key) => /^[a-z_]\w*$/i.test(key)).slice(0, NAMED);
      throw refusal(
        text,
        `no frame has "${unknown[0]}", expected ${FILTER_NAMES.join(", ")}, or a key of the ` +
          `comment lines: ${keys.join(", ")}`,
      );
    },
  };
}

function refusal(text: string, reason: string): UsageError {
  return new UsageError(`Cannot use --where "${text}": ${reason}; see cpd help where`);
}

/** @throws {UsageError} on anything but arithmetic, comparison and logic of numbers */
function checkNode(text: string, node: MathNode, names: Set<string>): void {
  const part = node as MathNode & { fn?: string; name?: string; value?: unknown };
  switch (node.type) {
    case "ParenthesisNode":
    case "RelationalNode":
      return;
    case "OperatorNode":
      if (OPERATORS.has(String(part.fn))) return;
      break;
    case "ConstantNode":
      if (typeof part.value === "number" || typeof part.value === "boolean") return;
      throw refusal(text, `"${part.value}" is not a number`);
    case "SymbolNode":
      if (!CONSTANTS.includes(part.name!)) names.add(part.name!);
      return;
  }
  const shown = node.toString().replace(/\s+/g, " ");
  throw refusal(text, `"${shown}" is more than arithmetic, comparison and logic`);
}

/** Numbers of a frame by name, or null where it lacks one. */
function valuesOf(
  names: ReadonlySet<string>,
  frame: Frame,
  labels: () => FrameLabels,
): Map<string, number> | null {
  const scope = new Map<string, number>();
  for (const name of names) {
    const value = FILTER_NAMES.includes(name)
      ? QUANTITIES[name](frame, labels)
      : onlyNumber(lookUp(frame.info, name));
    if (!Number.isFinite(value)) return null;
    scope.set(name, value);
  }
  return scope;
}
