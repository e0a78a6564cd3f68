/** Slope of the line nearest to points; NaN of fewer than two. */
export function slope(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = x.length;
  let [mx, my] = [0, 0];
  for (let i = 0; i < n; i++) {
    mx += x[i] / n;
    my += y[i] / n;
  }
  let [product, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    product += (x[i] - mx) * (y[i] - my);
    squares += (x[i] - mx) ** 2;
  }
  return product / squares;
}
