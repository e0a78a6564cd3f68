// Adjoint of edge_density. With m = norm y, norm = 1 / (1 + ρ), the density's adjoint is
// ρ̄_n = -norm_n Σ x̄ x, whatever linear map leads from m to x; every edge between i and j then adds
// (ρ̄_i + ρ̄_j) dρ/dt to its t̄.
//
// blocks, segments, entries, pairs, rows, records, table, norm as in edge_density
// x, x_bar    f32 (n_atoms, row), row a multiple of 4
// records_bar f32 (n_edges, 4): number 0, t̄, is added to
// rho_bar     f64 (n_atoms), scratch
//
// Definition: edgeDensityAdjoint in src/model/edge_density.ts. Host: src/cpu/layer_adjoint.ts.

import { madd } from "./shared/madd";

export function edge_density_adjoint(
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
  x: usize,
  x_bar: usize,
  row: u32,
  records_bar: usize,
  rho_bar: usize,
): void {
  for (let n: u32 = 0; n < n_atoms; n++) {
    let sum = f32x4.splat(0);
    for (let i: u32 = 0; i < row; i += 4) {
      const at = 4 * (n * row + i);
      sum = madd(v128.load(x + at), v128.load(x_bar + at), sum);
    }
    const total = <f64> f32x4.extract_lane(sum, 0) + <f64> f32x4.extract_lane(sum, 1) +
      <f64> f32x4.extract_lane(sum, 2) + <f64> f32x4.extract_lane(sum, 3);
    store<f64>(rho_bar + 8 * n, -<f64> load<f32>(norm + 4 * n) * total);
  }
  for (let b: u32 = 0; b < n_blocks; b++) {
    const block = blocks + 20 * b;
    const start = load<u32>(block);
    const middle = load<u32>(block, 12);
    for (let s = load<u32>(block, 8); s < middle; s++) {
      const segment = segments + 16 * s;
      const receiver = load<f64>(rho_bar + 8 * load<u32>(segment));
      const last = load<u32>(segment, 12);
      for (let entry = load<u32>(segment, 8); entry < last; entry++) {
        const pair = start + load<u32>(entries + 8 * entry);
        const bar = <f32> (receiver + load<f64>(rho_bar + 8 * load<u32>(entries + 8 * entry, 4)));
        const end = load<u32>(pairs + 4 * pair, 4);
        for (let e = load<u32>(pairs + 4 * pair); e < end; e++) {
          const at = table + load<u32>(rows + 4 * e) / 4;
          const t = load<f32>(records + 16 * e);
          const slope = load<f32>(at, 4) +
            t * (2 * load<f32>(at, 8) + t * (3 * load<f32>(at, 12)));
          const to = records_bar + 16 * e;
          store<f32>(to, load<f32>(to) + bar * slope);
        }
      }
    }
  }
}
