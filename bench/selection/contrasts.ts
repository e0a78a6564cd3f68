/** One method against another over all sizes, from the comparisons under a folder: contrasts.ts FOLDER */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { contrasts, type Curve } from "../../src/analysis/verdict.ts";

const PAIRS = [["cpd-spread", "random"], ["cpd-spread", "cpd"], ["cpd", "random"], [
  "cpd-spread",
  "kmedoids",
], ["cpd-spread", "fps"]];

const folder = process.argv[2];
for (const name of readdirSync(folder)) {
  const path = join(folder, name, "main", "compare.json");
  if (!existsSync(path)) continue;
  const { rows, n_test, n_pool } = JSON.parse(readFileSync(path, "utf8"));
  const curves: Curve[] = rows.map((
    row: { method: string; size: number; errors: { krr_rmse: number[] } },
  ) => ({
    method: row.method,
    size: row.size,
    errors: row.errors.krr_rmse,
  }));
  const share = n_test.reduce((sum: number, n: number) => sum + n, 0) / n_test.length / n_pool;
  const percent = (x: number) => (100 * Math.expm1(x)).toFixed(0);
  for (const [method, against] of PAIRS) {
    const found = contrasts(
      curves.filter((c) => [method, against].includes(c.method)),
      against,
      share,
    );
    const { mean, low, high, p } = found.find(({ size }) => size === null)!;
    console.log(
      `${name}: ${method} against ${against}: ${percent(mean)} % (${percent(low)} to ${
        percent(high)
      } %), p = ${p.toFixed(4)}`,
    );
  }
}
