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
