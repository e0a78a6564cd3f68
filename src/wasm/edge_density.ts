// Normaliser of every atom's message, norm = 1 / (1 + Σ_e density(r_e)); 1 without a table.
//
// blocks, segments, entries, pairs as written by pair_list; rows, records as by radial_basis
// table f32 (n_pairs, n_intervals, 4), cubics, or 0
// norm  f32 (n_atoms), written
// sums  f64 (n_atoms), scratch
//
// Relative error 1e-7. Definition: edgeDensity in src/model/edge_density.ts. Host: src/cpu/edges.ts.

export function edge_density(
  blocks: usize,
  n_blocks: u32,
  segments: usize,
  entries: usize,
  pairs: usize,
  rows: usize,
  records: usize,
  table: usize,
  norm: usize,
  n_atoms: u32,
  sums: usize,
): void {
  memory.fill(sums, 0, 8 * n_atoms);
  for (let b: u32 = 0; b < n_blocks && table != 0; b++) {
    const block = blocks + 20 * b;
    const start = load<u32>(block);
    const middle = load<u32>(block, 12);
    for (let s = load<u32>(block, 8); s < middle; s++) {
      const segment = segments + 16 * s;
      const receiver = sums + 8 * load<u32>(segment);
      const last = load<u32>(segment, 12);
      for (let entry = load<u32>(segment, 8); entry < last; entry++) {
        const pair = start + load<u32>(entries + 8 * entry);
        const sender = sums + 8 * load<u32>(entries + 8 * entry, 4);
        const end = load<u32>(pairs + 4 * pair, 4);
        let sum: f64 = 0;
        for (let e = load<u32>(pairs + 4 * pair); e < end; e++) {
          const at = table + load<u32>(rows + 4 * e) / 4;
          const t = load<f32>(records + 16 * e);
          sum += <f64> (load<f32>(at) +
            t * (load<f32>(at, 4) + t * (load<f32>(at, 8) + t * load<f32>(at, 12))));
        }
        store<f64>(receiver, load<f64>(receiver) + sum);
        store<f64>(sender, load<f64>(sender) + sum);
      }
    }
  }
  for (let n: u32 = 0; n < n_atoms; n++) {
    store<f32>(norm + 4 * n, <f32> (1 / (1 + load<f64>(sums + 8 * n))));
  }
}
