import { type Matrix, squaredDistance } from "../matrix.ts";

interface Merge {
  readonly a: number;
  readonly b: number;
  readonly height: number;
}

/**
 * Ward's clustering of points of equal weight, cut at `nClusters`. The merges are found by chains of
 * nearest neighbors (Murtagh 1983): O(m²) time and memory.
 *
 * @param points shape (m, d)
 * @returns cluster of each point, numbered by first appearance
 */
export function ward(points: Matrix, nClusters: number): Uint32Array {
  const m = points.rows;
  const merges = chainMerges(points).sort((p, q) => p.height - q.height);
  const parent = Uint32Array.from({ length: m }, (_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (const { a, b } of merges.slice(0, m - nClusters)) parent[root(a)] = root(b);
  const label = new Map<number, number>();
  return Uint32Array.from({ length: m }, (_, i) => {
    const r = root(i);
    if (!label.has(r)) label.set(r, label.size);
    return label.get(r)!;
  });
}

/** All m - 1 merges; a and b are members of the clusters that merge. */
function chainMerges(points: Matrix): Merge[] {
  const m = points.rows;
  const distance = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) distance[i * m + j] = squaredDistance(points, i, points, j);
  }
  const size = new Uint32Array(m).fill(1);
  const merges: Merge[] = [];
  const chain: number[] = [];
  while (merges.length < m - 1) {
    if (chain.length === 0) chain.push(size.findIndex((n) => n > 0));
    const top = chain[chain.length - 1];
    const before = chain[chain.length - 2];
    let [best, least] = before === undefined
      ? [-1, Infinity]
      : [before, distance[top * m + before]];
    for (let j = 0; j < m; j++) {
      if (size[j] > 0 && j !== top && distance[top * m + j] < least) {
        [best, least] = [j, distance[top * m + j]];
      }
    }
    if (best !== before) {
      chain.push(best);
      continue;
    }
    chain.length -= 2;
    merges.push({ a: top, b: best, height: least });
    join(distance, size, top, best);
  }
  return merges;
}

/** Lance and Williams: distances of the union of a and b, kept in the place of a. */
function join(distance: Float64Array, size: Uint32Array, a: number, b: number): void {
  const m = size.length;
  const [na, nb, between] = [size[a], size[b], distance[a * m + b]];
  for (let k = 0; k < m; k++) {
    if (size[k] === 0 || k === a || k === b) continue;
    const [da, db] = [distance[a * m + k], distance[b * m + k]];
    const nk = size[k];
    const d = ((na + nk) * da + (nb + nk) * db - nk * between) / (na + nb + nk);
    distance[a * m + k] = distance[k * m + a] = d;
  }
  size[a] = na + nb;
  size[b] = 0;
}
