// Place of every edge in the tables of radial functions, and the cubic Hermite weights there:
// f(r) = w0 v_i + w1 s_i + w2 v_(i+1) + w3 s_(i+1), with slopes s per knot interval. Messages are later
// multiplied by norm = 1 / (1 + Σ_e density), where there is a density table.
//
// lengths    f64 (n_edges), Å
// pairs      u32 (n_edges), table of each edge's elements
// rows       u32 (n_edges), written: pair · n_knots + i
// weights    f32 (n_edges, 4), written
// first_edge u32 (n_atoms + 1)
// table      f32 (n_pairs, n_knots, 2), density values and slopes, or 0
// norm       f32 (n_atoms), written; 1 without a table
//
// Definition: src/model/radial_basis.ts, tabulated by src/model/radial_table.ts.
// Host: src/cpu/describe_frame.ts.

export function radial_basis(
  lengths: usize,
  pairs: usize,
  rows: usize,
  weights: usize,
  n_edges: i32,
  n_knots: i32,
  r_max: f64,
  first_edge: usize,
  n_atoms: i32,
  table: usize,
  norm: usize,
): void {
  const scale = <f64> (n_knots - 1) / r_max;
  for (let e = 0; e < n_edges; e++) {
    const s = load<f64>(lengths + 8 * e) * scale;
    const i = min(<i32> s, n_knots - 2);
    const t = s - <f64> i;
    const tt = t * t;
    const w = weights + 16 * e;
    const h01 = tt * (3 - 2 * t);
    store<f32>(w, <f32> (1 - h01));
    store<f32>(w, <f32> (t * (1 - t) * (1 - t)), 4);
    store<f32>(w, <f32> h01, 8);
    store<f32>(w, <f32> (tt * (t - 1)), 12);
    store<u32>(rows + 4 * e, load<u32>(pairs + 4 * e) * n_knots + i);
  }
  for (let n = 0; n < n_atoms; n++) {
    const end: u32 = table == 0 ? 0 : load<u32>(first_edge + 4 * n, 4);
    let sum: f64 = 0;
    for (let e = load<u32>(first_edge + 4 * n); e < end; e++) {
      const at = table + 8 * load<u32>(rows + 4 * e);
      const w = weights + 16 * e;
      sum += <f64> (load<f32>(w) * load<f32>(at) + load<f32>(w, 4) * load<f32>(at, 4) +
        load<f32>(w, 8) * load<f32>(at, 8) + load<f32>(w, 12) * load<f32>(at, 12));
    }
    store<f32>(norm + 4 * n, <f32> (1 / (1 + sum)));
  }
}
