import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ParseError, UsageError } from "../errors.ts";
import { aimsMesh, aimsSettings, aimsTemplate, isAimsControl } from "./aims_input.ts";
import { cp2kSettings, cp2kTemplate, isCp2kInput } from "./cp2k_input.ts";
import { isPwInput, pwMesh, pwSettings, pwTemplate } from "./pw_input.ts";
import type { JobTemplate, SettingsOf } from "./template.ts";
import { vaspMesh, vaspSettings, vaspTemplate } from "./vasp_input.ts";

/** Opens an input of pw.x, CP2K or FHI-aims, or a folder of VASP or FHI-aims, as a template.
 * @throws {UsageError} if it is none of them */
export function openTemplate(path: string): JobTemplate {
  if (!existsSync(path)) throw new UsageError(`Cannot read the template "${path}": no such file`);
  if (statSync(path).isDirectory()) {
    if (existsSync(join(path, "INCAR"))) return vaspTemplate(path);
    if (existsSync(join(path, "control.in"))) return aimsTemplate(path);
    throw new UsageError(
      `Cannot use the folder "${path}" as a template: it has no INCAR and no control.in`,
    );
  }
  const text = readFileSync(path, "utf8");
  if (isPwInput(text)) return pwTemplate(path);
  if (isCp2kInput(text)) return cp2kTemplate(path);
  if (isAimsControl(text)) return aimsTemplate(path);
  throw new ParseError(
    path,
    "it is no input of pw.x, CP2K or FHI-aims; a template of VASP is a folder",
  );
}

/** What is read of the inputs of a program's jobs. */
interface JobInputs {
  /** What all jobs must have in common. */
  readonly settings: SettingsOf;
  /** Divisions of the k-mesh, which follow the cell; null where there is none. */
  readonly mesh: (folder: string) => string | null;
}

/** Inputs by which a job's program is known. */
const INPUTS: Readonly<Record<string, JobInputs>> = {
  "pw.in": { settings: pwSettings, mesh: pwMesh },
  "INCAR": { settings: vaspSettings, mesh: vaspMesh },
  "cp2k.inp": { settings: cp2kSettings, mesh: () => null },
  "control.in": { settings: aimsSettings, mesh: aimsMesh },
};

/** What the input of a job says. */
export interface JobInput {
  /** Name of the file, or null where none is there. */
  readonly name: string | null;
  /** What it has in common with those of other jobs. */
  readonly settings: string | null;
  /** Divisions of its k-mesh, which is that of other jobs whose cell is the same. */
  readonly mesh: string | null;
}

export function readInput(folder: string): JobInput {
  const name = Object.keys(INPUTS).find((input) => existsSync(join(folder, input)));
  if (name === undefined) return { name: null, settings: null, mesh: null };
  const { settings, mesh } = INPUTS[name];
  return { name, settings: settings(folder), mesh: mesh(folder) };
}
