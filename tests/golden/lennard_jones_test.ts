/** Sums over neighbor lists, in small and in skewed cells, against LAMMPS (recorded by lennard_jones.lmp). */
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Frame, Graph } from "../../src/frame.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import type { Prediction } from "../../src/model/prediction.ts";
import { assertClose, makeFrame, projectPath } from "../support.ts";

/** ε in eV, σ and the cutoff in Å. */
const [EPSILON, SIGMA, CUTOFF] = [0.0104, 3.4, 8.5];
/** LAMMPS' bar in eV/Å³, to its digits. */
const BAR = 1 / 1.6021765e6;

/** E = Σ 4 ε [(σ/r)¹² - (σ/r)⁶] over pairs. */
function lennardJones(
  { nAtoms, firstEdge, sender, vectors }: Graph,
): Omit<Prediction, "nodeEnergies"> {
  const [forces, virial] = [new Float64Array(3 * nAtoms), new Float64Array(9)];
  let energy = 0;
  for (let n = 0; n < nAtoms; n++) {
    for (let e = firstEdge[n]; e < firstEdge[n + 1]; e++) {
      const r = vectors.subarray(3 * e, 3 * e + 3);
      const r2 = r[0] ** 2 + r[1] ** 2 + r[2] ** 2;
      const six = (SIGMA * SIGMA / r2) ** 3;
      energy += 2 * EPSILON * (six * six - six);
      // Each edge holds half of a pair's energy.
      const pull = 12 * EPSILON * (2 * six * six - six) / r2;
      for (let i = 0; i < 3; i++) {
        forces[3 * n + i] += pull * r[i];
        forces[3 * sender[e] + i] -= pull * r[i];
        for (let j = 0; j < 3; j++) virial[3 * i + j] += pull * r[i] * r[j];
      }
    }
  }
  return { energy, forces, virial };
}

interface Recorded {
  readonly frame: Frame;
  readonly energy: number;
  readonly forces: number[];
  readonly virial: number[];
}

function recorded(path: string): Recorded {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  const numbers = (line: string) => line.split(" ").map(Number).filter((x) => !Number.isNaN(x));
  const [[lx, ly, lz, xy, xz, yz], [energy], [xx, yy, zz, vxy, vxz, vyz]] = lines.map(numbers);
  const atoms = lines.slice(lines.findIndex((line) => line.startsWith("ITEM: ATOMS")) + 1).map(
    numbers,
  );
  const positions = atoms.flatMap((row) => row.slice(1, 4));
  const cell = [lx, 0, 0, xy, ly, 0, xz, yz, lz];
  return {
    ...{ energy, frame: makeFrame(atoms.map(() => 18), positions, cell) },
    forces: atoms.flatMap((row) => row.slice(4)),
    virial: [xx, vxy, vxz, vxy, yy, vyz, vxz, vyz, zz].map((w) => BAR * w),
  };
}

for (const name of ["lennard_jones_0", "lennard_jones_1"]) {
  test(`energy, forces and virial of ${name} are those of LAMMPS`, () => {
    const { frame, energy, forces, virial } = recorded(projectPath(`tests/golden/${name}.dump`));
    const own = lennardJones(neighborList(frame, CUTOFF));
    assertClose([own.energy], [energy], 1e-10, "energy");
    assertClose(own.forces, forces, 1e-10, "forces");
    assertClose(own.virial, virial, 1e-10, "virial");
  });
}
