import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Frame } from "../../src/frame.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { builtInModel } from "../../src/model/built_in.ts";
import { descriptors } from "../../src/model/mace.ts";
import { useAllBackends } from "../backends.ts";
import { inFolder, runProgram } from "../cli/program.ts";
import { makeFrame, randomNumbers, rowError } from "../support.ts";

const backends = await useAllBackends();
const model = builtInModel([14]);

/** Sixteen atoms of the given elements in a cell. */
function frame(seed: number, elements: readonly number[], turn = (x: Float64Array) => x): Frame {
  const u = randomNumbers(seed, 64);
  const positions = Float64Array.from({ length: 48 }, (_, i) => {
    const [a, k] = [Math.floor(i / 3), i % 3];
    return [[a % 2, 3.1], [(a >> 1) % 2, 2.9], [a >> 2, 2.1]][k].reduce((x, y) => x * y) + u[i];
  });
  const species = Array.from(
    { length: 16 },
    (_, a) => elements[Math.floor(u[48 + a] * elements.length)],
  );
  return makeFrame(
    species,
    turn(positions),
    turn(Float64Array.of(6.2, 0, 0, 0, 5.8, 0, 0, 0, 8.4)),
  );
}

const describe = (f: Frame) => descriptors(model, neighborList(f, model.rMax));

test("the built-in model by the kernels equals its definition, for any elements", async () => {
  for (
    const elements of [
      [14],
      [1, 8],
      [6, 26, 79, 118],
      Array.from({ length: 20 }, (_, i) => i + 1),
    ]
  ) {
    const frames = [frame(1, elements), frame(2, elements.slice(0, 1))];
    for (const { label, backend } of backends) {
      const describer = await backend.openDescriber(model, 1, elements);
      const rows = await describer.describe(frames);
      frames.forEach((f, i) => {
        const error = rowError(rows[i], describe(f), describer.width);
        assert.ok(error <= 5e-6, `${label}, ${elements}: ${error}`);
      });
      await describer.close();
    }
  }
});

test("the built-in descriptors are those of their formula", () => {
  const f = frame(3, [8, 22]);
  const graph = neighborList(f, model.rMax);
  const rows = describe(f);
  const C = model.channels;
  const { bessel, prefactor, cutoffPower: p } = model.radial;
  const { radialMlp: [mix], paths, contractions: [{ weights, nPaths }] } = model.layers[0];
  // Channel 6 m + 1: the number of neighbors, seen through the mixture; 6 m + 2: its square.
  for (const c of [1, 7, 13, 2, 8]) {
    for (let n = 0; n < graph.nAtoms; n++) {
      let sum = 0;
      for (let e = graph.firstEdge[n]; e < graph.firstEdge[n + 1]; e++) {
        const r = Math.hypot(...graph.vectors.subarray(3 * e, 3 * e + 3));
        const x = r / model.rMax;
        const cutoff = 1 - (p + 1) * (p + 2) / 2 * x ** p + p * (p + 2) * x ** (p + 1) -
          p * (p + 1) / 2 * x ** (p + 2);
        const e_z = model.embedding[(f.species[graph.sender[e]] - 1) * C + c];
        bessel.forEach((w, k) => {
          const weight = mix[k * paths.length * C + c] / Math.sqrt(bessel.length);
          sum += e_z * weight * prefactor * Math.sin(w * r) / r * cutoff;
        });
      }
      const density = sum / model.layers[0].avgNumNeighbors;
      const path = c % 6 - 1;
      const g = weights[((f.species[n] - 1) * nPaths + path) * C + c];
      const expected = g * (path === 0 ? density : density ** 2);
      assert.ok(Math.abs(rows[n * C + c] - expected) < 1e-10 * Math.max(1, Math.abs(expected)));
    }
  }
});

test("the built-in descriptors do not see rotation, and tell elements apart", () => {
  const [s, c] = [Math.sin(0.7), Math.cos(0.7)];
  const turn = (x: Float64Array) =>
    x.map((_, i) => {
      const [a, b, d] = x.subarray(i - i % 3, i - i % 3 + 3);
      return [c * a - s * b, s * a + c * b, d][i % 3];
    });
  const [plain, turned] = [frame(4, [1, 6]), frame(4, [1, 6], turn)];
  assert.ok(rowError(describe(turned), describe(plain), model.channels) < 1e-12);
  const swapped = { ...plain, species: plain.species.map((z) => (z === 1 ? 9 : z)) };
  assert.ok(rowError(describe(swapped), describe(plain), model.channels) > 0.01);
});

test("any elements are described without a model, and it is said what that is", () =>
  inFolder(async (folder) => {
    const frames = Array.from({ length: 12 }, (_, i) => {
      const { species, positions } = frame(i, [14, 8]);
      const rows = [...species].map((z, a) =>
        `${z === 14 ? "Si" : "O"} ${[...positions.subarray(3 * a, 3 * a + 3)].join(" ")}`
      );
      return `16\nLattice="6.2 0 0 0 5.8 0 0 0 8.4" Properties=species:S:1:pos:R:3\n${
        rows.join("\n")
      }\n`;
    });
    writeFileSync(join(folder, "x.xyz"), frames.join(""));
    const run = (...args: string[]) => runProgram(args, { cwd: folder });
    const distilled = await run("distill", "x.xyz", "-n", "4", "--backend", "cpu");
    assert.equal(distilled.code, 0, distilled.stderr);
    assert.match(
      distilled.stderr,
      /^Model: built-in, an atomic cluster expansion without trained weights; a descriptor, not a force/,
    );
    const named = await run("features", "x.xyz", "-o", "f.npy", "--model", "built-in");
    assert.equal(named.code, 0, named.stderr);
    assert.match(
      (await run("model", "list")).stdout,
      /^built-in .*118: all .*weights are formulas/m,
    );
    assert.match(
      (await run("help", "methods")).stdout,
      /built-in otherwise: an atomic cluster\nexp/,
    );
    const info = await run("model", "info", "built-in");
    assert.equal(info.code, 5);
    assert.match(info.stderr, /Cannot read "built-in": it has no file/);
  }));
