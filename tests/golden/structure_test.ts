/** Pairs, molecules and correlations against recorded values and slow loops. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { meanSquaredDisplacement, velocityAutocorrelation } from "../../src/analyze/correlation.ts";
import {
  MOLECULAR_REACH,
  molecularCoordination,
  molecularFraction,
} from "../../src/analyze/molecular_fraction.ts";
import { pairCounts, pairDistribution } from "../../src/analyze/pair_distribution.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { parseFrame } from "../../src/io/extxyz.ts";
import { readRawFrames } from "../../src/io/inputs.ts";
import { cellVolume, type Frame } from "../../src/frame.ts";
import { assertClose, projectPath, readNpz, sharedPath } from "../support.ts";

async function* framesOf(path: string, wanted: number): AsyncGenerator<Frame> {
  const places = new Set(Array.from({ length: wanted }, (_, i) => i));
  for await (const raw of readRawFrames("f", path, places)) yield parseFrame(raw, "f");
}

test("pair counts, g(r), coordination and molecular fraction are the recorded ones", async () => {
  const path = sharedPath("reference/md/structure.json");
  if (!path) return console.log("skipped: there is no shared folder");
  const recorded = JSON.parse(readFileSync(path, "utf8")).frames;
  const frames: Frame[] = [];
  const labelled = projectPath("data/hydrogen-1000K-labelled.xyz.gz");
  for await (const frame of framesOf(labelled, 34)) frames.push(frame);
  for (const one of recorded) {
    const frame = frames[one.labelled_frame];
    const counts = pairCounts(frame, [1], one.bin, one.n_bins);
    assert.deepEqual([...counts], one.counts, "counts");
    const n = one.n_atoms;
    const seen = n * (n - 1) / cellVolume(frame.cell);
    assertClose(
      pairDistribution(counts, one.bin, seen),
      one.g_with_N_minus_1,
      1e-12,
      "(N - 1) / V",
    );
    const whole = pairDistribution(counts, one.bin, seen * n / (n - 1));
    assertClose(whole, one.g_with_N, 1e-12, "N / V");
    const coordination = molecularCoordination(neighborList(frame, MOLECULAR_REACH));
    assertClose(coordination, one.coordination_numbers, 1e-12, "coordination");
    const fraction = molecularFraction(coordination);
    assert.ok(Math.abs(fraction - one.molecular_fraction) < 1e-10, `fraction ${fraction}`);
  }
});

test("the molecular fraction is that of every frame of a published data set", async () => {
  const path = sharedPath("data/h_liquid_pbe.extxyz.gz");
  if (!path) return console.log("skipped: there is no shared folder");
  let [n, worst] = [0, 0];
  for await (const frame of framesOf(path, 2000)) {
    const own = molecularFraction(molecularCoordination(neighborList(frame, MOLECULAR_REACH)));
    worst = Math.max(worst, Math.abs(own - Number(frame.info.get("molfrac"))));
    n++;
  }
  assert.equal(n, 1444);
  assert.ok(worst < 1e-4, `off by ${worst}`);
});

test("displacements and velocity correlations are the recorded ones", () => {
  for (const name of ["hhe-vdwdf", "hydrogen-small"]) {
    const path = sharedPath(`reference/md/nve_${name}.json`);
    if (!path) return console.log("skipped: there is no shared folder");
    const run = JSON.parse(readFileSync(path, "utf8"));
    const npz = readNpz(sharedPath(`reference/md/nve_${name}.npz`)!);
    const [positions, velocities] = ["positions", "velocities"].map((key) => {
      const { data, shape } = npz.array(key);
      const n = data.length / shape[0];
      return Array.from({ length: shape[0] }, (_, f) => data.slice(f * n, (f + 1) * n));
    });
    const msd = meanSquaredDisplacement(positions, 50);
    assertClose(msd, run.msd_all_origins, 1e-10, `${name}: MSD`);
    const vacf = velocityAutocorrelation(velocities, 50);
    assertClose(vacf, run.vacf_all_origins, 1e-10, `${name}: VACF`);
  }
});
