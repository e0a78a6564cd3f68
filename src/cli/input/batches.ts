import { setImmediate } from "node:timers/promises";

/** Items in batches of about `batchAtoms` atoms; between two of them Ctrl-C is let in. */
export async function* inBatches<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  atomsOf: (item: Item) => number,
  batchAtoms: number,
): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  let atoms = 0;
  for await (const item of items) {
    batch.push(item);
    atoms += atomsOf(item);
    if (atoms < batchAtoms) continue;
    yield batch;
    await setImmediate();
    [batch, atoms] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}
