/** Every table of README.md, from the comparisons under a folder: tables.ts FOLDER */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { contrasts } from "../../src/analysis/verdict.ts";

interface Row {
  readonly method: string;
  readonly size: number;
  /** RMSE on the held-out frames of each split, eV/atom. */
  readonly errors: { readonly krr_rmse: number[]; readonly krr_within: number[] };
}

interface Part {
  readonly n_pool: number;
  readonly n_test: number[];
  readonly rows: Row[];
}

/** Rows of the tables of methods: folder, method, what is printed. */
const METHODS: [part: string, method: string, label: string][] = [
  ["main", "cpd-spread", "cpd-spread"],
  ["main", "cpd", "cpd"],
  ["main", "direct", "direct"],
  ["main", "fps", "fps"],
  ["main", "kmedoids", "kmedoids"],
  ["main", "random", "random"],
  ["rnd", "rnd", "rnd (one seed)"],
  ["variance", "cpd", "cpd, `--radius-objective variance`"],
  ["fano", "cpd", "cpd, `--radius-objective fano`"],
  ["share-25", "cpd", "cpd, `--central-share 0.25`"],
  ["uniform", "cpd", "cpd, `--density-weight 0`"],
  ["wide-pools", "cpd", "cpd, `--central 0.6 --peripheral 0.4`"],
];

/** Rows of the table of settings. */
const SETTINGS: [part: string, method: string, label: string][] = [
  ["main", "cpd-spread", "cpd-spread as it is"],
  ["rim-10", "cpd-spread", "`--peripheral 0.1`"],
  ["rim-30", "cpd-spread", "`--peripheral 0.3`"],
  ["rim-50", "cpd-spread", "`--peripheral 0.5`"],
  ["spread-share-25", "cpd-spread", "`--central-share 0.25`"],
  ["spread-share-75", "cpd-spread", "`--central-share 0.75`"],
  ["two-components", "cpd-spread", "`--components 2`"],
  ["many-components", "cpd-spread", "`--components 0.999`"],
  ["stratified", "cpd-spread", "`--stratify auto`"],
  ["stratified", "random", "random, `--stratify auto`"],
  ["stratified", "cpd", "cpd, `--stratify auto`"],
  ["stratified", "kmedoids", "kmedoids, `--stratify auto`"],
];
const SETTING_SIZES = [50, 200];

const PAIRS = [
  ["cpd-spread", "random"],
  ["cpd-spread", "cpd"],
  ["cpd", "random"],
  ["cpd-spread", "kmedoids"],
  ["cpd-spread", "fps"],
];

const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
const meV = (values: readonly number[]) => (1000 * mean(values)).toFixed(1);
const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function readPart(folder: string, part: string): Part | null {
  const path = join(folder, part, "compare.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

/** Rows of one method in one part, by size; none where the part was not run. */
function rowsOf(folder: string, part: string, method: string): Row[] {
  return readPart(folder, part)?.rows.filter((row) => row.method === method) ?? [];
}

/** RMSE at every size, in brackets within strata. */
function methodTable(folder: string): string[] {
  return METHODS.flatMap(([part, method, label]) => {
    const rows = rowsOf(folder, part, method);
    if (rows.length === 0) return [];
    const cells = rows.map(({ errors }) => `${meV(errors.krr_rmse)} (${meV(errors.krr_within)})`);
    return [line([label, ...cells])];
  });
}

/** RMSE of settings at two sizes, one column per data set. */
function settingsTable(folders: readonly string[]): string[] {
  return SETTINGS.map(([part, method, label]) =>
    line([
      label,
      ...folders.map((folder) =>
        SETTING_SIZES.map((size) => {
          const row = rowsOf(folder, part, method).find((found) => found.size === size);
          return row ? meV(row.errors.krr_rmse) : "-";
        }).join(", ")
      ),
    ])
  );
}

/** One method against another over all sizes, in percent of the error. */
function pairsOf(folder: string): string {
  const { rows, n_test, n_pool } = readPart(folder, "main")!;
  const curves = rows.map(({ method, size, errors }) => ({
    method,
    size,
    errors: errors.krr_rmse,
  }));
  const percent = (x: number) => (100 * Math.expm1(x)).toFixed(0);
  const cells = PAIRS.map(([method, against]) => {
    const two = curves.filter((curve) => [method, against].includes(curve.method));
    const found = contrasts(two, against, mean(n_test) / n_pool).find(({ size }) => size === null)!;
    const { low, high, p } = found;
    return `${percent(found.mean)} % (${percent(low)} to ${percent(high)}), ${p.toPrecision(2)}`;
  });
  return line(cells);
}

const root = process.argv[2];
const names = readdirSync(root).sort();
const folders = names.map((name) => join(root, name));
names.forEach((name, i) => console.log([name, ...methodTable(folders[i]), ""].join("\n")));
console.log([`settings: ${names.join(", ")}`, ...settingsTable(folders), ""].join("\n"));
console.log(PAIRS.map((pair) => pair.join(" against ")).join(" | "));
names.forEach((name, i) => console.log(`${name}: ${pairsOf(folders[i])}`));
