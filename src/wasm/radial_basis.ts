// Place of every edge in the tables of radial functions: interval and place t within it, in
// x = n_intervals √(r / r_max), where f(r) = c0 + t (c1 + t (c2 + t c3)).
//
// blocks, segments, entries, pairs as written by pair_list
// elements u8 (n_atoms), by rank
// pair_of  u32 (n_elements, n_elements): table of each pair of elements
// lengths  f64 (n_edges), Å
// rows     u32 (n_edges), written: 64 (table · n_intervals + interval)
// records  f32 (n_edges, 4, 8, 8) by degree, 0 and 1 sharing theirs; number 0 of each is written: t
// l_max    degrees
//
// Definition: src/model/radial_basis.ts, tabulated by src/model/radial_table.ts.
// Host: src/cpu/edges.ts.

export function radial_basis(
  blocks: usize,
  n_blocks: u32,
  segments: usize,
  entries: usize,
  pairs: usize,
  elements: usize,
  pair_of: usize,
  n_elements: u32,
  lengths: usize,
  n_intervals: u32,
  r_max: f64,
  rows: usize,
  records: usize,
  n_edges: u32,
  l_max: u32,
): void {
  for (let b: u32 = 0; b < n_blocks; b++) {
    const block = blocks + 20 * b;
    const start = load<u32>(block);
    const middle = load<u32>(block, 12);
    for (let s = load<u32>(block, 8); s < middle; s++) {
      const segment = segments + 16 * s;
      const receiver = load<u8>(elements + load<u32>(segment));
      const pair = receiver * n_elements + load<u32>(segment, 4);
      const table = load<u32>(pair_of + 4 * pair) * n_intervals;
      // The pairs of a row lie one behind the other.
      const first = start + load<u32>(entries + 8 * load<u32>(segment, 8));
      const last = first + load<u32>(segment, 12) - load<u32>(segment, 8);
      const end = load<u32>(pairs + 4 * last);
      for (let e = load<u32>(pairs + 4 * first); e < end; e++) {
        const x = Math.sqrt(load<f64>(lengths + 8 * e) / r_max) * <f64> n_intervals;
        const i = min(<u32> x, n_intervals - 1);
        store<u32>(rows + 4 * e, 64 * (table + i));
        const t = <f32> (x - <f64> i);
        store<f32>(records + 16 * e, t);
        if (l_max >= 2) store<f32>(records + 16 * n_edges + 32 * e, t);
        if (l_max >= 3) store<f32>(records + 48 * n_edges + 32 * e, t);
      }
    }
  }
}
