import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { KNOWN_MODELS } from "../../checkpoint/known_models.ts";
import { freeBytes } from "./disk_space.ts";
import { cacheFolder } from "../input/feature_cache.ts";
import { findModel, modelFolder } from "../input/model_store.ts";
import { defaultThreads } from "../syntax/option_values.ts";
import { VERSION } from "../syntax/version.ts";

/** What this machine offers, as far as it can be told without a GPU. */
export function systemFacts(threads: number): Record<string, string> {
  const versions = process.versions as Record<string, string | undefined>;
  const folder = cacheFolder();
  const models = KNOWN_MODELS.filter((model) => findModel(model)).map(({ name }) => name);
  return {
    version: VERSION,
    runtime: versions.deno ? `deno ${versions.deno}` : `bun ${versions.bun}`,
    platform: `${process.platform} ${process.arch}`,
    ...(process.platform === "linux" && { libc: libcVersion(), vulkan: vulkanDrivers() }),
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    threads: `${threads} (default ${defaultThreads()})`,
    cache: `${folder} (${(folderBytes(folder) / 1e6).toFixed(1)} MB${freeSpace(folder)})`,
    models: models.length > 0 ? models.join(", ") : `none pulled (${modelFolder()})`,
  };
}

function libcVersion(): string {
  const { stdout } = spawnSync("/usr/bin/getconf", ["GNU_LIBC_VERSION"], { encoding: "utf8" });
  return stdout?.trim() || "unknown";
}

const ICD_FOLDERS = [
  "/usr/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
];

/** Descriptions of Vulkan drivers that a loader would find. */
function vulkanDrivers(): string {
  const given = process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES;
  if (given) return `${given}${existsSync(given.split(":")[0]) ? "" : " (no such file)"}`;
  const found = ICD_FOLDERS.filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".json")));
  return found.length > 0 ? found.join(", ") : "no driver description in /usr/share/vulkan/icd.d";
}

function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).reduce((sum, name) => {
    const file = statSync(join(folder, name));
    return sum + (file.isDirectory() ? folderBytes(join(folder, name)) : file.size);
  }, 0);
}

function freeSpace(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    const free = freeBytes(folder);
    return free === null ? "" : `, ${(free / 1e9).toFixed(1)} GB free`;
  } catch {
    return ", cannot be written";
  }
}
