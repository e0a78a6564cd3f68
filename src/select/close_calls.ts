/** Told of every decision by comparison of two numbers, and of how far they were apart. */
export interface CloseCalls {
  /**
   * @param kind what was decided
   * @param point point that it was decided for
   * @param margin relative difference of the best and the next best
   */
  note(kind: CallKind, point: number, margin: number): void;
}

/** A centre drawn, the cluster of a point, the member of a cluster that is chosen, the farthest point,
 * the last one drawn from a pool. */
export type CallKind = "centre" | "cluster" | "medoid" | "farthest" | "draw";

/**
 * Descriptors of two backends differ by 1e-7 to 1e-6 of the largest; the squared distances of near
 * points by some 1e-5 of themselves. Decisions by less than this might go otherwise.
 */
export const CLOSE = 1e-4;

/** Nobody listens. */
export const NO_CLOSE_CALLS: CloseCalls = { note: () => {} };

/** A decision that was close. */
export interface CloseCall {
  /** What was decided. */
  readonly kind: CallKind;
  /** What it was decided for. */
  readonly point: number;
  /** Relative difference of the best and the next best. */
  readonly margin: number;
}

/** Remembers decisions that were close: of each kind and point the closest. */
export function listenForCloseCalls(): CloseCalls & { readonly found: () => CloseCall[] } {
  const found = new Map<string, CloseCall>();
  return {
    note(kind, point, margin) {
      if (!(margin < CLOSE)) return;
      const key = `${kind} ${point}`;
      if (!(found.get(key)?.margin! <= margin)) found.set(key, { kind, point, margin });
    },
    found: () => [...found.values()].sort((a, b) => a.margin - b.margin),
  };
}
