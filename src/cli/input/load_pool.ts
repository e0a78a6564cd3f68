import { rm } from "node:fs/promises";
import { loadModel } from "../../checkpoint/load.ts";
import { ParseError, UsageError, WeightsError } from "../../errors.ts";
import { chemicalSymbol, distinctElements } from "../../frame.ts";
import { KNOWN_KEYS, labelsWhenAsked, readLabels } from "../../io/frame_labels.ts";
import { isIsolated } from "../../io/isolation.ts";
import type { Truncation } from "../../io/frame_ranges.ts";
import {
  fileHash,
  type FrameEntry,
  indexFile,
  type InputSpec,
  parseInput,
  type Sieve,
  type WantedKeys,
} from "../../io/inputs.ts";
import { quickProblems } from "../../scan/examine_frame.ts";
import type { Problem } from "../../scan/facts.ts";
import { type DescriptorModel, elementIndices, isSchnet } from "../../model/descriptor_model.ts";
import { BUILT_IN_MODEL, openBuiltIn, resolveModel, SHIPPED_MODEL } from "./model_store.ts";
import { keysOf } from "./labels.ts";
import { openInputs, type ReadOptions } from "./open_inputs.ts";
import type { CompareCommand, DistillCommand } from "../syntax/options.ts";
import { type Console, fewOf } from "../output/output.ts";
import { type FrameFilter, parseFilter } from "./where.ts";

/** Every frame of the inputs: files in the order given, frames in the order of the file. */
export interface PoolOfFrames {
  readonly entries: readonly FrameEntry[];
  /** Atomic numbers in the pool, ascending. */
  readonly elements: readonly number[];
  /** Input files and their SHA-256, in the order given. */
  readonly files: readonly {
    readonly name: string;
    readonly path: string;
    readonly sha256: string;
  }[];
  /** What is wrong with the frames that were left out. */
  readonly leftOut: readonly Problem[];
  /** What is wrong with frames that were kept, as far as it was looked for. */
  readonly doubtful: readonly Problem[];
  /** What was said of the frames that `--where` leaves out, or null. */
  readonly filter: string | null;
  /** Removes what was spooled from standard input. */
  dispose(): Promise<void>;
}

/** How inputs are read. */
export interface LoadOptions extends ReadOptions {
  readonly keys: WantedKeys;
  /** Look for useless frames, and leave them out or only warn of them; undefined does not look. */
  readonly bad?: "skip" | "warn";
  /** Frames that are wanted; null for all of them. */
  readonly where?: FrameFilter | null;
  /** Key of the energies that it means; null for known ones. */
  readonly energyKey?: string | null;
}

/** How `distill` and `compare` read their inputs.
 * @param short remember all keys with short values, for the report */
export async function loadOptions(
  command: DistillCommand | CompareCommand,
  short: boolean,
): Promise<LoadOptions> {
  const { where, energyKey, strict, species, output, skipBad } = command;
  return {
    keys: { names: keysOf(command), short, energies: true },
    ...{ strict, species, output },
    bad: skipBad ? "skip" : "warn",
    where: where === null ? null : await parseFilter(where),
    energyKey,
  };
}

/** Reads the inputs once: every frame is checked, none is kept in memory. */
export async function loadPool(
  inputs: readonly string[],
  options: LoadOptions,
  console: Console,
): Promise<PoolOfFrames> {
  const temporary: string[] = [];
  const entries: FrameEntry[] = [];
  const seen = new Set<string>();
  const elements = new Set<number>();
  const found: Problem[] = [];
  let filter: string | null = null;
  const files: { name: string; path: string; sha256: string }[] = [];
  const dispose = async () => {
    for (const folder of temporary) await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const { spec, original } of await openInputs(inputs, options, temporary, console)) {
      const problems: Problem[] = [];
      const scan = await indexFile(spec, options.keys, sieve(options, problems));
      reportTruncation(spec, scan.truncated, options.strict, console);
      if (scan.entries.length === 0 && !options.where) throw nothingIn(spec, problems);
      found.push(...problems);
      const fresh = scan.entries.filter(({ id }) => !seen.has(id));
      for (const entry of fresh) {
        entries.push(entry);
        seen.add(entry.id);
      }
      const repeated = scan.entries.length - fresh.length;
      if (repeated > 0) {
        console.warn(`${spec.name}: ${repeated} frames were given before, kept once`);
      }
      scan.elements.forEach((z) => elements.add(z));
      if (!files.some((file) => file.name === spec.name)) {
        const sha256 = original === spec.path ? scan.sha256 : await fileHash(original);
        files.push({ name: spec.name, path: spec.path, sha256 });
      }
    }
    options.where?.check();
    filter = options.where?.summary() ?? null;
    if (filter !== null) console.say(filter);
    if (entries.length === 0) {
      throw new ParseError(files[0].name, "no frame is left to choose from");
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  reportBad(found, options.bad, console);
  const order = new Map(files.map(({ name }, i) => [name, i]));
  entries.sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.index - b.index);
  return {
    entries,
    elements: distinctElements(elements),
    files,
    leftOut: options.bad === "skip" ? found : [],
    doubtful: options.bad === "skip" ? [] : found,
    filter,
    dispose,
  };
}

/** Why a file gives no frame. */
function nothingIn(spec: InputSpec, problems: readonly Problem[]): ParseError {
  const what = problems.length > 0 ? "usable frame" : "frame";
  const where = spec.slice ? " in that slice" : "";
  const [first] = problems;
  const why = first ? `: ${problems.length} are left out, ${first.kind}: ${first.text}` : "";
  return new ParseError(spec.name, `it holds no ${what}${where}${why}`);
}

/** Collects problems of the frames that are wanted; leaves them out where they are to be skipped. */
function sieve({ bad, where, energyKey = null }: LoadOptions, problems: Problem[]): Sieve {
  return (raw, parsed) => {
    if (parsed instanceof ParseError) {
      if (bad === "warn") parsed.message += "; --skip-bad leaves such frames out";
      if (bad !== "skip") return false;
      const frame = `${parsed.where.replace(/:\d+$/, "")}@${raw.index}`;
      problems.push({ kind: "unreadable", frame, text: parsed.message });
      return true;
    }
    // Isolated atoms are set aside whatever their numbers are; they often have few.
    const labels = labelsWhenAsked(raw, parsed, { ...KNOWN_KEYS, energy: energyKey });
    if (where && !isIsolated(parsed) && !where.accepts(parsed, labels)) return true;
    if (bad === undefined) return false;
    const found = quickProblems(parsed, readLabels(raw, parsed));
    problems.push(...found);
    return found.length > 0 && bad === "skip";
  };
}

function reportBad(problems: readonly Problem[], bad: LoadOptions["bad"], console: Console): void {
  for (const kind of new Set(problems.map((problem) => problem.kind))) {
    const own = problems.filter((problem) => problem.kind === kind);
    const names = fewOf(own.map(({ frame, text }) => `${frame} (${text})`));
    console.warn(
      bad === "skip"
        ? `left out ${own.length} frames, ${kind}: ${names}`
        : `${own.length} frames look useless, ${kind}: ${names}; --skip-bad leaves them out`,
    );
  }
}

function reportTruncation(
  spec: InputSpec,
  truncated: Truncation | null,
  strict: boolean,
  console: Console,
): void {
  if (!truncated) return;
  const { line, index, declared, rows } = truncated;
  const problem = `frame ${index} declares ${declared} atoms but ${rows} rows follow`;
  if (strict) throw new ParseError(`${spec.name}:${line}`, problem);
  console.warn(
    `${spec.name}:${line}: ${problem}; the last frame is cut off and was dropped ` +
      "(--strict to stop instead)",
  );
}

/** Files that a command reads. */
export function sourcesOf(
  command: {
    readonly inputs: readonly string[];
    readonly model?: string | null;
    readonly overlay?: string | null;
    readonly features?: string | null;
    readonly reference?: string | null;
    readonly keep?: readonly string[];
  },
): string[] {
  const { inputs, model, overlay, features, reference, keep = [] } = command;
  const others = [model, overlay, features, reference].filter((path) => typeof path === "string");
  return [...inputs.map((input) => parseInput(input).path), ...others, ...keep];
}

const SHIPPED_WORDS = "Model: hydrogen-small, shipped; a descriptor, not a force field";
const BUILT_IN_WORDS =
  "Model: built-in, an atomic cluster expansion without trained weights; a descriptor, not a force " +
  "field; --model takes a trained one, see cpd model list";

/** A model that describes frames, as it was asked for and as it lies on disk. */
export interface OpenedModel {
  readonly model: DescriptorModel;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Atomic numbers that it was opened for, ascending. */
  readonly elements: readonly number[];
}

/**
 * Loads the model that was asked for, or the shipped one if every atom is hydrogen, or the built-in one;
 * says what the user should know before it is trusted with these frames.
 *
 * @throws {WeightsError} if it lacks one of the elements
 */
export function openModel(
  { model: path, layers }: { readonly model: string | null; readonly layers: number | null },
  { elements, entries }: Pick<PoolOfFrames, "elements" | "entries">,
  console: Console,
): OpenedModel {
  const symbols = elements.map(chemicalSymbol).join(", ");
  const asked = path ?? (elements.join() === "1" ? SHIPPED_MODEL : BUILT_IN_MODEL);
  const name = path ?? `${asked} (shipped)`;
  if (path === null) {
    console.say(asked === SHIPPED_MODEL ? SHIPPED_WORDS : BUILT_IN_WORDS);
  }
  const { model, bytes } = asked === BUILT_IN_MODEL
    ? openBuiltIn(elements)
    : loadModel(resolveModel(asked));
  if (layers !== null && layers > model.layers.length) {
    const has = model.layers.length;
    throw new UsageError(`Cannot use --layers ${layers}: the model has ${has}`);
  }
  const table = elementIndices(model);
  const missing = elements.filter((z) => table[z] < 0);
  if (missing.length > 0) {
    const first = entries.find(({ formula }) =>
      missing.some((z) => new RegExp(`${chemicalSymbol(z)}(?![a-z])`).test(formula))
    );
    throw new WeightsError(
      `Cannot describe ${missing.map(chemicalSymbol).join(", ")}${
        first ? `, first in ${first.id},` : ""
      } with model "${name}": it knows ` +
        `${model.elements.map(chemicalSymbol).join(", ")}; choose another with --model`,
    );
  }
  if (isSchnet(model)) {
    console.warn(
      `the SchNet "${name}" does not say which elements it was trained on: see that ${symbols} is among them`,
    );
  }
  const narrowest = entries.reduce((least, { width }) => Math.min(least, width), Infinity);
  if (narrowest < model.rMax) {
    console.say(
      `Cells: the narrowest is ${narrowest.toPrecision(3)} Å wide and the model reads to ` +
        `${
          model.rMax.toPrecision(3)
        } Å, so atoms meet their own images; that is handled, and slower`,
    );
  }
  return { model, name, bytes, elements };
}
