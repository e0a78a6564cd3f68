import type { Averages } from "../analyze/averages.ts";
import type { Measured, Transport } from "../analyze/transport.ts";
import type { AnalyzedGroup } from "./analysis_figures.ts";
import { withError } from "./lines.ts";
import { type Captioned, drawn, list, plainPage, table } from "./plain_page.ts";

/** Columns that are shown, and their heads. */
const SHOWN = {
  rs: "r_s (Bohr)",
  density: "g/cm³",
  temperature: "T (K)",
  pressure_static: "static P (GPa)",
  pressure: "P (GPa)",
  molecular_fraction: "molecular",
} as const;

/** Rows of means with their errors, the head first; columns that no frame has are left out. */
export function averageTable(
  all: Averages,
  frames: number,
  groups: readonly AnalyzedGroup[],
): string[][] {
  const shown = Object.entries(SHOWN).filter(([name]) => name in all);
  const row = (name: string, n: number, averages: Averages) => [
    ...[name, String(n)],
    ...shown.map(([key]) => averages[key] ? withError(averages[key]) : ""),
  ];
  return [
    ["", "frames", ...shown.map(([, head]) => head)],
    row("all", frames, all),
    ...groups.map((group) => row(group.name, group.frames.length, group.averages)),
  ];
}

/** Coefficients of diffusion in words. */
export function diffusionLines(transports: readonly Transport[]): string[] {
  const told = ({ value, error }: Measured) => withError({ mean: value, error });
  return transports.map(({ file, group, diffusion }) => {
    const name = group === "" ? file : `${file}, ${group}`;
    const other = diffusion.vacf ? `, from velocities ${told(diffusion.vacf)}` : "";
    return `Diffusion, ${name}: from displacements ${told(diffusion.msd)}${other} Å²/ps`;
  });
}

/** An analysis for people: one page without scripts or outside resources. */
export function analysisPage(
  facts: readonly (readonly [string, string])[],
  rows: readonly (readonly string[])[],
  notes: readonly string[],
  figures: readonly Captioned[],
): string {
  return plainPage("Structure and state", [
    ...(notes.length > 0 ? [list(notes)] : []),
    table(rows),
    "<p>Means with standard errors of correlated blocks (Flyvbjerg and Petersen 1989). Molecular: the fraction " +
    "of hydrogen atoms in molecules of Cheng et al. 2020; a perfect molecule has 0.9876.</p>",
    `<div class="panels">${figures.map(drawn).join("\n")}</div>`,
    "<h2>Run</h2>",
    table([["", ""], ...facts]),
  ]);
}
