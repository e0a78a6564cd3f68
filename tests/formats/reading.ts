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

/** An output of pw.x of two atoms, up to the end of their first step. */
export const PW = `
     Program PWSCF v.6.7MaX starts on  1Jan2026 at  0: 0: 0
     lattice parameter (alat)  =       8.0000  a.u.
     number of atoms/cell      =            2
     celldm(1)=   8.000001  celldm(2)=   0.000000  celldm(3)=   0.000000
     crystal axes: (cart. coord. in units of alat)
               a(1) = (   1.000000   0.000000   0.000000 )
               a(2) = (   0.000000   1.250000   0.000000 )
               a(3) = (   0.000000   0.100000   1.500000 )
   Cartesian axes

     site n.     atom                  positions (alat units)
         1           H1  tau(   1) = (   0.1000000   0.2000000   0.3000000  )
         2           H2  tau(   2) = (   0.2000000   0.2000000   0.3000000  )
   Crystallographic axes

     site n.     atom                  positions (cryst. coord.)
         1           H1  tau(   1) = (  0.1000000  0.1584000  0.2000000  )
         2           H2  tau(   2) = (  0.2000000  0.1584000  0.2000000  )

     total energy              =      -2.00000000 Ry
!    total energy              =      -2.30000000 Ry
     convergence has been achieved in   9 iterations

     Forces acting on atoms (cartesian axes, Ry/au):

     atom    1 type  1   force =    -0.02000000    0.06000000   -0.05000000
     atom    2 type  1   force =     0.02000000   -0.06000000    0.05000000
     The non-local contrib.  to forces
     atom    1 type  1   force =     9.00000000    9.00000000    9.00000000
     atom    2 type  1   force =     9.00000000    9.00000000    9.00000000

          total   stress  (Ry/bohr**3)                   (kbar)     P=      490.50
   0.03000000  -0.00050000   0.00060000         4413.00      -73.00       88.00
  -0.00050000   0.03300000   0.00020000          -73.00     4854.00       30.00
   0.00060000   0.00020000   0.03400000           88.00       30.00     5001.00

`;

/** An output of FHI-aims of a hydrogen and an oxygen; forces and stress are always the same. */
export function aimsOutput(
  positions: readonly (readonly number[])[],
  cell: readonly number[],
): string {
  const rows = (table: readonly (readonly number[])[]) =>
    table.map((row) => row.map((x) => f(x, 18, 8)).join(""));
  const vectors = rows([0, 3, 6].map((at) => cell.slice(at, at + 3))).map((row) => `  |${row}`);
  const atoms = rows(positions).map((row, n) =>
    `  |    ${n + 1}: Species ${n === 0 ? "H" : "O"}  ${row}`
  );
  return `------------------------------------------------------------
          Invoking FHI-aims ...
          Version 180126
  Input geometry:
  | Unit cell:
${vectors.join("\n")}
  | Atomic structure:
  |       Atom                x [A]            y [A]            z [A]
${atoms.join("\n")}

          Begin self-consistency loop: Initialization.
  | Electronic free energy        :         -79.11864746 Ha       -2152.92793706 eV
  | Electronic free energy per atom                       :       -1076.46396853 eV
          Begin self-consistency iteration #    1
  Self-consistency cycle converged.
  +-------------------------------------------------------------------+
  |              Analytical stress tensor - Symmetrized               |
  |                  Cartesian components [eV/A**3]                   |
  +-------------------------------------------------------------------+
  |                x                y                z                |
  |                                                                   |
  |  x        -0.00100000       0.00010000       0.00000000           |
  |  y         0.00010000      -0.00200000       0.00000000           |
  |  z         0.00000000       0.00000000      -0.00300000           |
  |                                                                   |
  |  Pressure:       0.00200000   [eV/A**3]                           |
  +-------------------------------------------------------------------+
  | Total energy uncorrected      :         -0.750E+01 eV
  | Total energy corrected        :         -0.751E+01 eV  <-- do not rely on this value
  | Electronic free energy        :         -0.752E+01 eV
  Total atomic forces (unitary forces cleaned) [eV/Ang]:
  |   1          0.500000000000000E+00         -0.250000000000000E+00          0.125000000000000E+00
  |   2         -0.500000000000000E+00          0.250000000000000E+00         -0.125000000000000E+00

          Have a nice day.
`;
}
