import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadMace } from "../../src/checkpoint/load.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { readChunks } from "../../src/io/files.ts";
import { splitFrames } from "../../src/io/frame_ranges.ts";
import { indexFile, NO_KEYS, readFrames } from "../../src/io/inputs.ts";
import { descriptors } from "../../src/model/mace.ts";
import { nodeEnergies } from "../../src/model/potential.ts";
import type { MaceModel } from "../../src/model/mace_model.ts";
import type { Frame } from "../../src/frame.ts";
import { assertClose, makeFrame, relativeError, rowError, sharedPath } from "../support.ts";

/** Energies are sums of terms up to 1e4 eV; 1e-10 relative is their float64 rounding. */
const ENERGY = 1e-10;

function energy(model: MaceModel, frame: Frame): number {
  const graph = neighborList(frame, model.rMax);
  return nodeEnergies(model, graph).reduce((sum, e) => sum + e, 0);
}

async function readAll(path: string): Promise<Frame[]> {
  const { entries } = await indexFile({ name: path, path, slice: null }, NO_KEYS);
  const frames: Frame[] = [];
  const all = new Set(entries.map(({ index }) => index));
  for await (const frame of readFrames(path, path, all)) frames.push(frame);
  return frames;
}

test("energies and descriptors of the H/He models equal the official code", () => {
  const golden = sharedPath("reference/hhe_golden.json");
  const pbe = sharedPath("models/hhe-pbe.model");
  const vdw = sharedPath("models/hhe-vdwdf.model");
  if (!golden || !pbe || !vdw) return;
  let worst = 0;
  for (const record of JSON.parse(readFileSync(golden, "utf8"))) {
    const { model } = loadMace(record.model.includes("PBE") ? pbe : vdw);
    const frame = makeFrame(record.Z, record.pos.flat(), record.cell.flat());
    const graph = neighborList(frame, model.rMax);
    assert.equal(graph.nEdges, record.n_edges);
    assert.ok(Math.abs(energy(model, frame) - record.energy) <= ENERGY * Math.abs(record.energy));
    const expected = record.node_feats_layer1_l0.flatMap((row: number[], n: number) =>
      row.concat(record.node_feats_layer2_l0[n])
    );
    const actual = descriptors(model, graph);
    assertClose(actual, expected, 1e-10, `${record.model} ${record.frame}`);
    worst = Math.max(worst, relativeError(actual, expected));
  }
  console.log(`measured: H/He descriptors, definition: ${worst.toExponential(1)}`);
});

test("the small hydrogen model equals the official code to its float32-rounded couplings", () => {
  const golden = sharedPath("reference/hydrogen_small_golden.json");
  const path = sharedPath("demo/hydrogen-small.model");
  if (!golden || !path) return;
  const { model } = loadMace(path);
  for (const record of JSON.parse(readFileSync(golden, "utf8")).frames) {
    const species = new Uint8Array(record.positions.length).fill(1);
    const frame = makeFrame(species, record.positions.flat(), record.cell.flat());
    const graph = neighborList(frame, model.rMax);
    assert.equal(graph.nEdges, record.n_edges);
    const error = Math.abs(energy(model, frame) - record.energy) / Math.abs(record.energy);
    assert.ok(error <= 1e-6, `energy error ${error}`);
    const rows = record.descriptors.flat();
    const worst = rowError(descriptors(model, graph), rows, record.descriptors[0].length);
    assert.ok(worst <= 1e-6, `descriptor error ${worst}`);
    console.log(
      `measured: hydrogen-small frame ${record.frame}: ${worst.toExponential(1)}, energy ${
        error.toExponential(1)
      }`,
    );
  }
});

test("energies of an official MD run equal those in its file", async () => {
  const path = sharedPath("reference/mace_official/mace02_com1_swa.model");
  const file = sharedPath("reference/mace_official/mace02_md.xyz.gz");
  if (!path || !file) return;
  const { model } = loadMace(path);
  const frames = await readAll(file);
  assert.ok(frames.length > 0);
  // The start of the run was evaluated at the positions that the file holds; later frames at positions
  // that the file rounds to 8 decimals, which moves an energy by up to Σ|F| · 5e-9 Å.
  let exact = 0;
  for (const frame of frames) {
    const error = Math.abs(energy(model, frame) - Number(frame.info.get("energy_mace")));
    const forces = await forcesOf(file, frame.index, frame.species.length);
    const rounding = 5e-9 * forces.reduce((sum, f) => sum + Math.abs(f), 0);
    if (error <= 1e-10) exact++;
    assert.ok(error <= 1e-10 + rounding, `${frame.id}: ${error} eV`);
  }
  console.log(`${exact} of ${frames.length} frames agree to 1e-10 eV, all within their rounding`);
  assert.ok(exact >= 1);
});

/** Last three columns of a frame: the official code's forces, eV/Å. */
async function forcesOf(file: string, index: number, nAtoms: number): Promise<number[]> {
  for await (const raw of splitFrames(readChunks(file), file, () => {})) {
    if (raw.index !== index) continue;
    const rows = new TextDecoder().decode(raw.bytes).split("\n").slice(2, 2 + nAtoms);
    return rows.flatMap((row) => row.trim().split(/\s+/).slice(-3).map(Number));
  }
  return [];
}

test("the energy RMSE of a published training log is reproduced to 0.1 meV/atom", async () => {
  const path = sharedPath("reference/mace_official/mace_benchmark_maxL1_corr3_swa.model");
  const file = sharedPath("reference/mace_official/solvent_xtb_test.xyz.gz");
  if (!path || !file) return;
  const { model } = loadMace(path);
  const frames = await readAll(file);
  let sum = 0;
  for (const frame of frames) {
    const error = energy(model, frame) - Number(frame.info.get("energy_xtb"));
    sum += (error / frame.species.length) ** 2;
  }
  const rmse = 1000 * Math.sqrt(sum / frames.length);
  console.log(`energy RMSE ${rmse.toFixed(3)} meV/atom, the log says 7.0`);
  assert.equal(frames.length, 1000);
  assert.ok(Math.abs(rmse - 7.0) <= 0.1, `${rmse} meV/atom`);
});
