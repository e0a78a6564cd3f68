import type { Frame } from "../frame.ts";
import { RequestError } from "../errors.ts";
import type { MaceModel } from "./mace_model.ts";
import { padColumns } from "./pack.ts";
import {
  densityFunction,
  intervalsNeeded,
  type RadialFunctions,
  radialValues,
  TABLE_TOLERANCE,
  tabulate,
} from "./radial_table.ts";

/**
 * Pairs of elements that share their radial functions: all of them without a distance transform, those
 * with the same sum of covalent radii with it.
 */
export interface PairClasses {
  /** Class of each pair, shape (n_elements, n_elements): receiver, sender. */
  readonly of: Uint32Array;
  /** Atomic numbers of one pair of each class, by ascending sum of radii. */
  readonly list: readonly (readonly [sender: number, receiver: number])[];
}

/** Classes of the pairs of some elements, given as atomic numbers. */
export function pairClasses(model: MaceModel, species: readonly number[]): PairClasses {
  const n = species.length;
  const radii = model.radial.agnesi?.covalentRadii;
  const sum = (i: number, j: number) => (radii ? radii[species[i]] + radii[species[j]] : 0);
  const classes = new Map<number, readonly [number, number]>();
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      if (!classes.has(sum(i, j))) classes.set(sum(i, j), [species[i], species[j]]);
    }
  }
  const sums = [...classes.keys()].sort((a, b) => a - b);
  const place = new Map(sums.map((key, k) => [key, k]));
  const of = Uint32Array.from(
    { length: n * n },
    (_, p) => place.get(sum(Math.floor(p / n), p % n))!,
  );
  return { of, list: sums.map((key) => classes.get(key)!) };
}

/** Error of training's tables, relative to their maximum: that of float32 sums over a neighborhood. */
const TRAINING_TOLERANCE = 1e-6;

/** Classes whose interpolation is tried: functions change smoothly from the smallest radii to the largest. */
const PROBED = 3;

/** Intervals at which every radial function is as good as float32, or good enough for training. */
export function intervalsFor(
  radials: readonly (readonly RadialFunctions[])[],
  rMax: number,
  training: boolean,
): number {
  const tolerance = training ? TRAINING_TOLERANCE : TABLE_TOLERANCE;
  const n = radials[0].length;
  const probed = Array.from(
    { length: Math.min(n, PROBED) },
    (_, i) => n === 1 ? 0 : Math.round(i * (n - 1) / (Math.min(n, PROBED) - 1)),
  );
  return Math.max(
    ...radials.flatMap((classes) =>
      probed.map((k) => intervalsNeeded(radialValues(classes[k]), rMax, tolerance))
    ),
  );
}

/** The tables of one layer: what they are made of. */
export interface TableSource {
  /** Radial functions of each class of pairs. */
  readonly radials: readonly RadialFunctions[];
  /** Radial functions per edge: one per path, or a single one that all paths share. */
  readonly nRadials: number;
  /** Columns of the tables: padded channels, or a padded rank. */
  readonly width: number;
  /** Weights of the edge density, or null. */
  readonly densityWeight: Float64Array | null;
}

/** Bytes of the tables of one class of pairs over all layers. */
export function classBytes(layers: readonly TableSource[], nIntervals: number): number {
  return layers.reduce(
    (sum, { nRadials, width }) => sum + 16 * nIntervals * (nRadials * width + 1),
    0,
  );
}

/** Cubics of class k, shape (n_intervals, n_radials, width, 4). */
export function bakeTable(
  { radials, nRadials, width }: TableSource,
  k: number,
  nIntervals: number,
) {
  const functions = radials[k];
  const table = tabulate(radialValues(functions), functions.rMax, nIntervals);
  return padColumns(table, table.length / (4 * nIntervals * nRadials), width, 4);
}

/** Cubics of the edge density of class k, shape (n_intervals, 4). */
export function bakeDensity(
  { radials, densityWeight }: Pick<TableSource, "densityWeight" | "radials">,
  k: number,
  nIntervals: number,
): Float32Array {
  return tabulate(densityFunction(radials[k], densityWeight), radials[k].rMax, nIntervals);
}

/** Some frames whose tables fit the slots together, and what has to be loaded before. */
export interface TablePlan {
  /** Places of the frames. */
  readonly frames: readonly number[];
  readonly load: readonly { readonly class: number; readonly slot: number }[];
  /** Slot of each pair of elements that occurs, shape (n_elements, n_elements). */
  readonly pairOf: Uint32Array;
}

/** Elements and classes of a baked model. */
interface Classes {
  readonly elementOf: Uint8Array;
  readonly nElements: number;
  readonly pairOf: Uint32Array;
  readonly nClasses: number;
}

/**
 * A bounded cache of tables: as many slots as fit, each holding the tables of one class; the class that
 * has not been used for longest gives way.
 */
export class TableSlots {
  readonly #slotOf = new Map<number, number>();

  constructor(readonly model: Classes, readonly nSlots: number) {}

  /**
   * Divides frames, in their order, into parts whose tables are held together.
   *
   * @throws {RequestError} if one frame alone needs more tables than there are slots
   */
  *plan(frames: readonly Frame[]): Generator<TablePlan> {
    let part: number[] = [];
    let wanted = new Set<number>();
    for (const [f, frame] of frames.entries()) {
      const own = this.#classesOf(frame);
      if (own.size > this.nSlots) {
        throw new RequestError(
          `Cannot tabulate the ${own.size} kinds of pairs of ${frame.id}: ${this.nSlots} fit the ` +
            "memory; use --layers 1, or another model",
        );
      }
      const together = wanted.union(own);
      if (together.size > this.nSlots) {
        yield this.#load(part, wanted);
        part = [];
        wanted = own;
      } else wanted = together;
      part.push(f);
    }
    if (part.length > 0) yield this.#load(part, wanted);
  }

  #classesOf({ species }: Frame): Set<number> {
    const { elementOf, nElements, pairOf } = this.model;
    const elements = [...new Set(species)].map((z) => elementOf[z]);
    return new Set(elements.flatMap((a) => elements.map((b) => pairOf[a * nElements + b])));
  }

  #load(frames: readonly number[], wanted: ReadonlySet<number>): TablePlan {
    // The most recently used classes stand last.
    for (const k of wanted) {
      const slot = this.#slotOf.get(k);
      if (slot === undefined) continue;
      this.#slotOf.delete(k);
      this.#slotOf.set(k, slot);
    }
    const load: { class: number; slot: number }[] = [];
    for (const k of wanted) {
      if (this.#slotOf.has(k)) continue;
      const slot = this.#slotOf.size < this.nSlots ? this.#slotOf.size : this.#evict();
      this.#slotOf.set(k, slot);
      load.push({ class: k, slot });
    }
    const pairOf = this.model.pairOf.map((k) => this.#slotOf.get(k) ?? 0);
    return { frames, load, pairOf };
  }

  /** Frees the slot of the first class: what is wanted stands behind it. */
  #evict(): number {
    const [[k, slot]] = this.#slotOf;
    this.#slotOf.delete(k);
    return slot;
  }
}
