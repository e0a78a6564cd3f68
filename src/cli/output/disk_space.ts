import { statfsSync } from "node:fs";
import { UsageError } from "../../errors.ts";

/** Bytes that a user may still write in a folder, or null where the file system does not say. */
export function freeBytes(folder: string): number | null {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return Number(blocks) === 0 ? null : Number(bavail) * Number(bsize);
}

/**
 * Refuses what would not fit before hours are spent on it.
 *
 * @param needed bytes to be written in `folder`
 * @param remedy what to do where they do not fit
 * @throws {UsageError} saying how much is needed and how much is free
 */
export function checkSpace(
  needed: number,
  folder: string,
  remedy: string,
  free: number | null = freeBytes(folder),
): void {
  if (free === null || needed <= free) return;
  const size = (bytes: number) => `${Number((bytes / 1e9).toPrecision(2))} GB`;
  throw new UsageError(
    `Cannot keep the descriptors: they need ${size(needed)} in "${folder}" and ${size(free)} are ` +
      `free; ${remedy}`,
  );
}
