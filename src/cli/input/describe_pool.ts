import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Backend } from "../../backend.ts";
import { InterruptedError } from "../../errors.ts";
import { distinctElements, type Frame } from "../../frame.ts";
import { type FrameEntry, readFrames } from "../../io/inputs.ts";
import { type Matrix, matrix } from "../../matrix.ts";
import { descriptorLength, type DescriptorModel } from "../../model/descriptor_model.ts";
import { pooledLength, type Pooling } from "../../model/pooling.ts";
import { checkSpace } from "../output/disk_space.ts";
import { cacheFolder, FeatureCache, recordBytes } from "./feature_cache.ts";
import { isInterrupted } from "../interrupt.ts";
import type { PoolOfFrames } from "./load_pool.ts";
import type { Console } from "../output/output.ts";
import { VERSION } from "../syntax/version.ts";

/** Frames and their rows in the pool. */
interface Batch {
  frames: Frame[];
  rows: number[];
}

/** Atoms of the frames that are held to be sorted by their elements. */
const WINDOW_ATOMS = 1 << 18;

/** Frames of the pool in batches of about `batchAtoms` atoms, in input order. */
export async function* readBatches(
  pool: PoolOfFrames,
  wanted: (entry: FrameEntry) => boolean,
  batchAtoms: number,
): AsyncGenerator<Batch> {
  for (const { name, path } of pool.files) {
    const rowOf = new Map<number, number>();
    pool.entries.forEach((entry, row) => {
      if (entry.file === name && wanted(entry)) rowOf.set(entry.index, row);
    });
    const frames = readFrames(name, path, new Set(rowOf.keys()));
    yield* inBatches(frames, (frame) => rowOf.get(frame.index)!, batchAtoms);
  }
}

/** Frames in batches of about `batchAtoms` atoms, each with its row in the pool. */
async function* inBatches(
  frames: AsyncIterable<Frame> | Iterable<Frame>,
  rowOf: (frame: Frame) => number,
  batchAtoms: number,
): AsyncGenerator<Batch> {
  let batch: Batch = { frames: [], rows: [] };
  let atoms = 0;
  for await (const frame of frames) {
    batch.frames.push(frame);
    batch.rows.push(rowOf(frame));
    atoms += frame.species.length;
    if (atoms < batchAtoms) continue;
    yield batch;
    await setImmediate(); // lets Ctrl-C in
    batch = { frames: [], rows: [] };
    atoms = 0;
  }
  if (batch.frames.length > 0) yield batch;
}

/** The same, frames of the same elements one after the other, so that tables of their pairs are kept. */
async function* readByElements(
  pool: PoolOfFrames,
  wanted: (entry: FrameEntry) => boolean,
  batchAtoms: number,
): AsyncGenerator<Batch> {
  for await (const { frames, rows } of readBatches(pool, wanted, WINDOW_ATOMS)) {
    const keys = frames.map(({ species }) => String.fromCharCode(...distinctElements(species)));
    const rowOf = new Map(frames.map((frame, i) => [frame, rows[i]]));
    const order = frames.map((_, i) => i)
      .sort((i, j) => (keys[i] < keys[j] ? -1 : keys[i] > keys[j] ? 1 : i - j));
    yield* inBatches(order.map((i) => frames[i]), (frame) => rowOf.get(frame)!, batchAtoms);
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
    for await (const { frames, rows } of readByElements(pool, missing, describer.batchAtoms)) {
      if (isInterrupted()) {
        throw new InterruptedError(
          `Interrupted after ${done} of ${pool.entries.length} frames; ` +
            "run the same command again to continue",
        );
      }
      const pooled = await describer.pool(frames, options.pooling);
      pooled.forEach((row, i) => {
        features.data.set(row, rows[i] * width);
        caches.get(frames[i].file)!.append(frames[i].index, row);
      });
      report(done += frames.length);
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
