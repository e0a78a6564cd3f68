/** Energies, forces and virials of the fast backends against the official PyTorch code in float64. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { distinctElements } from "../../src/frame.ts";
import type { MaceModel } from "../../src/model/mace_model.ts";
import { useFastBackends } from "../backends.ts";
import { assertClose, makeFrame, relativeError, sharedPath } from "../support.ts";
import { FORCE_MODELS, type ForceCase } from "./force_cases.ts";

/** Of forces and virials, relative to the largest element. */
const TOLERANCE = 2e-5;
/** Of energies, relative to the sum of what the atoms have beyond isolated ones, and in eV per atom. */
const ENERGY_TOLERANCE = { relative: 1e-6, perAtom: 1e-5 };

const backends = await useFastBackends();

/** Σ |e - E0| of a golden case, eV. */
function interactionScale(model: MaceModel, { numbers, node_energies }: ForceCase): number {
  return node_energies.reduce(
    (sum, e, n) => sum + Math.abs(e - model.atomicEnergies[model.elements.indexOf(numbers[n])]),
    0,
  );
}

for (const [name, folder] of Object.entries(FORCE_MODELS)) {
  test(`fast backends: energies, forces and virials of ${name} are the official code's`, async () => {
    const golden = sharedPath(`reference/forces/${name}.json`);
    const file = sharedPath(`${folder}/${name}.model`);
    if (!golden || !file) return;
    const { model } = loadMace(file);
    const { cases } = JSON.parse(readFileSync(golden, "utf8")) as { cases: ForceCase[] };
    const frames = cases.map(({ numbers, positions, cell, pbc }) =>
      makeFrame(numbers, positions.flat(), cell ? cell.flat() : new Float64Array(9), pbc)
    );
    const elements = distinctElements(cases.flatMap(({ numbers }) => numbers));
    for (const { label, backend } of backends) {
      const potential = await backend.openPotential(model, elements, 0);
      const predictions = await potential.predict(frames);
      const worst = { energy: 0, forces: 0, virial: 0 };
      cases.forEach((c, f) => {
        const { energy, nodeEnergies, forces, virial } = predictions[f];
        const what = (quantity: string) => `${label}, ${name}, ${c.name}: ${quantity}`;
        const error = Math.abs(energy - c.energy);
        const relative = error / interactionScale(model, c);
        assert.ok(relative <= ENERGY_TOLERANCE.relative, `${what("energy")}: ${relative}`);
        assert.ok(error / c.numbers.length <= ENERGY_TOLERANCE.perAtom, what("energy per atom"));
        const perAtom = nodeEnergies.map((e, n) => Math.abs(e - c.node_energies[n]));
        assert.ok(Math.max(...perAtom) <= ENERGY_TOLERANCE.perAtom, what("node energies"));
        assertClose(forces, c.forces.flat(), TOLERANCE, what("forces"));
        assertClose(virial, c.virial.flat(), TOLERANCE, what("virial"));
        worst.energy = Math.max(worst.energy, relative);
        worst.forces = Math.max(worst.forces, relativeError(forces, c.forces.flat()));
        worst.virial = Math.max(worst.virial, relativeError(virial, c.virial.flat()));
      });
      const [e, f, w] = Object.values(worst).map((x) => x.toExponential(1));
      console.log(`measured: ${name}, ${label}: energy ${e}, forces ${f}, virial ${w}`);
      await potential.close();
    }
  });
}
