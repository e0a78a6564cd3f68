import { type Matrix, matrix } from "../matrix.ts";

/** Entries that a node may hold before it is split. */
const BRANCHING = 50;

/** Clustering feature: number, linear sum and sum of squares of its points (Zhang et al. 1996). */
interface Feature {
  n: number;
  readonly sum: Float64Array;
  squares: number;
  readonly centre: Float64Array;
  /** |centre|². */
  norm: number;
  child: Node | null;
}

interface Node {
  entries: Feature[];
  readonly leaf: boolean;
  /** Leaves form a list, whose order is that of the subclusters. */
  next: Node | null;
  previous: Node | null;
}

/**
 * Centres of the subclusters of a CF tree, in the order of its leaves. Points are inserted in the order
 * of the rows; a subcluster takes a point as long as its radius stays within the threshold. The
 * subclusters are those of scikit-learn; their order there hangs on the rounding of its BLAS.
 *
 * @param points shape (n, d), centred, so that sums of squares keep their digits
 * @returns shape (n_subclusters, d)
 */
export function birch(points: Matrix, threshold: number): Matrix {
  const { data, rows, cols } = points;
  const first = makeNode(true);
  let root = makeNode(true);
  link(first, root);
  for (let i = 0; i < rows; i++) {
    const point = makeFeature(data.slice(i * cols, (i + 1) * cols));
    if (!insert(root, point, threshold)) continue;
    const halves = split(root);
    root = makeNode(false);
    root.entries = [...halves];
  }
  const centres: number[][] = [];
  for (let leaf = first.next; leaf; leaf = leaf.next) {
    for (const { centre } of leaf.entries) centres.push([...centre]);
  }
  return matrix(centres.length, cols, Float64Array.from(centres.flat()));
}

/** Inserts a point; true if the node now holds too many entries. */
function insert(node: Node, point: Feature, threshold: number): boolean {
  const { entries } = node;
  if (entries.length === 0) {
    entries.push(point);
    return false;
  }
  const closest = entries[nearest(entries, point)];
  if (closest.child) {
    if (!insert(closest.child, point, threshold)) {
      add(closest, point);
      return false;
    }
    const [a, b] = split(closest.child);
    entries[entries.indexOf(closest)] = a;
    entries.push(b);
    return entries.length > BRANCHING;
  }
  if (fits(closest, point, threshold)) {
    add(closest, point);
    return false;
  }
  entries.push(point);
  return entries.length > BRANCHING;
}

function nearest(entries: readonly Feature[], point: Feature): number {
  let [best, least] = [0, Infinity];
  entries.forEach(({ centre, norm }, e) => {
    const distance = norm - 2 * dot(centre, point.centre);
    if (distance < least) [best, least] = [e, distance];
  });
  return best;
}

/** Whether both together have a radius within the threshold. */
function fits(a: Feature, b: Feature, threshold: number): boolean {
  const n = a.n + b.n;
  let norm = 0;
  for (let k = 0; k < a.sum.length; k++) norm += ((a.sum[k] + b.sum[k]) / n) ** 2;
  return (a.squares + b.squares) / n - norm <= threshold * threshold;
}

function add(to: Feature, from: Feature): void {
  to.n += from.n;
  to.squares += from.squares;
  for (let k = 0; k < to.sum.length; k++) {
    to.sum[k] += from.sum[k];
    to.centre[k] = to.sum[k] / to.n;
  }
  to.norm = dot(to.centre, to.centre);
}

/** Divides a node between its two farthest entries. */
function split(node: Node): [Feature, Feature] {
  const { entries, leaf } = node;
  let [a, b, most] = [0, 0, -Infinity];
  entries.forEach((p, i) =>
    entries.forEach((q, j) => {
      const distance = squared(p, q);
      if (distance > most) [a, b, most] = [i, j, distance];
    })
  );
  const halves = [makeNode(leaf), makeNode(leaf)];
  if (leaf) {
    link(node.previous!, halves[0]);
    if (node.next) link(halves[1], node.next);
    link(halves[0], halves[1]);
  }
  const features = halves.map((child) => ({
    ...makeFeature(new Float64Array(entries[0].sum.length)),
    n: 0,
    child,
  }));
  entries.forEach((entry, i) => {
    const side = i === a || squared(entries[a], entry) < squared(entries[b], entry) ? 0 : 1;
    halves[side].entries.push(entry);
    add(features[side], entry);
  });
  return [features[0], features[1]];
}

function squared(a: Feature, b: Feature): number {
  return a === b ? 0 : Math.max(-2 * dot(a.centre, b.centre) + a.norm + b.norm, 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

function makeFeature(x: Float64Array): Feature {
  const norm = dot(x, x);
  return { n: 1, sum: x, squares: norm, centre: x.slice(), norm, child: null };
}

function makeNode(leaf: boolean): Node {
  return { entries: [], leaf, next: null, previous: null };
}

function link(a: Node, b: Node): void {
  a.next = b;
  b.previous = a;
}
