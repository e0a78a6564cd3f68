const K0 = Math.sqrt(35 / 8);
const K1 = Math.sqrt(105);
const K2 = Math.sqrt(21 / 8);
const K3 = Math.sqrt(7) / 2;
const K5 = Math.sqrt(105) / 2;
const [S3, S5, S15] = [3, 5, 15].map(Math.sqrt);

/**
 * Real spherical harmonics of edge directions, e3nn's order (polar axis y) and 'component'
 * normalisation: Σ_m Y_lm² = 2l + 1.
 *
 * @param vectors edge vectors, shape (n_edges, 3), Å
 * @param lMax largest degree, 0 … 3
 * @returns harmonics, shape (n_edges, (lMax + 1)²), dimensionless
 */
export function sphericalHarmonics(vectors: Float64Array, lMax: number): Float64Array {
  const nEdges = vectors.length / 3;
  const d = (lMax + 1) ** 2;
  const out = new Float64Array(nEdges * d);
  const y = new Float64Array(16);
  for (let e = 0; e < nEdges; e++) {
    const [vx, vy, vz] = [vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2]];
    const r = Math.max(Math.sqrt(vx * vx + vy * vy + vz * vz), 1e-12);
    evaluate(vx / r, vy / r, vz / r, y);
    for (let i = 0; i < d; i++) out[e * d + i] = y[i];
  }
  return out;
}

function evaluate(x: number, y: number, z: number, out: Float64Array): void {
  const [xx, yy, zz] = [x * x, y * y, z * z];
  out[0] = 1;
  out[1] = S3 * x;
  out[2] = S3 * y;
  out[3] = S3 * z;
  out[4] = S15 * x * z;
  out[5] = S15 * x * y;
  out[6] = S5 * (yy - 0.5 * (xx + zz));
  out[7] = S15 * y * z;
  out[8] = 0.5 * S15 * (zz - xx);
  out[9] = K0 * x * (3 * zz - xx);
  out[10] = K1 * x * y * z;
  out[11] = K2 * x * (4 * yy - xx - zz);
  out[12] = K3 * y * (2 * yy - 3 * xx - 3 * zz);
  out[13] = K2 * z * (4 * yy - xx - zz);
  out[14] = K5 * y * (zz - xx);
  out[15] = K0 * z * (zz - 3 * xx);
}

/**
 * Adjoint of `sphericalHarmonics`: with u = v / r and ū = Σ_b Ȳ_b ∂Y_b/∂u, v̄ = (ū - u (u · ū)) / r.
 *
 * @param harmonicsBar shape (n_edges, (lMax + 1)²)
 * @returns shape (n_edges, 3), 1/Å
 */
export function sphericalHarmonicsAdjoint(
  vectors: Float64Array,
  lMax: number,
  harmonicsBar: Float64Array,
): Float64Array {
  const nEdges = vectors.length / 3;
  const d = (lMax + 1) ** 2;
  const out = new Float64Array(3 * nEdges);
  const slopes = [0, 1, 2].map(() => new Float64Array(16));
  for (let e = 0; e < nEdges; e++) {
    const v = vectors.subarray(3 * e, 3 * e + 3);
    const r = Math.max(Math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), 1e-12);
    const u = [v[0] / r, v[1] / r, v[2] / r];
    differentiate(u[0], u[1], u[2], slopes);
    const bar = slopes.map((slope) => {
      let sum = 0;
      for (let i = 0; i < d; i++) sum += harmonicsBar[e * d + i] * slope[i];
      return sum;
    });
    const along = u[0] * bar[0] + u[1] * bar[1] + u[2] * bar[2];
    for (let k = 0; k < 3; k++) out[3 * e + k] = (bar[k] - u[k] * along) / r;
  }
  return out;
}

/**
 * Tangent of `sphericalHarmonics`: what they change by where the vectors do.
 *
 * @param vectorsDot shape (n_edges, 3), Å
 * @returns shape (n_edges, (lMax + 1)²)
 */
export function sphericalHarmonicsTangent(
  vectors: Float64Array,
  lMax: number,
  vectorsDot: Float64Array,
): Float64Array {
  const d = (lMax + 1) ** 2;
  const out = new Float64Array(vectors.length / 3 * d);
  const slopes = [0, 1, 2].map(() => new Float64Array(16));
  for (let e = 0; 3 * e < vectors.length; e++) {
    const v = vectors.subarray(3 * e, 3 * e + 3);
    const r = Math.max(Math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), 1e-12);
    const u = [v[0] / r, v[1] / r, v[2] / r];
    differentiate(u[0], u[1], u[2], slopes);
    const along = u.reduce((sum, x, k) => sum + x * vectorsDot[3 * e + k], 0);
    u.forEach((x, k) => {
      const uDot = (vectorsDot[3 * e + k] - x * along) / r;
      for (let i = 0; i < d; i++) out[e * d + i] += slopes[k][i] * uDot;
    });
  }
  return out;
}

/** ∂Y/∂x, ∂Y/∂y and ∂Y/∂z of the polynomials of `evaluate`. */
function differentiate(
  x: number,
  y: number,
  z: number,
  [dx, dy, dz]: readonly Float64Array[],
): void {
  const [xx, yy, zz] = [x * x, y * y, z * z];
  const set = (i: number, a: number, b: number, c: number) => {
    dx[i] = a;
    dy[i] = b;
    dz[i] = c;
  };
  set(0, 0, 0, 0);
  set(1, S3, 0, 0);
  set(2, 0, S3, 0);
  set(3, 0, 0, S3);
  set(4, S15 * z, 0, S15 * x);
  set(5, S15 * y, S15 * x, 0);
  set(6, -S5 * x, 2 * S5 * y, -S5 * z);
  set(7, 0, S15 * z, S15 * y);
  set(8, -S15 * x, 0, S15 * z);
  set(9, 3 * K0 * (zz - xx), 0, 6 * K0 * x * z);
  set(10, K1 * y * z, K1 * x * z, K1 * x * y);
  set(11, K2 * (4 * yy - 3 * xx - zz), 8 * K2 * x * y, -2 * K2 * x * z);
  set(12, -6 * K3 * x * y, 3 * K3 * (2 * yy - xx - zz), -6 * K3 * y * z);
  set(13, -2 * K2 * x * z, 8 * K2 * y * z, K2 * (4 * yy - xx - 3 * zz));
  set(14, -2 * K5 * x * y, K5 * (zz - xx), 2 * K5 * y * z);
  set(15, -6 * K0 * x * z, 0, 3 * K0 * (zz - xx));
}
