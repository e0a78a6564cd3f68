/** The table of `figure_3.sh` as Markdown: `deno run -A table.ts FOLDER/NAME/compare.json`. */
import { readFileSync } from "node:fs";
import process from "node:process";

interface Row {
  readonly method: string;
  readonly size: number;
  readonly errors: { readonly krr_rmse: number[] };
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
console.log("| method | N | energies, meV/atom | forces, meV/Å | kernel ridge, meV/atom |");
console.log("| --- | --- | --- | --- | --- |");
for (const { method, size, errors, trained } of rows as Row[]) {
  const energies = mean(trained.energy_rmse) + spread(trained.energy_seed_deviation);
  const forces = mean(trained.forces_rmse) + spread(trained.forces_seed_deviation);
  console.log(`| ${method} | ${size} | ${energies} | ${forces} | ${mean(errors.krr_rmse)} |`);
}
const others = [["whole pool", n_pool, fine_tuning.whole_pool], [
  "before, E0 of the pool",
  n_pool,
  fine_tuning.before,
]];
for (const [name, n, { energy_rmse, forces_rmse }] of others) {
  console.log(`| ${name} | ${n} | ${mean(energy_rmse)} | ${mean(forces_rmse)} | |`);
}
for (const quantity of ["energies", "forces"]) {
  const { verdict, rank_correlation: { mean, low, high } } = fine_tuning[quantity];
  console.log(`\n${quantity}: ${verdict.slice(0, 2).join(". ")}.`);
  console.log(
    `Rank correlation with kernel ridge regression: ${mean.toFixed(2)} (${low.toFixed(2)} to ${
      high.toFixed(2)
    }).`,
  );
}
