/** Energies, forces and virials of the official PyTorch code in float64, whole arrays. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { predict } from "../../src/model/potential.ts";
import { FORCE_MODELS, type ForceCase } from "./force_cases.ts";
import { assertClose, makeFrame, relativeError, sharedPath } from "../support.ts";

/** Relative to the largest element. */
const TOLERANCE = 1e-10;

for (const [name, folder] of Object.entries(FORCE_MODELS)) {
  test(`energy, node energies, forces and virial of ${name} are those of the official code`, () => {
    const golden = sharedPath(`reference/forces/${name}.json`);
    const file = sharedPath(`${folder}/${name}.model`);
    if (!golden || !file) return;
    const { model } = loadMace(file);
    const { cases } = JSON.parse(readFileSync(golden, "utf8")) as { cases: ForceCase[] };
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
