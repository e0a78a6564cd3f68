import { bakeDensity, type TableSource } from "../model/bake_tables.ts";
import { hiddenValues, knots } from "../model/radial_table.ts";
import { NEGLIGIBLE } from "../model/pack.ts";
import type { Arena } from "./arena.ts";
import type { Kernels } from "./memory.ts";

/** Where the tables of one layer lie in shared memory. */
export interface TablePlace {
  /** One table per radial function, shape (width / 4, n_slots · n_intervals, 4, 4). */
  readonly tables: readonly number[];
  /** Shape (n_slots · n_intervals, 4), or 0. */
  readonly densityTable: number;
}

/** Tables of one class of pairs and one layer that are to be filled into a slot: plain data, which crosses
 * threads. */
export interface TableOrder {
  readonly slot: number;
  readonly nSlots: number;
  readonly nIntervals: number;
  /** That of the class alone. */
  readonly source: TableSource;
  readonly place: TablePlace;
}

/** Fills one slot by the kernel `radial_table`; the hidden values at the knots are evaluated here. */
export function fillTables(kernels: Kernels, arena: Arena, order: TableOrder): void {
  const { slot, nSlots, nIntervals, source, place } = order;
  const { radials: [functions], nRadials, width } = source;
  const k = functions.widths[functions.widths.length - 1];
  const [values, slopes] = knots(hiddenValues(functions), functions.rMax, nIntervals);
  arena.reset(16 * (nIntervals + 2) * k + 8 * k * width + 4096);
  const [atValues, atSlopes] = [arena.put(values), arena.put(slopes)];
  const mark = arena.mark();
  const least = NEGLIGIBLE * functions.last.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (let i = 0; i < nRadials; i++) {
    const weight = arena.put(lastLayer(source, i, least));
    const table = place.tables[i] + 64 * slot * nIntervals;
    kernels.radial_table(
      ...[atValues, atSlopes, weight, table, nIntervals, k, width, 64 * nSlots * nIntervals],
    );
    arena.release(mark);
  }
  if (!place.densityTable) return;
  const density = bakeDensity(source, 0, nIntervals);
  const at = place.densityTable + 16 * slot * nIntervals;
  new Float32Array(arena.memory.buffer, at, density.length).set(density);
}

/** Last layer of radial function i, normalised and padded, smaller weights than `least` left out; shape
 * (k, width). */
function lastLayer(
  { radials: [{ last, widths }], nRadials, width }: TableSource,
  i: number,
  least: number,
) {
  const k = widths[widths.length - 1];
  const columns = last.length / (k * nRadials);
  const scale = 1 / Math.sqrt(k);
  const out = new Float64Array(k * width);
  for (let q = 0; q < k; q++) {
    for (let c = 0; c < columns; c++) {
      const x = last[(q * nRadials + i) * columns + c];
      out[q * width + c] = Math.abs(x) < least ? 0 : scale * x;
    }
  }
  return out;
}
