import assert from "node:assert/strict";
import { test } from "node:test";
import { pathOffsets } from "../../src/model/atomic_basis.ts";
import { descriptors, equivariantFeatures, maceStages } from "../../src/model/mace.ts";
import { cellVolume } from "../../src/frame.ts";
import { energyGradients, nodeEnergies, predict } from "../../src/model/potential.ts";
import { pairRepulsion } from "../../src/model/pair_repulsion.ts";
import { radialWeights } from "../../src/model/radial_weights.ts";
import { goldenCase } from "../golden_models.ts";
import { assertClose, channelFastest, components, graphOf, relativeError } from "../support.ts";

/** Rounding of float64 sums of a few thousand terms, against the official code. */
const TOLERANCE = 1e-12;
const CASES = [
  "mp0_c4",
  "density_c4",
  "agnesi_c4",
  "density_c16",
  "density_L0_c16",
  "densityH_rs130_c8",
  "density89_H8_c2",
];

for (const name of CASES) {
  test(`every stage of ${name} equals the official code`, () => {
    const golden = goldenCase(name);
    if (!golden) return;
    const { npz, model } = golden;
    const edgeIndex = npz.array("in:edge_index").data;
    const vectors = npz.array("mid:vec").data;
    const { graph, order } = graphOf(npz.array("in:atomic_numbers").data, edgeIndex, vectors);
    const stages = maceStages(model, graph);
    const C = model.channels;
    const d = (model.lMax + 1) ** 2;
    const compared = new Set(["mid:vec"]);
    let worst = 0;
    const close = (actual: Float64Array, key: string, expected = npz.array(key).data) => {
      assertClose(actual, expected, TOLERANCE, key);
      worst = Math.max(worst, relativeError(actual, expected));
      compared.add(key);
    };
    const perEdge = (key: string) => {
      const { shape, data } = npz.array(key);
      const width = shape.slice(1).reduce((product, n) => product * n, 1);
      return Float64Array.from(
        order.flatMap((e) => [...data.subarray(e * width, (e + 1) * width)]),
      );
    };
    close(stages.edges.r, "mid:r", perEdge("mid:r"));
    close(stages.edges.harmonics, "mid:Y", perEdge("mid:Y"));
    close(stages.edges.basis, "mid:edge_feats", perEdge("mid:edge_feats"));
    close(stages.embedding, "mid:node_feats_0");
    if (model.zbl) {
      close(pairRepulsion(graph, stages.edges.r, model.zbl), "mid:pair_node_energy");
    }
    stages.layers.forEach((layer, t) => {
      const { lIn, lOut, paths, density, residual } = model.layers[t];
      const degrees = (x: Float64Array, lMax: number, key: string) => {
        for (let l = 0; l <= lMax; l++) {
          const part = components(x, (lMax + 1) ** 2, C, l * l, 2 * l + 1);
          const full = `mid:${t}.${key}.${l}`;
          close(part, full, channelFastest(npz.array(full)));
        }
      };
      degrees(layer.up, lIn, "hu");
      if (npz.names.includes(`mid:${t}.R`)) {
        const radial = radialWeights(stages.edges.basis, model.layers[t], model.siluScale);
        close(radial, `mid:${t}.R`, perEdge(`mid:${t}.R`));
      }
      const { offsets, total } = pathOffsets(paths);
      paths.forEach(([, , l3], p) => {
        const key = `mid:${t}.A.path${p}`;
        const part = components(layer.atomicBasis, total, C, offsets[p], 2 * l3 + 1);
        close(part, key, channelFastest(npz.array(key)));
      });
      if (density) close(layer.density, `mid:${t}.density`);
      degrees(layer.message, model.lMax, "msg_lin");
      degrees(layer.normalized, model.lMax, "msg_n");
      close(components(layer.x, d, C, 0, d), `mid:${t}.x`, channelFastest(npz.array(`mid:${t}.x`)));
      degrees(layer.productBasis, lOut, "B");
      if (residual) degrees(layer.skip, lOut, "sc");
      degrees(layer.features, lOut, "h_out");
    });
    const energies = nodeEnergies(model, graph);
    close(energies, "out:node_energy");
    close(energies, "mace:node_energy", npz.array("mace:node_energy").data);
    close(Float64Array.of(energies.reduce((sum, e) => sum + e, 0)), "mace:energy");
    close(descriptors(model, graph), "mace:descriptors_invariant");
    for (const from of ["out", "mace"]) {
      close(equivariantFeatures(model, graph), `${from}:node_feats`);
    }
    if (!model.zbl && npz.names.includes("mid:pair_node_energy")) {
      close(new Float64Array(graph.nAtoms), "mid:pair_node_energy");
    }
    const { gradients } = energyGradients(model, graph);
    close(gradients, "out:edge_grad", perEdge("out:edge_grad"));
    const { energy, forces, virial } = predict(model, graph);
    close(Float64Array.of(energy), "out:energy");
    close(forces, "out:forces");
    close(forces, "mace:forces", npz.array("mace:forces").data);
    close(virial, "out:virials");
    const volume = cellVolume(npz.array("in:cell").data);
    close(virial.map((x) => -x / volume), "out:stress");
    const missing = npz.names.filter((key) => /^(mid|out):/.test(key) && !compared.has(key));
    assert.deepEqual(missing, [], "arrays of the file that were not compared");
    console.log(
      `measured: ${name}, definition: ${worst.toExponential(1)} over ${compared.size} arrays`,
    );
  });
}
