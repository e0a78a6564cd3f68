import { fileURLToPath } from "node:url";

/** Files that ship with the program, by name; an executable says where it holds them. */
declare global {
  var cpdAssets: Readonly<Record<string, string>> | undefined;
}

/** Path of a file of the `data` folder. */
export function asset(name: string): string {
  return globalThis.cpdAssets?.[name] ??
    fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
}
