// Four channels of the features of all senders, side by side, and back: (n_atoms, n_a, 4).

/** Four channels of all senders; ones where h is 0. */
export function pack(n_atoms: u32, h: usize, h_stride: u32, width: u32, n_a: u32, to: usize): void {
  for (let n: u32 = 0; n < n_atoms; n++) {
    for (let a: u32 = 0; a < n_a; a++) {
      const x = h == 0 ? f32x4.splat(1) : v128.load(h + 4 * (n * h_stride + a * width));
      v128.store(to, x);
      to += 16;
    }
  }
}

/** Adds four channels of h̄ of all senders to where they belong. */
export function unpack(n_atoms: u32, from: usize, width: u32, n_a: u32, h: usize, h_stride: u32): void {
  for (let n: u32 = 0; n < n_atoms; n++) {
    for (let a: u32 = 0; a < n_a; a++) {
      const to = h + 4 * (n * h_stride + a * width);
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
      from += 16;
    }
  }
}
