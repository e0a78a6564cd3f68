import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Where an executable holds the files that ship with the program, by name; unset in a checkout. */
declare global {
  var cpdFiles: Readonly<Record<string, string>> | undefined;
}

/** Path of a file of the `data` folder. What an executable holds is unpacked once: its own files cannot
 * be opened as others can. */
export function dataFile(name: string): string {
  const held = globalThis.cpdFiles?.[name];
  if (held === undefined) return fileURLToPath(new URL(`../data/${name}`, import.meta.url));
  const bytes = readFileSync(held);
  const folder = join(tmpdir(), `cpd-${process.getuid?.() ?? "files"}`);
  const path = join(folder, name);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return path;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.${process.pid}`, bytes);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

/** Module that a worker thread runs. */
export function threadModule(): string | URL {
  return globalThis.cpdFiles?.["thread.ts"] ?? new URL("./cpu/thread.ts", import.meta.url);
}
