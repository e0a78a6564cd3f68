/** a b + c, fused to one rounding where the build has relaxed SIMD and the processor can. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Number i of x, four times. */
// @ts-ignore: decorator
@inline
export function lane(x: v128, i: i32): v128 {
  if (i == 0) return v128.shuffle<f32>(x, x, 0, 0, 0, 0);
  if (i == 1) return v128.shuffle<f32>(x, x, 1, 1, 1, 1);
  if (i == 2) return v128.shuffle<f32>(x, x, 2, 2, 2, 2);
  return v128.shuffle<f32>(x, x, 3, 3, 3, 3);
}

/** Number i of a record, four times, straight from memory: where many are wanted, `lane` would wait for the
 * processor's shuffles. */
// @ts-ignore: decorator
@inline
export function splat(at: usize, i: usize): v128 {
  return v128.load_splat<f32>(at + 4 * i);
}

/** The product of `a` and `b` added to `c`, two float64. */
// @ts-ignore: decorator
@inline
export function madd_f64(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}
