import { compareWithRandom, type Coverage, leakage, occupancy } from "../../compare/coverage.ts";
import type { Distillation } from "../../pipeline.ts";
import { autoStrata } from "../../select/strata.ts";
import type { SizeSearch } from "../../compare/suggest_size.ts";
import { runFacts } from "./run_facts.ts";
import { type Results, uniqueFrames } from "./results.ts";

/** What is written as `report.json`. */
export type RunReport = ReturnType<typeof makeReport>;

/** Everything needed to repeat the run. */
export function makeReport(results: Results, warnings: readonly string[]) {
  const { command, pool, result, backend, model, watch } = results;
  const { search, components, poolSizes } = result;
  return {
    ...runFacts(backend, pool),
    options: { ...command, seed: Number(command.seed) },
    seed: Number(command.seed),
    model,
    n_frames: results.entries.length,
    n_selected: results.select,
    left_out: pool.leftOut,
    ...(pool.filter !== null && { filter: pool.filter }),
    n_duplicates: result.representative.reduce((n, r, i) => n + Number(r !== i), 0),
    n_in_reference: result.nKnown,
    method: command.method,
    radius: search.radii[search.chosen],
    radius_objective: command.objective,
    n_pairs_decided_in_float64: search.nDecided,
    n_components: components.loadings.cols,
    explained_variance: Array.from(components.explainedVariance),
    pool_sizes: poolSizes,
    close_calls: result.closeCalls.map(({ kind, point, margin }) => ({
      kind,
      frame: results.entries[point].id,
      margin,
    })),
    ...(results.sizes && { size_search: sizeReport(results.sizes) }),
    coverage: coverageReport(results),
    occupancy: occupancyReport(results),
    warnings,
    seconds: watch.seconds,
  };
}

/** The search for the number of frames, energies in eV/atom. */
function sizeReport({ criterion, limit, reason, rows }: SizeSearch) {
  return { criterion, limit, reason, rows };
}

/** Places of the chosen frames. */
function chosenOf({ rank }: Distillation): number[] {
  return [...rank.keys()].filter((i) => rank[i] > 0);
}

/** Measures of the choice beside random ones of the same size; distances between the unique frames. */
function coverageReport({ entries, result }: Results) {
  const { points, chosen } = uniqueFrames({ entries, result });
  const found = compareWithRandom(points, chosen);
  const named = (c: Coverage) => ({
    covering_radius: c.coveringRadius,
    mean_distance: c.meanDistance,
    distance_95: c.distance95,
    feature_coverage: c.featureCoverage,
    energy_distance: c.energyDistance,
    entropy: c.entropy,
    diversity: c.diversity,
    overlap: c.overlap,
  });
  return {
    kernel_width: found.kernelWidth,
    chosen: named(found.chosen),
    random: named(found.random),
    n_random_draws: found.nDraws,
    ...(result.reference && {
      distance_to_reference: leakage(result.scores, chosenOf(result), result.reference),
    }),
  };
}

/** Frames and chosen ones per file, and per stratum of composition and volume (and the key's own). */
function occupancyReport({ entries, input, result }: Results) {
  const chosen = chosenOf(result);
  const volumes = Float64Array.from(entries, ({ volume }) => volume);
  const rows = (strata: readonly string[]) =>
    occupancy(strata, chosen).map(({ stratum, nFrames, nChosen }) => ({
      stratum,
      n_frames: nFrames,
      n_chosen: nChosen,
    }));
  return {
    file: rows(entries.map(({ file }) => file)),
    volume: rows(autoStrata(entries.map(({ formula }) => formula), volumes)),
    ...(input.strata && { stratum: rows(input.strata) }),
  };
}
