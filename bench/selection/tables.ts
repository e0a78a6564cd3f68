/** Every table of README.md, from the comparisons under a folder: tables.ts FOLDER */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { contrasts } from "../../src/compare/verdict.ts";

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

/** Methods side by side. */
const METHODS = ["cpd-spread", "cpd", "direct", "fps", "kmedoids", "random"];

/** Settings and the rest, each against random choice in the same run: folder, method, what is printed. */
const SETTINGS: [part: string, method: string, label: string][] = [
  ["main", "cpd-spread", "cpd-spread as it is"],
  ["rim-10", "cpd-spread", "`--peripheral 0.1`"],
  ["rim-30", "cpd-spread", "`--peripheral 0.3`"],
  ["rim-50", "cpd-spread", "`--peripheral 0.5`"],
  ["spread-share-25", "cpd-spread", "`--central-share 0.25`"],
  ["spread-share-75", "cpd-spread", "`--central-share 0.75`"],
  ["two-components", "cpd-spread", "`--components 2`"],
  ["many-components", "cpd-spread", "`--components 0.999`"],
  ["stratified", "cpd-spread", "`--stratify auto`, random too"],
  ["main", "cpd", "cpd as it is"],
  ["variance", "cpd", "cpd, `--radius-objective variance`"],
  ["fano", "cpd", "cpd, `--radius-objective fano`"],
  ["share-25", "cpd", "cpd, `--central-share 0.25`"],
  ["uniform", "cpd", "cpd, `--density-weight 0`"],
  ["wide-pools", "cpd", "cpd, `--central 0.6 --peripheral 0.4`"],
  ["two-components", "cpd", "cpd, `--components 2`"],
  ["many-components", "cpd", "cpd, `--components 0.999`"],
  ["stratified", "cpd", "cpd, `--stratify auto`, random too"],
  ["stratified", "kmedoids", "kmedoids, `--stratify auto`, random too"],
  ["rnd", "rnd", "rnd (one seed)"],
];

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

/** RMSE at every size, in brackets within strata. */
function methodTable(folder: string): string[] {
  const { rows } = readPart(folder, "main")!;
  return METHODS.map((method) => {
    const cells = rows.filter((row) => row.method === method)
      .map(({ errors }) => `${meV(errors.krr_rmse)} (${meV(errors.krr_within)})`);
    return line([method, ...cells]);
  });
}

/** One method against another in one run, over all sizes, in percent of the error. */
function against({ rows, n_test, n_pool }: Part, method: string, other: string) {
  const curves = rows.filter((row) => [method, other].includes(row.method))
    .map(({ method, size, errors }) => ({ method, size, errors: errors.krr_rmse }));
  const found = contrasts(curves, other, mean(n_test) / n_pool).find(({ size }) => size === null)!;
  const percent = (x: number) => (100 * Math.expm1(x)).toFixed(0);
  const interval = `${percent(found.low)} to ${percent(found.high)}`;
  return { mean: percent(found.mean), interval, p: found.p.toPrecision(2) };
}

/** Every setting against random choice, one column per data set. */
function settingsTable(folders: readonly string[]): string[] {
  return SETTINGS.map(([part, method, label]) =>
    line([
      label,
      ...folders.map((folder) => {
        const run = readPart(folder, part);
        if (!run) return "-";
        const { mean, interval } = against(run, method, "random");
        return `${mean} (${interval})`;
      }),
    ])
  );
}

function pairsOf(folder: string): string {
  const run = readPart(folder, "main")!;
  return line(PAIRS.map(([method, other]) => {
    const { mean, interval, p } = against(run, method, other);
    return `${mean} % (${interval}), ${p}`;
  }));
}

const root = process.argv[2];
const names = readdirSync(root).sort();
const folders = names.map((name) => join(root, name));
names.forEach((name, i) => console.log([name, ...methodTable(folders[i]), ""].join("\n")));
console.log([`settings: ${names.join(", ")}`, ...settingsTable(folders), ""].join("\n"));
console.log(PAIRS.map((pair) => pair.join(" against ")).join(" | "));
names.forEach((name, i) => console.log(`${name}: ${pairsOf(folders[i])}`));
