import { createHash } from "node:crypto";
import type { Backend } from "../../backend.ts";
import { InterruptedError } from "../../errors.ts";
import { distinctElements, type Frame } from "../../frame.ts";
import { type FrameEntry, readFrames } from "../../io/inputs.ts";
import { type Matrix, matrix } from "../../matrix.ts";
import { descriptorLength, type DescriptorModel } from "../../model/descriptor_model.ts";
import { pooledLength, type Pooling } from "../../model/pooling.ts";
import { inBatches } from "./batches.ts";
import { checkSpace } from "../output/disk_space.ts";
import { cacheFolder, FeatureCache, recordBytes } from "./feature_cache.ts";
import { isInterrupted } from "../interrupt.ts";
import type { PoolOfFrames } from "./load_pool.ts";
import type { Console } from "../output/output.ts";
import { VERSION } from "../syntax/version.ts";

/** A frame and its row in the pool. */
interface PlacedFrame {
  readonly frame: Frame;
  readonly row: number;
}

const atomsOf = ({ frame }: PlacedFrame) => frame.species.length;

/** Atoms of the frames that are held to be sorted by their elements. */
const WINDOW_ATOMS = 1 << 18;

/** Frames of the pool in batches of about `batchAtoms` atoms, in input order. */
export async function* readBatches(
  pool: PoolOfFrames,
  wanted: (entry: FrameEntry) => boolean,
  batchAtoms: number,
): AsyncGenerator<PlacedFrame[]> {
  for (const { name, path } of pool.files) {
    const rowOf = new Map<number, number>();
    pool.entries.forEach((entry, row) => {
      if (entry.file === name && wanted(entry)) rowOf.set(entry.index, row);
    });
    yield* inBatches(placed(name, path, rowOf), atomsOf, batchAtoms);
  }
}

/** Frames of one file with their rows, by their places in it. */
async function* placed(
  name: string,
  path: string,
  rowOf: ReadonlyMap<number, number>,
): AsyncGenerator<PlacedFrame> {
  for await (const frame of readFrames(name, path, new Set(rowOf.keys()))) {
    yield { frame, row: rowOf.get(frame.index)! };
  }
}

/** The same, frames of the same elements one after the other, so that tables of their pairs are kept. */
async function* readByElements(
  pool: PoolOfFrames,
  wanted: (entry: FrameEntry) => boolean,
  batchAtoms: number,
): AsyncGenerator<PlacedFrame[]> {
  for await (const window of readBatches(pool, wanted, WINDOW_ATOMS)) {
    const keyed = window.map((placed) => {
      return { placed, key: String.fromCharCode(...distinctElements(placed.frame.species)) };
    });
    keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    yield* inBatches(keyed.map(({ placed }) => placed), atomsOf, batchAtoms);
  }
}

/**
 * One row of pooled descriptors per frame of the pool, from the cache where an earlier run left them.
 *
 * @returns features, shape (n_frames, d), in input order
 * @throws {UsageError} if the cache would not fit on its disk
 * @throws {InterruptedError} after Ctrl-C; rows computed so far stay in the cache
 */
export async function describePool(
  pool: PoolOfFrames,
  model: DescriptorModel,
  modelBytes: Uint8Array,
  options: { layers: number | null; pooling: Pooling },
  backend: Backend,
  console: Console,
): Promise<Matrix> {
  const nLayers = options.layers ?? model.layers.length;
  const perAtom = descriptorLength(model, nLayers);
  const width = pooledLength(perAtom, options.pooling, pool.elements.length);
  const features = matrix(pool.entries.length, width);
  const caches = openCaches(pool, width, [
    backend.name,
    createHash("sha256").update(modelBytes).digest("hex"),
    String(nLayers),
    options.pooling,
    pool.elements.join(),
  ]);
  let done = 0;
  pool.entries.forEach(({ file, index }, row) => {
    const known = caches.get(file)!.rows.get(index);
    if (!known) return;
    features.data.set(known, row * width);
    done++;
  });
  if (done > 0) console.say(`Cache: ${done} of ${pool.entries.length} frames are known already`);
  const bytes = (pool.entries.length - done) * recordBytes(width);
  checkSpace(bytes, cacheFolder(), "set CPD_CACHE_DIR to a folder with more");
  const describer = await backend.openDescriber(model, nLayers, pool.elements);
  const report = console.progress("Descriptors", pool.entries.length);
  try {
    const missing = (entry: FrameEntry) => !caches.get(entry.file)!.rows.has(entry.index);
    for await (const batch of readByElements(pool, missing, describer.batchAtoms)) {
      if (isInterrupted()) {
        throw new InterruptedError(
          `Interrupted after ${done} of ${pool.entries.length} frames; ` +
            "run the same command again to continue",
        );
      }
      const pooled = await describer.pool(batch.map(({ frame }) => frame), options.pooling);
      batch.forEach(({ frame, row }, i) => {
        features.data.set(pooled[i], row * width);
        caches.get(frame.file)!.append(frame.index, pooled[i]);
      });
      report(done += batch.length);
    }
  } finally {
    caches.forEach((cache) => cache.close());
    await describer.close();
  }
  return features;
}

function openCaches(pool: PoolOfFrames, width: number, settings: readonly string[]) {
  return new Map(
    pool.files.map(({ name, sha256 }) =>
      [name, new FeatureCache([VERSION, ...settings, sha256], width)] as const
    ),
  );
}
