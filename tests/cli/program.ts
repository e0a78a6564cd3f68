import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { projectPath } from "../support.ts";

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const IS_DENO = "Deno" in globalThis;

/** Runs the other arguments with files of no more than so many blocks of 512 bytes; beyond, writing fails. */
const LIMITED = `trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"`;

/** Runs the real program from the given folder, with a cache of its own. */
export function runProgram(
  args: readonly string[],
  options: {
    cwd: string;
    stdin?: Uint8Array;
    env?: Record<string, string>;
    interruptAt?: RegExp;
    /** Nobody reads its stderr. */
    deaf?: boolean;
    /** Most kilobytes that a file may have. */
    fileLimit?: number;
  },
): Promise<Run> {
  const main = projectPath("src/cli/main.ts");
  const program = [process.execPath, ...(IS_DENO ? ["run", "-A", "--quiet"] : []), main];
  const limit = options.fileLimit;
  const within = limit === undefined ? [] : ["sh", "-c", LIMITED, "sh", String(2 * limit)];
  const [command, ...rest] = [...within, ...program, ...args];
  const child = spawn(command, rest, {
    cwd: options.cwd,
    env: {
      ...process.env as Record<string, string>,
      CPD_CACHE_DIR: join(options.cwd, "cache"),
      NO_COLOR: "1",
      ...options.env,
    },
  });
  let [stdout, stderr] = ["", ""];
  let interrupted = false;
  child.stdout.on("data", (chunk) => stdout += chunk);
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    if (!interrupted && options.interruptAt?.test(stderr)) {
      interrupted = true;
      process.kill(child.pid!, "SIGINT"); // child.kill() would hide the exit code
    }
  });
  if (options.deaf) child.stderr.destroy();
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin ?? new Uint8Array(0));
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A folder that is removed after the test. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cpd-test-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
