import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { loadModel } from "../checkpoint/load.ts";
import { ParseError, WeightsError } from "../errors.ts";
import { chemicalSymbol } from "../frame.ts";
import { fileHash, type FrameEntry, type InputSpec, parseInput, scanFile } from "../io/inputs.ts";
import { type DescriptorModel, elementIndices, isSchnet } from "../model/descriptor_model.ts";
import type { Console } from "./output.ts";

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
  /** Removes what was spooled from standard input. */
  dispose(): Promise<void>;
}

/**
 * Scans the inputs: every frame is checked, none is kept in memory.
 *
 * @param keys comment-line keys whose values are wanted
 * @param strict a truncated last frame is an error instead of a warning
 */
export async function loadPool(
  inputs: readonly string[],
  keys: readonly string[],
  strict: boolean,
  console: Console,
): Promise<PoolOfFrames> {
  const temporary: string[] = [];
  const entries: FrameEntry[] = [];
  const seen = new Set<string>();
  const elements = new Set<number>();
  const files: { name: string; path: string; sha256: string }[] = [];
  const dispose = async () => {
    for (const folder of temporary) await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const input of inputs) {
      let spec: InputSpec = parseInput(input);
      if (spec.path === "-") spec = { ...spec, path: await spool(temporary) };
      const scan = await scanFile(spec, keys);
      if (scan.truncated) {
        const { line, index, declared, rows } = scan.truncated;
        const problem = `frame ${index} declares ${declared} atoms but ${rows} rows follow`;
        if (strict) throw new ParseError(`${spec.name}:${line}`, problem);
        console.warn(
          `${spec.name}:${line}: ${problem}; the last frame is cut off and was dropped ` +
            "(--strict to stop instead)",
        );
      }
      if (scan.entries.length === 0) throw new ParseError(spec.name, "it holds no frame");
      let repeated = 0;
      for (const entry of scan.entries) {
        if (seen.has(entry.id)) repeated++;
        else entries.push(entry);
        seen.add(entry.id);
      }
      if (repeated > 0) console.warn(`${input}: ${repeated} frames were given before, kept once`);
      scan.elements.forEach((z) => elements.add(z));
      if (!files.some((file) => file.name === spec.name)) {
        files.push({ name: spec.name, path: spec.path, sha256: await fileHash(spec.path) });
      }
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  const order = new Map(files.map(({ name }, i) => [name, i]));
  entries.sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.index - b.index);
  return { entries, elements: [...elements].sort((a, b) => a - b), files, dispose };
}

/** Standard input can be read once only; the passes need it as a file. */
async function spool(temporary: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cpd-"));
  temporary.push(folder);
  const path = join(folder, "stdin");
  await pipeline(process.stdin, createWriteStream(path));
  return path;
}

/** The model that ships with the program: pure hydrogen, good as a descriptor only. */
const SHIPPED_MODEL = new URL("../../data/hydrogen-small.safetensors", import.meta.url);

/**
 * Loads the model that was asked for, or the shipped one if every atom is hydrogen.
 *
 * @throws {WeightsError} if there is no model for these elements, or it lacks one of them
 */
export function openModel(
  path: string | null,
  elements: readonly number[],
  console: Console,
): { model: DescriptorModel; name: string; bytes: Uint8Array } {
  const symbols = elements.map(chemicalSymbol).join(", ");
  if (path === null && (elements.length !== 1 || elements[0] !== 1)) {
    throw new WeightsError(
      `Cannot describe ${symbols}: the shipped model knows hydrogen only; ` +
        "give a MACE checkpoint with --model FILE",
    );
  }
  const name = path ?? "hydrogen-small (shipped)";
  if (path === null) console.say("Model: hydrogen-small, shipped; a descriptor, not a force field");
  const { model, bytes } = loadModel(path ?? fileURLToPath(SHIPPED_MODEL));
  const table = elementIndices(model);
  const missing = elements.filter((z) => table[z] < 0);
  if (missing.length > 0) {
    throw new WeightsError(
      `Cannot describe ${missing.map(chemicalSymbol).join(", ")} with model "${name}": it knows ` +
        `${model.elements.map(chemicalSymbol).join(", ")}; choose another with --model`,
    );
  }
  if (isSchnet(model)) {
    console.warn(
      `the SchNet "${name}" does not say which elements it was trained on: see that ${symbols} is among them`,
    );
  }
  return { model, name, bytes };
}
