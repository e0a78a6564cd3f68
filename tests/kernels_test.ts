import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadMace } from "../src/checkpoint/load.ts";
import { maceModel } from "../src/checkpoint/mace_checkpoint.ts";
import { type Backend, referenceBackend } from "../src/backend.ts";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { KERNELS } from "../src/cpu/embedded.ts";
import { neighborCount } from "../src/select/neighbor_count.ts";
import type { Frame } from "../src/frame.ts";
import { neighborList } from "../src/graph/neighbor_list.ts";
import { covariance } from "../src/linalg/covariance.ts";
import { orthonormalize } from "../src/linalg/subspace.ts";
import { symmetricEigen } from "../src/linalg/symmetric_eigen.ts";
import { matrix } from "../src/matrix.ts";
import { descriptors } from "../src/model/mace.ts";
import type { MaceModel } from "../src/model/mace_model.ts";
import { useFastBackends } from "./backends.ts";
import { goldenCase, randomCheckpoint } from "./golden_models.ts";
import {
  makeFrame,
  normalNumbers,
  projectPath,
  randomNumbers,
  rowError,
  sharedPath,
} from "./support.ts";

/** Float32 kernels against the float64 definition, relative to the norm of a row. */
const TOLERANCE = 5e-6;

const backends = await useFastBackends();

async function compare(model: MaceModel, frames: Frame[], name: string): Promise<void> {
  const elements = [...new Set(frames.flatMap(({ species }) => [...species]))].sort((a, b) =>
    a - b
  );
  for (const nLayers of name === "densityH_rs130_c8" ? [1, 2] : [model.layers.length]) {
    const expected = frames.map((frame) =>
      descriptors(model, neighborList(frame, model.rMax), nLayers)
    );
    let bits: number[] | null = null;
    for (const { label, backend } of backends) {
      const describer = await backend.openDescriber(model, nLayers, elements);
      const actual = await describer.describe(frames);
      let worst = 0;
      actual.forEach((rows, f) => {
        const error = rowError(rows, expected[f], describer.width);
        worst = Math.max(worst, error);
        assert.ok(error <= TOLERANCE, `${name}, ${label}, ${nLayers} layers, frame ${f}: ${error}`);
      });
      console.log(`measured: ${name}, ${label}: ${worst.toExponential(1)}`);
      if (label.startsWith("cpu")) {
        const all = actual.flatMap((rows) => Array.from(rows));
        if (bits) assert.deepEqual(all, bits, "descriptors depend on the number of threads");
        bits = all;
      }
      await describer.close();
    }
  }
}

for (
  const name of [
    "mp0_c4",
    "density_c4",
    "agnesi_c4",
    "density_c16",
    "density_L0_c16",
    "densityH_rs130_c8",
    "density89_H8_c2",
  ]
) {
  test(`descriptors of ${name} by the kernels equal the definition`, async () => {
    const golden = goldenCase(name);
    if (!golden) return;
    const { npz, model } = golden;
    const cell = npz.array("in:cell").data;
    const pbc = cell.some((x) => x !== 0);
    const frame = makeFrame(
      npz.array("in:atomic_numbers").data,
      npz.array("in:positions").data,
      cell,
      [pbc, pbc, pbc],
    );
    await compare(model, [frame, frame], name);
  });
}

test("descriptors of the H/He models by the kernels equal the definition", async () => {
  const golden = sharedPath("reference/hhe_golden.json");
  const path = sharedPath("models/hhe-pbe.model");
  if (!golden || !path) return;
  const records = JSON.parse(readFileSync(golden, "utf8")).slice(0, 3);
  const frames = records.map((record: { Z: number[]; pos: number[][]; cell: number[][] }) =>
    makeFrame(record.Z, record.pos.flat(), record.cell.flat())
  );
  await compare(loadMace(path).model, frames, "hhe-pbe");
});

for (const density of [false, true]) {
  const kind = density ? "density" : "plain";
  test(`descriptors with hidden l up to 2 by the kernels equal the definition (${kind})`, async () => {
    const path = sharedPath("reference/mace/couplings_lmax3.json");
    if (!path) return;
    const table = JSON.parse(readFileSync(path, "utf8"));
    const model = maceModel(randomCheckpoint(table, density));
    const u = randomNumbers(8, 18);
    const frame = makeFrame(
      [1, 8, 1, 1, 8, 1],
      u.map((x, i) =>
        0.4 * x + [0, 1.2, 2.4, 0, 1.2, 2.4][Math.floor(i / 3)] * Number(i % 3 === 0) +
        Number(i >= 9 && i % 3 === 1) * 1.3
      ),
      [3.6, 0, 0, 0.2, 2.6, 0, 0, 0.1, 2.2],
    );
    const [c, s] = [Math.cos(1.1), Math.sin(1.1)];
    const rotate = (rows: Float64Array) =>
      rows.map((_, i) => {
        const [x, y, z] = rows.subarray(i - i % 3, i - i % 3 + 3);
        return [c * x - s * z, y, s * x + c * z][i % 3];
      });
    const rotated = makeFrame(frame.species, rotate(frame.positions), rotate(frame.cell));
    const [a, b] = [frame, rotated].map((f) => descriptors(model, neighborList(f, model.rMax)));
    const error = rowError(b, a, a.length / 6);
    assert.ok(error <= 1e-10, `rotation changes invariants of the definition by ${error}`);
    await compare(model, [frame, rotated], `hidden l up to 2, ${kind}`);
  });
}

test("descriptors of awkward frames: one atom alone, a pair, a tiny periodic cell", async () => {
  const { model } = loadMace(projectPath("data/hydrogen-small.safetensors"));
  const free = [false, false, false] as const;
  const u = randomNumbers(2, 9);
  await compare(model, [
    makeFrame([1], [0, 0, 0], undefined, free),
    makeFrame([1, 1], [0, 0, 0, 0.3, 0.5, 0.4], undefined, free),
    makeFrame([1], [0.1, 0.2, 0.3], [1.2, 0, 0, 0, 1.2, 0, 0, 0, 1.2]),
    makeFrame([1, 1, 1], u.map((x, i) => x + Math.floor(i / 3)), [3, 0, 0, 1, 3, 0, 0, 1, 3], [
      true,
      false,
      true,
    ]),
  ], "hydrogen-small");
});

/** Whether this engine compiles relaxed SIMD. */
function knowsRelaxed(): boolean {
  const bytes = Buffer.from(KERNELS.channel_mix.relaxed!, "base64");
  return WebAssembly.validate(Uint8Array.from(bytes));
}

test("plain and relaxed kernels equal the definition, whichever was chosen here", async () => {
  const { model } = loadMace(projectPath("data/hydrogen-small.safetensors"));
  const u = randomNumbers(5, 24);
  const positions = u.map((x, i) => 0.5 * x + 1.2 * ((i >> (i % 3)) & 1) + (i > 11 ? 0.9 : 0));
  const frame = makeFrame(new Array(8).fill(1), positions, [3, 0, 0, 0, 3, 0, 0, 0, 3]);
  const expected = descriptors(model, neighborList(frame, model.rMax));
  for (const build of ["plain", "relaxed"] as const) {
    if (build === "relaxed" && !knowsRelaxed()) {
      console.log("skipped: relaxed kernels: this engine does not know relaxed SIMD");
      continue;
    }
    const backend = await openCpuBackend(1, build);
    const describer = await backend.openDescriber(model, model.layers.length, [1]);
    const [rows] = await describer.describe([frame]);
    const error = rowError(rows, expected, describer.width);
    assert.ok(error <= 1e-6, `${build}: ${error}`);
    const points = { data: normalNumbers(4, 900), rows: 300, cols: 3 };
    const radii = Float64Array.of(0.3, 1, 2);
    const { counts } = await backend.countNeighbors(points, radii);
    assert.deepEqual(counts, neighborCount(points, radii), build);
    await backend.close();
  }
});

test("pooled descriptors by the kernels equal those of the definition", async () => {
  const path = sharedPath("reference/mace/couplings_lmax3.json");
  if (!path) return;
  const model = maceModel(randomCheckpoint(JSON.parse(readFileSync(path, "utf8")), true));
  const frames = [[1, 8, 1, 1, 8, 1], [8], [1, 1], new Array(200).fill(1)].map((species, f) =>
    makeFrame(
      species,
      randomNumbers(f, 3 * species.length).map((x) => 1.5 * species.length ** (1 / 3) * x),
      undefined,
      [false, false, false],
    )
  );
  for (const pooling of ["mean", "per-element-mean", "mean-std"] as const) {
    const pooled = async (backend: Backend) => {
      const describer = await backend.openDescriber(model, 2, [1, 8]);
      const rows = await describer.pool(frames, pooling);
      await describer.close();
      return rows;
    };
    const expected = await pooled(referenceBackend);
    for (const { label, backend } of backends) {
      (await pooled(backend)).forEach((row, f) => {
        const error = rowError(row, expected[f], row.length);
        assert.equal(row.length, expected[f].length);
        assert.ok(error <= TOLERANCE, `${pooling}, ${label}, frame ${f}: ${error}`);
      });
    }
  }
});

test("leading subspaces by the kernels contain those of the definition", async () => {
  for (const [rows, cols, m] of [[2, 2, 2], [5, 3, 2], [63, 7, 4], [300, 33, 12], [1000, 64, 24]]) {
    const y = matrix(rows, cols);
    const noise = normalNumbers(rows, rows * cols);
    y.data.set(noise.map((x, i) => x * 0.7 ** (i % cols)));
    const exact = symmetricEigen(covariance(y));
    for (const { label, backend } of backends) {
      const v = orthonormalize((await backend.leadingSubspace(y, m)).start);
      // The first eigenvector must lie in the span of the columns, up to float32.
      let inside = 0;
      for (let j = 0; j < m; j++) {
        let dot = 0;
        for (let i = 0; i < cols; i++) dot += v.data[i * m + j] * exact.vectors.data[i * cols];
        inside += dot * dot;
      }
      assert.ok(Math.abs(inside - 1) < 1e-5, `${label} ${rows}x${cols}: ${inside}`);
    }
  }
});
