/** The table and the figures of `figure_4.sh`: `deno run -A figure_4.ts FOLDER "METHOD METHOD ..."`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { lines } from "../../src/report/lines.ts";

interface Column {
  readonly mean: number;
  readonly error: number | null;
}

const [folder, methods] = process.argv.slice(2);
const names = ["reference", ...methods.split(" "), "start"];
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

const all = new Map(names.map((name) => [name, runsOf(name)]));
const densities = [...all.get("reference")!.keys()].sort((a, b) => a - b);
for (const [quantity, label] of Object.entries(QUANTITIES)) {
  console.log(
    `\n${label}\n\n| r_s | ${names.join(" | ")} |\n| ${
      ["", ...names].map(() => "---").join(" | ")
    } |`,
  );
  for (const rs of densities) {
    const cells = names.map((name) => {
      const { stopped, averages } = all.get(name)!.get(rs)!;
      const column = stopped === null ? averages[quantity] : undefined;
      const error = column?.error ? ` ± ${column.error.toPrecision(2)}` : "";
      return column ? `${column.mean.toPrecision(4)}${error}` : "stopped";
    });
    console.log(`| ${rs} | ${cells.join(" | ")} |`);
  }
  const curves = names.map((name) => {
    const going = [...all.get(name)!].filter(([, { stopped }]) => stopped === null);
    const points = going.map(([rs, { averages }]) => [rs, averages[quantity].mean] as const);
    return [name, points.sort(([a], [b]) => a - b)] as const;
  });
  for (
    const { figure: [, svg] } of lines(quantity, `${label} at 1000 K`, ["r_s, Bohr", label], curves)
  ) {
    writeFileSync(join(folder, `${quantity}.svg`), svg);
  }
}
for (const [name, runs] of all) {
  for (const { name: run, stopped } of runs.values()) {
    if (stopped !== null) console.log(`\n${name}, ${run}: stopped at ${stopped}`);
  }
}
