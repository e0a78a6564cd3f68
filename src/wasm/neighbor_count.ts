// Sorts all pairs of points into radii: for every row i the number of j ≠ i in each interval of
// squared distance, four j at a time. Pairs that float32 cannot decide are listed instead.
//
// points    f32 (n_components, n_padded), centred; padding is far away from everything
// low, high f32 (n_radii): window of d² around each r² that float32 cannot decide
// start     u8 (65536): first radius whose window may hold a d² with these upper 16 bits
// histogram u32 (row1 - row0, n_radii), added to
// undecided u32 (capacity, 2): pairs i, j
// Returns the number of undecided pairs; beyond the capacity they are counted but not stored.
//
// Definition: src/select/neighbor_count.ts. Host: src/cpu/neighbor_count.ts.

export function neighbor_count(
  points: usize,
  n_components: i32,
  n: i32,
  n_padded: i32,
  row0: i32,
  row1: i32,
  low: usize,
  high: usize,
  n_radii: i32,
  start: usize,
  histogram: usize,
  undecided: usize,
  capacity: i32,
): i32 {
  const stride = 4 * n_padded;
  const largest = f32x4.splat(load<f32>(high + 4 * (n_radii - 1)));
  let listed = 0;
  for (let i = row0; i < row1; i++) {
    const row = histogram + 4 * n_radii * (i - row0);
    const own = points + 4 * i;
    for (let j = 0; j < n; j += 4) {
      let d2 = f32x4.splat(0);
      let at = points + 4 * j;
      let mine = own;
      for (let k = 0; k < n_components; k++) {
        const difference = f32x4.sub(v128.load(at), v128.load_splat<f32>(mine));
        d2 = f32x4.add(d2, f32x4.mul(difference, difference));
        at += stride;
        mine += stride;
      }
      const within = i32x4.bitmask(f32x4.le(d2, largest));
      if (within == 0) continue;
      for (let lane = 0; lane < 4; lane++) {
        if ((within & (1 << lane)) == 0 || j + lane == i) continue;
        const value = lane == 0
          ? f32x4.extract_lane(d2, 0)
          : lane == 1
          ? f32x4.extract_lane(d2, 1)
          : lane == 2
          ? f32x4.extract_lane(d2, 2)
          : f32x4.extract_lane(d2, 3);
        let b = <i32> load<u8>(start + (reinterpret<u32>(value) >> 16));
        while (value > load<f32>(high + 4 * b)) b++;
        if (value >= load<f32>(low + 4 * b)) {
          if (listed < capacity) {
            store<u32>(undecided + 8 * listed, i);
            store<u32>(undecided + 8 * listed, j + lane, 4);
          }
          listed++;
        } else {
          const count = row + 4 * b;
          store<u32>(count, load<u32>(count) + 1);
        }
      }
    }
  }
  return listed;
}
