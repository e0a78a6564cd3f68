/** Energies, forces and virials of the official PyTorch code in float64, whole arrays. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { predict } from "../../src/model/potential.ts";
import { assertClose, makeFrame, relativeError, sharedPath } from "../support.ts";

interface Case {
  readonly name: string;
  readonly pbc: [boolean, boolean, boolean];
  readonly cell: number[][] | null;
  readonly numbers: number[];
  readonly positions: number[][];
  readonly n_edges: number;
  readonly energy: number;
  readonly node_energies: number[];
  readonly forces: number[][];
  readonly virial: number[][];
}

const FOLDERS: Record<string, string> = {
  "density_L0_c16": "reference/mace",
  "density_c16": "reference/mace",
  "hhe-pbe": "models",
  "hhe-vdwdf": "models",
  "hydrogen-small": "demo",
  "mace02_com1_swa": "reference/mace_official",
  "mace_benchmark_maxL1_corr3_swa": "reference/mace_official",
};
/** Relative to the largest element. */
const TOLERANCE = 1e-10;

for (const [name, folder] of Object.entries(FOLDERS)) {
  test(`energy, node energies, forces and virial of ${name} are those of the official code`, () => {
    const golden = sharedPath(`reference/forces/${name}.json`);
    const file = sharedPath(`${folder}/${name}.model`);
    if (!golden || !file) return;
    const { model } = loadMace(file);
    const { cases } = JSON.parse(readFileSync(golden, "utf8")) as { cases: Case[] };
    let worst = 0;
    for (const c of cases) {
      const cell = c.cell ? c.cell.flat() : new Float64Array(9);
      const frame = makeFrame(c.numbers, c.positions.flat(), cell, c.pbc);
      const graph = neighborList(frame, model.rMax);
      assert.equal(graph.nEdges, c.n_edges, `${c.name}: edges`);
      const { energy, nodeEnergies, forces, virial } = predict(model, graph);
      const label = (what: string) => `${name}, ${c.name}: ${what}`;
      assertClose([energy], [c.energy], TOLERANCE, label("energy"));
      assertClose(nodeEnergies, c.node_energies, TOLERANCE, label("node energies"));
      assertClose(forces, c.forces.flat(), TOLERANCE, label("forces"));
      assertClose(virial, c.virial.flat(), TOLERANCE, label("virial"));
      worst = Math.max(
        ...[worst, relativeError([energy], [c.energy]), relativeError(forces, c.forces.flat())],
        relativeError(virial, c.virial.flat()),
      );
    }
    console.log(`measured: ${name}: energy, forces and virial to ${worst.toExponential(1)}`);
  });
}
