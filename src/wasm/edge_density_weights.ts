// Tangent of edge_density_adjoint, and what it means for the table of the density. With the density's adjoint
// ρ̄_n = -norm_n Σ x̄ x and its tangent ρ̄̇_n = ν_n ρ̄_n - norm_n Σ (x̄̇ x + x̄ ẋ), every edge between i and j
// has r̄ = ρ̄̇_i + ρ̄̇_j and s̄ = ṫ (ρ̄_i + ρ̄_j), and the cubic's coefficients get c̄_i += t^i r̄ + i t^(i-1) s̄.
//
// blocks, segments, entries, pairs, rows, records, norm as in edge_density; dots, nu as in its tangent
// x, x_dot, x_bar, x_bar_dot  f32 (n_atoms, row), row a multiple of 4
// table_bar f32 like table, added to
// rho       f64 (n_atoms, 2), scratch
//
// Definition: edgeDensityWeightsTangent in src/model/edge_density.ts. Host: src/cpu/layer_weights.ts.

import { madd } from "./shared/madd";

export function edge_density_weights(
  blocks: usize,
  n_blocks: u32,
  segments: usize,
  entries: usize,
  pairs: usize,
  rows: usize,
  records: usize,
  norm: usize,
  n_atoms: u32,
  dots: usize,
  nu: usize,
  x: usize,
  x_dot: usize,
  x_bar: usize,
  x_bar_dot: usize,
  row: u32,
  table_bar: usize,
  rho: usize,
): void {
  for (let n: u32 = 0; n < n_atoms; n++) {
    const at: usize = 4 * n * row;
    const scale = -<f64> load<f32>(norm + 4 * n);
    const bar = scale * dot(x + at, x_bar + at, row);
    const both = dot(x + at, x_bar_dot + at, row) + dot(x_dot + at, x_bar + at, row);
    store<f64>(rho + 16 * n, bar);
    store<f64>(rho + 16 * n, <f64> load<f32>(nu + 4 * n) * bar + scale * both, 8);
  }
  for (let b: u32 = 0; b < n_blocks; b++) {
    const block = blocks + 20 * b;
    const start = load<u32>(block);
    const middle = load<u32>(block, 12);
    for (let s = load<u32>(block, 8); s < middle; s++) {
      const segment = segments + 16 * s;
      const receiver = rho + 16 * load<u32>(segment);
      const last = load<u32>(segment, 12);
      for (let entry = load<u32>(segment, 8); entry < last; entry++) {
        const pair = start + load<u32>(entries + 8 * entry);
        const sender = rho + 16 * load<u32>(entries + 8 * entry, 4);
        const slope = <f32> (load<f64>(receiver) + load<f64>(sender));
        const r = <f32> (load<f64>(receiver, 8) + load<f64>(sender, 8));
        const end = load<u32>(pairs + 4 * pair, 4);
        for (let e = load<u32>(pairs + 4 * pair); e < end; e++) {
          const to = table_bar + load<u32>(rows + 4 * e) / 4;
          const t = load<f32>(records + 16 * e);
          const s1 = slope * load<f32>(dots + 16 * e);
          add(to, r);
          add(to + 4, t * r + s1);
          add(to + 8, t * (t * r + 2 * s1));
          add(to + 12, t * t * (t * r + 3 * s1));
        }
      }
    }
  }
}

/** Σ a b over n numbers. */
function dot(a: usize, b: usize, n: u32): f64 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < 4 * n; i += 16) sum = madd(v128.load(a + i), v128.load(b + i), sum);
  return <f64> f32x4.extract_lane(sum, 0) + <f64> f32x4.extract_lane(sum, 1) +
    <f64> f32x4.extract_lane(sum, 2) + <f64> f32x4.extract_lane(sum, 3);
}

// @ts-ignore: decorator
@inline
function add(to: usize, x: f32): void {
  store<f32>(to, load<f32>(to) + x);
}
