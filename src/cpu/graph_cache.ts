import type { Frame, Graph } from "../frame.ts";
import { neighborList } from "../graph/neighbor_list.ts";

/** Bytes of neighbor lists that a thread keeps. */
const MOST_BYTES = 2 ** 28;

/** Neighbor lists of frames that come again, as they do in training; the one not asked for longest gives way. */
export class GraphCache {
  readonly #kept = new Map<string, { frame: Frame; rMax: number; graph: Graph; bytes: number }>();
  #bytes = 0;

  /** The neighbor list of a frame. */
  graphOf(frame: Frame, rMax: number): Graph {
    const found = this.#kept.get(frame.id);
    if (found) this.#forget(frame.id);
    const graph = found && found.rMax === rMax && sameAtoms(found.frame, frame)
      ? found.graph
      : neighborList(frame, rMax);
    const bytes = bytesOf(graph);
    this.#kept.set(frame.id, { frame, rMax, graph, bytes });
    this.#bytes += bytes;
    for (const id of this.#kept.keys()) {
      if (this.#bytes <= MOST_BYTES || id === frame.id) break;
      this.#forget(id);
    }
    return graph;
  }

  #forget(id: string): void {
    this.#bytes -= this.#kept.get(id)!.bytes;
    this.#kept.delete(id);
  }
}

function sameAtoms(a: Frame, b: Frame): boolean {
  const same = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    x.length === y.length && Array.prototype.every.call(x, (value, i) => value === y[i]);
  return same(a.positions, b.positions) && same(a.cell, b.cell) && same(a.species, b.species) &&
    a.pbc.every((flag, k) => flag === b.pbc[k]);
}

function bytesOf({ vectors, sender, unitShifts, firstEdge }: Graph): number {
  return vectors.byteLength + sender.byteLength + unitShifts.byteLength + firstEdge.byteLength;
}
