import process from "node:process";
import type { Backend } from "../../backend.ts";
import type { PoolOfFrames } from "../input/load_pool.ts";
import { VERSION } from "../syntax/version.ts";

/** What every report of a run with a backend says. */
export function runFacts({ name, description }: Backend, pool: PoolOfFrames) {
  return { ...programFacts(pool), backend: name, backend_description: description };
}

/** What every report says of a run. */
export function programFacts(pool: PoolOfFrames) {
  const versions = process.versions as Record<string, string | undefined>;
  return {
    program: "cpd",
    version: VERSION,
    runtime: versions.deno ? `deno ${versions.deno}` : `bun ${versions.bun}`,
    platform: `${process.platform} ${process.arch}`,
    inputs: pool.files.map(({ name, sha256 }) => ({ file: name, sha256 })),
    command: commandLine(),
  };
}

/** The command as a shell takes it. */
function commandLine(): string {
  const [command, ...rest] = process.argv.slice(2);
  // The task of the checkout is `distill`, or `demo` where nothing follows it.
  const known = command !== "distill-task" ? command : rest.length > 0 ? "distill" : "demo";
  const args = [known, ...rest].map((arg) =>
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`
  );
  return ["cpd", ...args].join(" ");
}
