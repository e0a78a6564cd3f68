/** The table and the figures of `figure_4.sh`: `deno run -A figure_4.ts FOLDER "METHOD METHOD ..." DRAWS`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { lines } from "../../src/report/lines.ts";

interface Column {
  readonly mean: number;
  readonly error: number | null;
}

const [folder, methods, draws] = process.argv.slice(2);
const numbers = Array.from({ length: Number(draws) }, (_, draw) => draw);
/** Folders of each model, or of the models of each method. */
const all = new Map([
  ["reference", ["reference"]],
  ...methods.split(" ").map((method) =>
    [method, numbers.map((draw) => `${method}-${draw}`)] as const
  ),
  ["start", ["start"]],
]);
const QUANTITIES = {
  pressure: "pressure, GPa",
  molecular_fraction: "fraction of atoms in molecules",
};

interface Run {
  /** Such as `rs1.24`. */
  readonly name: string;
  /** Why it stopped before its last step. */
  readonly stopped: string | null;
  readonly averages: Readonly<Record<string, Column>>;
}

/** Runs of a model by r_s. */
function runsOf(name: string): Map<number, Run> {
  const { runs } = JSON.parse(readFileSync(join(folder, name, "md/report.json"), "utf8"));
  return new Map((runs as Run[]).map((run) => [Number(run.name.slice(2)), run]));
}

const runs = new Map([...all].map(([name, folders]) => [name, folders.map(runsOf)]));
const densities = [...runs.get("reference")![0].keys()].sort((a, b) => a - b);
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Means of a quantity over the steps of each draw that came to its end. */
function meansOf(name: string, rs: number, quantity: string): number[] {
  const ended = runs.get(name)!.map((own) => own.get(rs)!).filter(({ stopped }) =>
    stopped === null
  );
  return ended.map(({ averages }) => averages[quantity].mean);
}

/** Mean over the draws and their standard deviation; of one run the error of its correlated steps. */
function cell(name: string, rs: number, quantity: string): string {
  const own = runs.get(name)!;
  const means = meansOf(name, rs, quantity);
  if (means.length === 0) return "stopped";
  const deviation = means.length > 1
    ? Math.sqrt(means.reduce((sum, x) => sum + (x - mean(means)) ** 2, 0) / (means.length - 1))
    : own[0].get(rs)!.averages[quantity].error;
  const spread = deviation ? ` ± ${deviation.toPrecision(2)}` : "";
  const ended = means.length < own.length ? ` (${means.length} of ${own.length})` : "";
  return `${mean(means).toPrecision(4)}${spread}${ended}`;
}

for (const [quantity, label] of Object.entries(QUANTITIES)) {
  const names = [...all.keys()];
  const rule = ["", ...names].map(() => "---").join(" | ");
  console.log(`\n${label}\n\n| r_s | ${names.join(" | ")} |\n| ${rule} |`);
  for (const rs of densities) {
    console.log(`| ${rs} | ${names.map((name) => cell(name, rs, quantity)).join(" | ")} |`);
  }
  const curves = names.map((name) => {
    const going = densities.filter((rs) => meansOf(name, rs, quantity).length > 0);
    return [name, going.map((rs) => [rs, mean(meansOf(name, rs, quantity))] as const)] as const;
  });
  for (
    const { figure: [, svg] } of lines(quantity, `${label} at 1000 K`, ["r_s, Bohr", label], curves)
  ) {
    writeFileSync(join(folder, `${quantity}.svg`), svg);
  }
}
const rows = ["model,draw,rs,pressure_GPa,molecular_fraction,stopped"];
for (const [name, own] of runs) {
  own.forEach((densities, draw) => {
    for (const [rs, { stopped, averages }] of densities) {
      const means = Object.keys(QUANTITIES).map((quantity) => averages[quantity]?.mean ?? "");
      rows.push([name, draw, rs, ...means, stopped ?? ""].join(","));
    }
  });
}
writeFileSync(join(folder, "figure_4.csv"), `${rows.join("\n")}\n`);
for (const [name, own] of runs) {
  own.forEach((densities, draw) => {
    for (const { name: run, stopped } of densities.values()) {
      if (stopped !== null) console.log(`\n${name}, draw ${draw}, ${run}: stopped at ${stopped}`);
    }
  });
}
