/** Files of other programs as texts, and what is read of them. */
import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatOf } from "../../src/io/formats/formats.ts";
import type { FrameRecord } from "../../src/io/formats/frame_record.ts";

export interface ReadFile {
  readonly format: string | null;
  readonly records: readonly FrameRecord[];
  /** What is said; what says that the file is cut short begins with "cut: ". */
  readonly notes: readonly string[];
}

/** Reads the first of some files that lie in one folder. */
export async function readFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  elements: readonly string[] | null = null,
): Promise<ReadFile> {
  const folder = mkdtempSync(join(tmpdir(), "cpd-test-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const [name] = Object.keys(files);
    const path = join(folder, name);
    const format = await formatOf(path, name);
    const [records, notes]: [FrameRecord[], string[]] = [[], []];
    if (format) {
      const note = (text: string, cut = false) => void notes.push(`${cut ? "cut: " : ""}${text}`);
      for await (const record of format.read({ name, path, elements }, note)) records.push(record);
    }
    return { format: format?.name ?? null, records, notes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same of a text alone. */
export function readText(text: string | Uint8Array, elements: readonly string[] | null = null) {
  return readFiles({ file: text }, elements);
}

/** Latin-1 bytes of a text. */
export function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

const f = (x: number, width: number, digits: number) => x.toFixed(digits).padStart(width);

/** Two hydrogen atoms of a step; all numbers follow from its number. */
export interface Step {
  readonly positions: readonly (readonly number[])[];
  readonly forces: readonly (readonly number[])[];
  /** eV. */
  readonly energy: number;
  /** xx yy zz xy yz zx as VASP has them, kB. */
  readonly stress: readonly number[];
}

export const CELL = [[4, 0, 0], [0.5, 4.5, 0], [0, 0.25, 5]] as const;

export function step(n: number): Step {
  return {
    positions: [[0.1 * n, 0.2, 0.3], [0.9 + 0.15 * n, 0.25, 0.35]],
    forces: [[0.5, -0.25, 0.125 * n], [-0.5, 0.25, -0.125 * n]],
    energy: -6.5 - n,
    stress: [10 + n, 20, 30, 1, 2, 3],
  };
}

/** An OUTCAR of VASP 5.4 with so many ionic steps. */
export function outcar(steps: number): string {
  const head = [
    " vasp.5.4.4.18Apr17-6-g9f103f2a35 complex",
    " POTCAR:    PAW_PBE H 15Jun2001                   ",
    "   VRHFIN =H: ultrasoft test",
    "   TITEL  = PAW_PBE H 15Jun2001",
    "   number of dos      NEDOS =    301   number of ions     NIONS =      2",
    "   ions per type =               2",
    "   NELM   =     60;   NELMIN=  4; NELMDL=  0     # of ELM steps ",
    "   ISIF   =      2    stress and relaxation",
  ];
  const body = Array.from({ length: steps }, (_, i) => {
    const { positions, forces, energy, stress } = step(i + 1);
    const cell = CELL.map((row) => `   ${row.map((x) => f(x, 13, 9)).join("")}     0.1 0.1 0.1`);
    return [
      `--------------------------------------- Iteration ${
        String(i + 1).padStart(6)
      }(   1)  ------`,
      "  free energy    TOTEN  =        99.00000000 eV",
      "",
      "  energy without entropy =      99.00000000  energy(sigma->0) =      99.00000000",
      `--------------------------------------- Iteration ${
        String(i + 1).padStart(6)
      }(   2)  ------`,
      "------------------------ aborting loop because EDIFF is reached ------------------------",
      `  in kB  ${stress.map((x) => f(x, 12, 5)).join("")}`,
      "      direct lattice vectors                 reciprocal lattice vectors",
      ...cell,
      "",
      " POSITION                                       TOTAL-FORCE (eV/Angst)",
      " -----------------------------------------------------------------------------------",
      ...positions.map((row, n) =>
        ` ${row.map((x) => f(x, 12, 5)).join(" ")}    ${
          forces[n].map((x) => f(x, 13, 6)).join(" ")
        }`
      ),
      " -----------------------------------------------------------------------------------",
      `  free  energy   TOTEN  = ${f(energy, 18, 8)} eV`,
      "",
      `  energy  without entropy= ${f(energy + 0.2, 17, 8)}  energy(sigma->0) = ${
        f(energy + 0.1, 16, 8)
      }`,
    ].join("\n");
  });
  return [...head, ...body, ""].join("\n");
}

/** A vasprun.xml with so many ionic steps. */
export function vasprun(steps: number): string {
  const rows = (table: readonly (readonly number[])[]) =>
    table.map((row) => `    <v> ${row.map((x) => f(x, 16, 8)).join(" ")} </v>`).join("\n");
  const [a, b, c] = CELL;
  // Fractional coordinates in a cell of lower triangular rows.
  const fractional = ([x, y, z]: readonly number[]) => {
    const s2 = z / c[2];
    const s1 = (y - s2 * c[1]) / b[1];
    return [(x - s1 * b[0] - s2 * c[0]) / a[0], s1, s2];
  };
  const body = Array.from({ length: steps }, (_, i) => {
    const { positions, forces, energy, stress: [xx, yy, zz, xy, yz, zx] } = step(i + 1);
    const energies = (free: number, zero: number) =>
      `<energy>\n<i name="e_fr_energy"> ${f(free, 16, 8)} </i>\n<i name="e_0_energy"> ${
        f(zero, 16, 8)
      } </i>\n</energy>`;
    return `<calculation>
<scstep>${energies(99, 99)}</scstep>
<scstep>${energies(energy + 5, energy + 5.1)}</scstep>
<structure>
 <crystal><varray name="basis" >
${rows(CELL)}
</varray><varray name="rec_basis" >
${rows(CELL)}
</varray></crystal>
<varray name="positions" >
${rows(positions.map(fractional))}
</varray></structure>
<varray name="forces" >
${rows(forces)}
</varray><varray name="stress" >
${rows([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]])}
</varray>
${energies(energy, 77)}
<eigenvalues><array><set><r> 1 2 </r></set></array></eigenvalues>
</calculation>`;
  });
  return `<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
<parameters><separator name="electronic" ><i type="int" name="NELM">    60</i></separator>
<i type="int" name="ISIF">     2</i></parameters>
<atominfo><atoms>       2 </atoms>
<array name="atoms" ><set><rc><c>H </c><c>   1</c></rc><rc><c>H </c><c>   1</c></rc></set></array>
<array name="atomtypes" ><set><rc><c>   2</c><c>H </c><c> 1.0</c><c> PAW_PBE H </c></rc></set></array>
</atominfo>
<structure name="initialpos" ><varray name="positions" >
${rows([[0, 0, 0], [0, 0, 0]])}
</varray></structure>
${body.join("\n")}
</modeling>
`;
}
