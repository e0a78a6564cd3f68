/** The table of `figure_3.sh` as Markdown: `deno run -A table.ts FOLDER/NAME/compare.json`. */
import { readFileSync } from "node:fs";
import process from "node:process";

interface Row {
  readonly method: string;
  readonly size: number;
  readonly errors: { readonly krr_rmse: number[] };
  readonly readout_forces_rmse: number[] | null;
  readonly trained: {
    readonly energy_rmse: number[];
    readonly forces_rmse: number[];
    readonly energy_seed_deviation: number[];
    readonly forces_seed_deviation: number[];
  };
}

const { rows, fine_tuning, n_pool } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const mean = (values: readonly number[]) =>
  (1000 * values.reduce((sum, x) => sum + x, 0) / values.length).toFixed(1);
const spread = (values: readonly number[]) => values.some((x) => x > 0) ? ` ± ${mean(values)}` : "";
const readout = (rows as Row[])[0].readout_forces_rmse !== null;
const more = readout ? [" ridge, meV/Å |", " --- |", " |"] : ["", "", ""];
console.log(
  `| method | N | energies, meV/atom | forces, meV/Å | kernel ridge, meV/atom |${more[0]}`,
);
console.log(`| --- | --- | --- | --- | --- |${more[1]}`);
for (const { method, size, errors, readout_forces_rmse, trained } of rows as Row[]) {
  const energies = mean(trained.energy_rmse) + spread(trained.energy_seed_deviation);
  const forces = mean(trained.forces_rmse) + spread(trained.forces_seed_deviation);
  const own = readout_forces_rmse ? ` ${mean(readout_forces_rmse)} |` : "";
  console.log(`| ${method} | ${size} | ${energies} | ${forces} | ${mean(errors.krr_rmse)} |${own}`);
}
const others = [["whole pool", n_pool, fine_tuning.whole_pool], [
  "before, E0 of the pool",
  n_pool,
  fine_tuning.before,
]];
for (const [name, n, { energy_rmse, forces_rmse }] of others) {
  console.log(`| ${name} | ${n} | ${mean(energy_rmse)} | ${mean(forces_rmse)} | |${more[2]}`);
}
type Ranks = Record<"mean" | "low" | "high", number> | null;
function correlation(what: string, ranks: Ranks): void {
  if (!ranks) return; // two methods have no order to speak of
  const [mean, low, high] = [ranks.mean, ranks.low, ranks.high].map((x) => x.toFixed(2));
  console.log(`Rank correlation with ${what}: ${mean} (${low} to ${high}).`);
}
for (const quantity of ["energies", "forces"]) {
  const { verdict, rank_correlation } = fine_tuning[quantity];
  console.log(`\n${quantity}: ${verdict.slice(0, 2).join(". ")}.`);
  correlation("kernel ridge regression", rank_correlation);
}
correlation("the forces of ridge regression", fine_tuning.forces_by_readout ?? null);
