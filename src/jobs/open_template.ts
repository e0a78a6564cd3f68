import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ParseError, UsageError } from "../errors.ts";
import { aimsSettings, aimsTemplate, isAimsControl } from "./aims_input.ts";
import { cp2kSettings, cp2kTemplate, isCp2kInput } from "./cp2k_input.ts";
import { isPwInput, pwSettings, pwTemplate } from "./pw_input.ts";
import type { JobTemplate, SettingsOf } from "./template.ts";
import { vaspSettings, vaspTemplate } from "./vasp_input.ts";

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

/** Inputs by which a job's program is known, and what all jobs of it must have in common. */
const SETTINGS: Readonly<Record<string, SettingsOf>> = {
  "pw.in": pwSettings,
  "INCAR": vaspSettings,
  "cp2k.inp": cp2kSettings,
  "control.in": aimsSettings,
};

/** Name of the input of a job, or null where it is not there. */
export function inputOf(folder: string): string | null {
  return Object.keys(SETTINGS).find((input) => existsSync(join(folder, input))) ?? null;
}

/** What a job has in common with the others; null where its input is not there. */
export function settingsOf(folder: string): string | null {
  const name = inputOf(folder);
  return name === null ? null : SETTINGS[name](folder);
}
