import { hashName, stableId } from "../rng.ts";

/** Which frame a row of features belongs to. */
export interface FrameKey {
  /** Name of the file, for people. */
  readonly file: string;
  /** 0-based place in the file. */
  readonly index: number;
  /** What tells files apart, such as a hash of the content; their names if not given. Order and seeded
   * numbers depend on it. */
  readonly fileKey?: string;
}

/** Frames sorted by file and index: sums, ties and draws must not see the order of the input. */
export function canonicalOrder(frames: readonly FrameKey[]): number[] {
  return frames.map((_, i) => i).sort((i, j) => {
    const [a, b] = [keyOf(frames[i]), keyOf(frames[j])];
    return a < b ? -1 : a > b ? 1 : frames[i].index - frames[j].index;
  });
}

/** Stable ids: functions of the content of the file and the place in it. */
export function frameIds(frames: readonly FrameKey[]): BigUint64Array {
  const hashes = new Map<string, bigint>();
  const hashOf = (file: string) => {
    if (!hashes.has(file)) hashes.set(file, hashName(file));
    return hashes.get(file)!;
  };
  return BigUint64Array.from(frames, (frame) => stableId(hashOf(keyOf(frame)), frame.index));
}

function keyOf({ file, fileKey }: FrameKey): string {
  return fileKey ?? file;
}
