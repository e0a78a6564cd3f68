/**
 * Builds a single executable for this machine with Bun: compile_bun.ts [OUTFILE]. It holds the program,
 * the sample, the shipped model and Dawn, which gives Bun its WebGPU. Needs the npm registry alone.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { BUN } from "./bun.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENTRY = join(ROOT, "dist", "entry.ts");

/** Dawn's library for this machine as the package manager unpacked it, or null where there is none. */
function findDawn(): string | null {
  const name = `bun-webgpu-${process.platform}-${process.arch}`;
  const store = join(ROOT, "node_modules", ".deno");
  const places = [
    join(ROOT, "node_modules", name),
    ...(existsSync(store) ? readdirSync(store) : []).filter((entry) => entry.startsWith(`${name}@`))
      .map((entry) => join(store, entry, "node_modules", name)),
  ];
  for (const folder of places) {
    const library = existsSync(folder) &&
      readdirSync(folder).find((file) => /webgpu_wrapper\.(so|dylib|dll)$/.test(file));
    if (library) return join(folder, library);
  }
  return null;
}

/** An entry that embeds the files and tells the program where they are. */
function entrySource(files: Readonly<Record<string, string>>): string {
  const names = Object.keys(files);
  const imports = names.map((name, i) => {
    const path = relative(dirname(ENTRY), files[name]).replaceAll("\\", "/");
    return `import file${i} from ${JSON.stringify(path)} with { type: "file" };`;
  });
  const table = names.map((name, i) => `  ${JSON.stringify(name)}: file${i},`);
  return [
    ...imports,
    "globalThis.cpdFiles = {",
    ...table,
    // Entry points lie under their paths in the project.
    '  "thread.ts": "./src/cpu/thread.ts",',
    "};",
    'await import("../src/cli/main.ts");',
    "",
  ].join("\n");
}

const dawn = findDawn();
if (!dawn) console.log(`no Dawn for ${process.platform}-${process.arch}: the CPU only`);
mkdirSync(dirname(ENTRY), { recursive: true });
writeFileSync(
  ENTRY,
  entrySource({
    "hydrogen-1000K.xyz.gz": join(ROOT, "data", "hydrogen-1000K.xyz.gz"),
    "hydrogen-small.safetensors": join(ROOT, "data", "hydrogen-small.safetensors"),
    ...(dawn ? { dawn } : {}),
  }),
);
const outfile = process.argv[2] ?? "dist/cpd";
const { status } = spawnSync("npx", [
  ...["-y", BUN, "build", "--compile", "--minify-syntax"],
  ...[relative(ROOT, ENTRY), "src/cpu/thread.ts", "--outfile", outfile],
], { cwd: ROOT, stdio: "inherit", shell: process.platform === "win32" });
process.exit(status ?? 1);
