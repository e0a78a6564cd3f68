// Pairs of neighboring atoms out of a graph, in blocks, so that what two atoms exchange is computed
// once and summed on both. Atoms are numbered by rank, element after element.
//
// A pair {i, j}, i ≤ j, holds the edges j → i of all images; their reverses are not listed (of the two
// edges that join an atom to one of its own images, the one with the positive shift is listed). A block
// is a run of rows i of one element, small enough for a cache; pairs are sorted by i, by the element of
// j and by their number of edges up to 5, so that loops over the edges of pairs run evenly. The
// segments of a block say what is summed where: on each i from the j of its pairs (`first` to
// `middle`), and on each j from the i (`middle` to `last`); a segment's senders have one element.
//
// first_edge u32 (n_atoms + 1), sender u32, shifts i32 (n_edges, 3): the graph
// order      u32 (n_atoms): atom of each rank         rank u32 (n_atoms): its inverse
// elements   u8 (n_atoms): element of each rank, ascending
// edges      u32 (n_edges / 2), written: edges of the pairs, one pair after the other
// pairs      u32 (n_pairs + 1), written: first of them
// blocks     u32 (n_blocks, 5), written: first pair, last pair, first, middle and last segment
// segments   u32 (n, 4), written: row, element of the senders, first and last entry
// entries    u32 (2 n_pairs, 2), written: pair within the block, sender
// capacity   pairs of a block, unless a single row has more
// result     u32 (2), written: number of blocks, pairs of the largest block
// scratch    u32 (n_edges · 3 / 2 + 2 n_atoms + 2)
//
// Host: src/cpu/edges.ts.

// What has been written so far.
let n_pairs: u32 = 0;
let n_edges: u32 = 0;
let n_segments: u32 = 0;
let n_entries: u32 = 0;

export function pair_list(
  n_atoms: u32,
  first_edge: usize,
  sender: usize,
  shifts: usize,
  order: usize,
  rank: usize,
  elements: usize,
  edges: usize,
  pairs: usize,
  blocks: usize,
  segments: usize,
  entries: usize,
  capacity: u32,
  result: usize,
  scratch: usize,
): void {
  const rows = scratch;
  const columns = rows + 4 * (n_atoms + 1);
  const by_column = columns + 4 * (n_atoms + 1);
  const n_half = load<u32>(first_edge + 4 * n_atoms) / 2;
  const by_row = by_column + 8 * n_half;
  sort_edges(n_atoms, first_edge, sender, shifts, order, rank, rows, columns, by_column, by_row);
  // The sender of every sorted edge takes the place of what is no longer needed.
  const partners = by_column;
  for (let k: u32 = 0; k < n_half; k++) {
    const e = load<u32>(by_row + 4 * k);
    store<u32>(partners + 4 * k, load<u32>(rank + 4 * load<u32>(sender + 4 * e)));
  }
  const touched = by_column + 4 * n_half;
  memory.fill(columns, 0, 4 * (n_atoms + 1));
  n_pairs = n_edges = n_segments = n_entries = 0;
  let n_blocks: u32 = 0, largest: u32 = 0;
  let k: u32 = 0;
  for (let i: u32 = 0; i < n_atoms;) {
    const start = n_pairs;
    const first = n_segments;
    const element = load<u8>(elements + i);
    do {
      const end = load<u32>(rows + 4 * i);
      list_row(i++, k, end, start, partners, elements, edges, pairs, segments, entries, by_row);
      k = end;
    } while (
      i < n_atoms && load<u8>(elements + i) == element &&
      n_pairs - start + load<u32>(rows + 4 * i) - k <= capacity
    );
    if (n_pairs == start) continue;
    const middle = n_segments;
    turn(first, middle, element, segments, entries, columns, touched);
    const block = blocks + 20 * n_blocks++;
    store<u32>(block, start);
    store<u32>(block, n_pairs, 4);
    store<u32>(block, first, 8);
    store<u32>(block, middle, 12);
    store<u32>(block, n_segments, 16);
    largest = max(largest, n_pairs - start);
  }
  store<u32>(pairs + 4 * n_pairs, n_edges);
  store<u32>(result, n_blocks);
  store<u32>(result, largest, 4);
}

/** Lists the pairs of row i, whose sorted edges are k to `end`, and their segments. */
function list_row(
  i: u32,
  k: u32,
  end: u32,
  start: u32,
  partners: usize,
  elements: usize,
  edges: usize,
  pairs: usize,
  segments: usize,
  entries: usize,
  by_row: usize,
): void {
  while (k < end) {
    const z = load<u8>(elements + load<u32>(partners + 4 * k));
    let next = k;
    while (next < end && load<u8>(elements + load<u32>(partners + 4 * next)) == z) next++;
    const segment = segments + 16 * n_segments++;
    store<u32>(segment, i);
    store<u32>(segment, z, 4);
    store<u32>(segment, n_entries, 8);
    for (let images: u32 = 1; images <= 5; images++) {
      let p = k;
      while (p < next) {
        const j = load<u32>(partners + 4 * p);
        let q = p + 1;
        while (q < next && load<u32>(partners + 4 * q) == j) q++;
        if (min(q - p, 5) == images) {
          store<u32>(pairs + 4 * n_pairs, n_edges);
          memory.copy(edges + 4 * n_edges, by_row + 4 * p, 4 * (q - p));
          store<u32>(entries + 8 * n_entries, n_pairs - start);
          store<u32>(entries + 8 * n_entries, j, 4);
          n_edges += q - p;
          n_pairs++;
          n_entries++;
        }
        p = q;
      }
    }
    store<u32>(segment, n_entries, 12);
    k = next;
  }
}

/** Whether edge e, a sender j of receiver i, is the one of its pair of reverses that is listed. */
// @ts-ignore: decorator
@inline
function listed(i: u32, j: u32, shift: usize): bool {
  if (i != j) return i < j;
  const x = load<i32>(shift), y = load<i32>(shift, 4), z = load<i32>(shift, 8);
  return x != 0 ? x > 0 : y != 0 ? y > 0 : z > 0;
}

/**
 * Listed edges sorted by receiver and then by sender, by two counting sorts; `rows` ends as the end of
 * each row. by_column u32 (n, 2): receiver, edge. by_row u32 (n).
 */
function sort_edges(
  n_atoms: u32,
  first_edge: usize,
  sender: usize,
  shifts: usize,
  order: usize,
  rank: usize,
  rows: usize,
  columns: usize,
  by_column: usize,
  by_row: usize,
): void {
  memory.fill(rows, 0, 4 * (n_atoms + 1));
  memory.fill(columns, 0, 4 * (n_atoms + 1));
  for (let i: u32 = 0; i < n_atoms; i++) {
    const atom = load<u32>(order + 4 * i);
    const end = load<u32>(first_edge + 4 * atom, 4);
    for (let e = load<u32>(first_edge + 4 * atom); e < end; e++) {
      const j = load<u32>(rank + 4 * load<u32>(sender + 4 * e));
      if (!listed(i, j, shifts + 12 * e)) continue;
      store<u32>(rows + 4 * i, load<u32>(rows + 4 * i, 4) + 1, 4);
      store<u32>(columns + 4 * j, load<u32>(columns + 4 * j, 4) + 1, 4);
    }
  }
  for (let i: u32 = 1; i <= n_atoms; i++) {
    store<u32>(rows + 4 * i, load<u32>(rows + 4 * i) + load<u32>(rows + 4 * (i - 1)));
    store<u32>(columns + 4 * i, load<u32>(columns + 4 * i) + load<u32>(columns + 4 * (i - 1)));
  }
  for (let i: u32 = 0; i < n_atoms; i++) {
    const atom = load<u32>(order + 4 * i);
    const end = load<u32>(first_edge + 4 * atom, 4);
    for (let e = load<u32>(first_edge + 4 * atom); e < end; e++) {
      const j = load<u32>(rank + 4 * load<u32>(sender + 4 * e));
      if (!listed(i, j, shifts + 12 * e)) continue;
      const at = load<u32>(columns + 4 * j);
      store<u32>(columns + 4 * j, at + 1);
      store<u32>(by_column + 8 * at, i);
      store<u32>(by_column + 8 * at, e, 4);
    }
  }
  const n = load<u32>(rows + 4 * n_atoms);
  for (let k: u32 = 0; k < n; k++) {
    const i = load<u32>(by_column + 8 * k);
    const at = load<u32>(rows + 4 * i);
    store<u32>(rows + 4 * i, at + 1);
    store<u32>(by_row + 4 * at, load<u32>(by_column + 8 * k, 4));
  }
}

/**
 * Appends the segments of a block's senders: the entries of segments `first` to `middle`, regrouped.
 * `counts`, one per atom, is zero before and after.
 */
function turn(
  first: u32,
  middle: u32,
  element: u32,
  segments: usize,
  entries: usize,
  counts: usize,
  touched: usize,
): void {
  const begin = load<u32>(segments + 16 * first, 8);
  const end = load<u32>(segments + 16 * (middle - 1), 12);
  let n: u32 = 0;
  for (let entry = begin; entry < end; entry++) {
    const j = load<u32>(entries + 8 * entry, 4);
    const count = load<u32>(counts + 4 * j);
    if (count == 0) store<u32>(touched + 4 * n++, j);
    store<u32>(counts + 4 * j, count + 1);
  }
  let at = end;
  for (let t: u32 = 0; t < n; t++) {
    const j = load<u32>(touched + 4 * t);
    const segment = segments + 16 * (middle + t);
    store<u32>(segment, j);
    store<u32>(segment, element, 4);
    store<u32>(segment, at, 8);
    const count = load<u32>(counts + 4 * j);
    store<u32>(counts + 4 * j, at);
    at += count;
    store<u32>(segment, at, 12);
  }
  for (let s = first; s < middle; s++) {
    const row = load<u32>(segments + 16 * s);
    const last = load<u32>(segments + 16 * s, 12);
    for (let entry = load<u32>(segments + 16 * s, 8); entry < last; entry++) {
      const j = load<u32>(entries + 8 * entry, 4);
      const to = load<u32>(counts + 4 * j);
      store<u32>(counts + 4 * j, to + 1);
      store<u32>(entries + 8 * to, load<u32>(entries + 8 * entry));
      store<u32>(entries + 8 * to, row, 4);
    }
  }
  for (let t: u32 = 0; t < n; t++) store<u32>(counts + 4 * load<u32>(touched + 4 * t), 0);
  n_segments += n;
  n_entries += end - begin;
}
