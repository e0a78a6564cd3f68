import { readFileSync } from "node:fs";
import { ParseError } from "../../errors.ts";
import { checkReadable } from "../../io/files.ts";

/** Ids of a file, and the lines that they stand in. */
export type OrderFile = readonly { readonly id: string; readonly line: number }[];

/** Reads ids, one to a line.
 * @throws {UsageError} if it cannot be read */
export function readOrderFile(path: string): OrderFile {
  checkReadable(path);
  return readFileSync(path, "utf8").split("\n").flatMap((line, i) =>
    line.trim() === "" ? [] : [{ id: line.trim(), line: i + 1 }]
  );
}

/**
 * Places of the training frames in the order of the steps, epoch after epoch; an order of one epoch serves all.
 *
 * @param ids of the training frames
 * @throws {ParseError} where an epoch does not name every one of them once
 */
export function placesInOrder(path: string, order: OrderFile, ids: readonly string[]): number[][] {
  const places = new Map(ids.map((id, i) => [id, i]));
  const epochs: number[][] = [];
  let seen = new Set<number>();
  order.forEach(({ id, line }, i) => {
    const place = places.get(id);
    if (i % ids.length === 0) {
      epochs.push([]);
      seen = new Set();
    }
    const epoch = epochs[epochs.length - 1];
    if (place === undefined) {
      throw new ParseError(`${path}:${line}`, `"${id}" is none of the training frames`);
    }
    if (seen.has(place)) {
      throw new ParseError(`${path}:${line}`, `"${id}" stands twice in epoch ${epochs.length}`);
    }
    epoch.push(place);
    seen.add(place);
  });
  if (epochs.length === 0 || epochs[epochs.length - 1].length < ids.length) {
    throw new ParseError(
      path,
      `it names ${order.length} frames, expected all ${ids.length} training frames, once or for every ` +
        "epoch; split.csv of a run names them",
    );
  }
  return epochs;
}
