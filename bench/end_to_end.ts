/** The program as a user runs it: cold start, the sample, and pools of two sizes, with peak memory. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { extendedXyz } from "../src/io/write_extxyz.ts";
import { denseHydrogen } from "../src/speed/inputs.ts";
import { row, table } from "./timing.ts";

const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const SAMPLE = fileURLToPath(new URL("../data/hydrogen-1000K.xyz.gz", import.meta.url));
const TIME = "/usr/bin/time";

export function benchEndToEnd(): void {
  table("The program from start to finish, all threads", "what", "s", "peak memory, MB");
  const folder = mkdtempSync(join(tmpdir(), "cpd-bench-"));
  try {
    run("cold start: `cpd --version`", folder, ["--version"]);
    const distill = (
      input: string,
      n: number,
    ) => ["distill", input, "-n", String(n), "-o", `out-${n}`, "--quiet", "--backend", "cpu"];
    run("the sample, 273 frames of 64 atoms", folder, distill(SAMPLE, 50));
    for (const [frames, atoms, chosen] of [[575, 256, 200], [20000, 16, 1000]]) {
      const input = join(folder, `pool-${frames}.xyz`);
      const frame = (_: unknown, i: number) =>
        extendedXyz(denseHydrogen(atoms, 1.24 + 0.16 * i / frames, i + 1), [], []);
      writeFileSync(input, Array.from({ length: frames }, frame).join(""));
      run(`${frames} frames of ${atoms} atoms, -n ${chosen}`, folder, distill(input, chosen));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(what: string, folder: string, args: readonly string[]): void {
  const runtime = process.versions.deno ? ["run", "-A"] : ["run"];
  const command = [process.execPath, ...runtime, MAIN, ...args];
  const measured = existsSync(TIME) ? [TIME, "-f", "%M", "-o", "peak", ...command] : command;
  const start = performance.now();
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
  const { status, stderr } = spawnSync(measured[0], measured.slice(1), { cwd: folder, env });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`cpd ${args.join(" ")}: ${stderr}`);
  const peak = existsSync(TIME)
    ? (Number(readFileSync(join(folder, "peak"), "utf8")) / 1000).toFixed(0)
    : `no ${TIME}`;
  row(what, seconds.toFixed(2), peak);
}
