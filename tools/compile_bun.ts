/**
 * Builds a single executable with Bun: compile_bun.ts [TARGET] [OUTFILE]. TARGET is one of Bun's, such
 * as bun-linux-x64 or bun-darwin-arm64; without it, this machine's. Needs the npm registry alone.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { BUN } from "./bun.ts";

const [target, outfile = "dist/cpd"] = process.argv.slice(2);
mkdirSync(dirname(outfile), { recursive: true });
const { status } = spawnSync("npx", [
  ...["-y", BUN, "build", "--compile", "--minify-syntax"],
  ...(target ? [`--target=${target}`] : []),
  ...["tools/bun_entry.ts", "src/cpu/thread.ts", "--outfile", outfile],
], { cwd: fileURLToPath(new URL("..", import.meta.url)), stdio: "inherit" });
process.exit(status ?? 1);
