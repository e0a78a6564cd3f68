/** Runs the suite under Deno and under Bun and ends with one line, `N passed, N failed`. */
import { spawn } from "node:child_process";
import process from "node:process";
import { BUN } from "./bun.ts";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** A test may take minutes on a busy machine. */
const TIMEOUT_MS = "900000";

interface Count {
  readonly passed: number;
  readonly failed: number;
}

function run(command: string, args: string[], env: Record<string, string | undefined>) {
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env, NO_COLOR: "1" } as Record<string, string>,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
        process.stdout.write(chunk);
      });
    }
    child.on("error", (error) => resolve({ code: -1, output: String(error) }));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Last number that the pattern finds, and a failure where a run ended without counting. */
function count(output: string, passed: RegExp, failed: RegExp, code: number | null): Count {
  const last = (pattern: RegExp) => Number([...output.matchAll(pattern)].pop()?.[1] ?? 0);
  const counts = { passed: last(passed), failed: last(failed) };
  return code === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

async function underDeno(): Promise<Count> {
  const { code, output } = await run(
    process.execPath,
    ["test", "-A", "--doc", "mod.ts", "tests"],
    {},
  );
  return count(output, /\| (\d+) passed/g, /\| (\d+) failed/g, code);
}

/** Bun's WebGPU needs a newer software driver than Debian 12 has; `CPD_BUN_ICD` names one. */
async function underBun(): Promise<Count> {
  const icd = process.env.CPD_BUN_ICD;
  if (!icd) console.log("skipped: WGSL under Bun: CPD_BUN_ICD names no Vulkan driver of Mesa 25");
  const env = icd ? { VK_ICD_FILENAMES: icd } : { REQUIRE_GPU: undefined };
  const args = ["-y", BUN, "test", "--timeout", TIMEOUT_MS, "./tests"];
  const { code, output } = await run("npx", args, env);
  if (code === -1) {
    console.log(`skipped: the suite under Bun: npx cannot be run (${output})`);
    return { passed: 0, failed: 0 };
  }
  return count(output, /^ *(\d+) pass$/gm, /^ *(\d+) fail$/gm, code);
}

const deno = await underDeno();
const bun = await underBun();
console.log(`Deno: ${deno.passed} passed, ${deno.failed} failed`);
console.log(`Bun: ${bun.passed} passed, ${bun.failed} failed`);
console.log(`${deno.passed + bun.passed} passed, ${deno.failed + bun.failed} failed`);
process.exit(deno.failed + bun.failed > 0 ? 1 : 0);
