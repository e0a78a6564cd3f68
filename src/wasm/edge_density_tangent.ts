// Relative tangent of the normaliser of every atom's message, ν = d norm / norm = -norm Σ_e ρ' ṫ.
//
// blocks, segments, entries, pairs, rows, records, table, norm as in edge_density
// dots f32 like records: ṫ is number 0
// nu   f32 (n_atoms), written
// sums f64 (n_atoms), scratch
//
// Definition: edgeDensityTangent in src/model/edge_density.ts. Host: src/cpu/layer_tangent.ts.

export function edge_density_tangent(
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
  dots: usize,
  nu: usize,
  sums: usize,
): void {
  memory.fill(sums, 0, 8 * n_atoms);
  for (let b: u32 = 0; b < n_blocks; b++) {
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
          const slope = load<f32>(at, 4) +
            t * (2 * load<f32>(at, 8) + t * (3 * load<f32>(at, 12)));
          sum += <f64> (slope * load<f32>(dots + 16 * e));
        }
        store<f64>(receiver, load<f64>(receiver) + sum);
        store<f64>(sender, load<f64>(sender) + sum);
      }
    }
  }
  for (let n: u32 = 0; n < n_atoms; n++) {
    store<f32>(nu + 4 * n, <f32> (-<f64> load<f32>(norm + 4 * n) * load<f64>(sums + 8 * n)));
  }
}
