/**
 * Real Wigner 3j symbols in the conventions of e3nn 0.4.4, which MACE pins: e3nn's order of
 * components (y is the polar axis) and Frobenius norm 1. See DESIGN.md for the sign table's source.
 */

/** One non-zero element: (component of l1, of l2, of l3, value). */
export type Coupling = readonly [a: number, b: number, k: number, value: number];

/** Sorted triples, besides (1, l, l), whose sign in e3nn 0.4.4 is opposite to that of e3nn 0.5. */
const FLIPPED = new Set([
  "3,4,6",
  "3,5,7",
  "3,6,8",
  "4,4,5",
  "4,5,6",
  "4,6,7",
  "4,7,8",
  "5,5,5",
  "5,6,6",
  "5,6,8",
  "5,7,7",
  "5,8,8",
  "6,8,8",
  "7,7,8",
]);

const known = new Map<string, readonly Coupling[]>();

/** The non-zero elements of w(l1, l2, l3), shape (2 l1 + 1, 2 l2 + 1, 2 l3 + 1), norm 1. */
export function wigner3j(l1: number, l2: number, l3: number): readonly Coupling[] {
  const key = `${l1},${l2},${l3}`;
  let couplings = known.get(key);
  if (!couplings) known.set(key, couplings = realCouplings(l1, l2, l3));
  return couplings;
}

/** Couplings of a message path, √(2 l3 + 1) · w(l1, l2, l3) ('component' normalisation). */
export function messageCouplings(l1: number, l2: number, l3: number): Coupling[] {
  const scale = Math.sqrt(2 * l3 + 1);
  return wigner3j(l1, l2, l3).map(([a, b, k, value]) => [a, b, k, scale * value]);
}

function realCouplings(l1: number, l2: number, l3: number): Coupling[] {
  const [n1, n2, n3] = [2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1];
  const [q1, q2, q3] = [l1, l2, l3].map(realToComplex);
  const w = new Float64Array(n1 * n2 * n3);
  for (let m1 = -l1; m1 <= l1; m1++) {
    for (let m2 = -l2; m2 <= l2; m2++) {
      const m3 = m1 + m2;
      if (Math.abs(m3) > l3) continue;
      const c = clebschGordan(l1, m1, l2, m2, l3, m3);
      for (const [a, x] of q1[l1 + m1]) {
        for (const [b, y] of q2[l2 + m2]) {
          for (const [k, z] of q3[l3 + m3]) {
            const xy = multiply(x, y);
            // conjugate of z; the imaginary parts cancel in the sum
            w[(a * n2 + b) * n3 + k] += c * (xy[0] * z[0] + xy[1] * z[1]);
          }
        }
      }
    }
  }
  const sorted = [l1, l2, l3].sort((x, y) => x - y);
  const flipped = (sorted[0] === 1 && sorted[1] === sorted[2] && sorted[1] >= 2) ||
    FLIPPED.has(sorted.join());
  const norm = (flipped ? -1 : 1) * Math.hypot(...w);
  const couplings: Coupling[] = [];
  for (let i = 0; i < w.length; i++) {
    if (Math.abs(w[i]) < 1e-13) continue;
    couplings.push([Math.floor(i / (n2 * n3)), Math.floor(i / n3) % n2, i % n3, w[i] / norm]);
  }
  return couplings;
}

type Complex = readonly [re: number, im: number];

function multiply([a, b]: Complex, [c, d]: Complex): Complex {
  return [a * c - b * d, a * d + b * c];
}

/** Row m of the change of basis: [real component, factor] pairs, with e3nn's overall (-i)^l. */
function realToComplex(l: number): [number, Complex][][] {
  const s = Math.SQRT1_2;
  const phase: Complex = ([[1, 0], [0, -1], [-1, 0], [0, 1]] as Complex[])[l % 4];
  const rows: [number, Complex][][] = [];
  for (let m = -l; m <= l; m++) {
    const sign = m % 2 === 0 ? 1 : -1;
    const row: [number, Complex][] = m < 0
      ? [[l - m, [s, 0]], [l + m, [0, -s]]]
      : m === 0
      ? [[l, [1, 0]]]
      : [[l + m, [sign * s, 0]], [l - m, [0, sign * s]]];
    rows.push(row.map(([i, value]) => [i, multiply(phase, value)]));
  }
  return rows;
}

/** ⟨l1 m1 l2 m2 | l3 m3⟩ by Racah's formula, Condon-Shortley phase. */
function clebschGordan(l1: number, m1: number, l2: number, m2: number, l3: number, m3: number) {
  const f = factorial;
  const prefactor = (2 * l3 + 1) * f(l3 + l1 - l2) * f(l3 - l1 + l2) * f(l1 + l2 - l3) *
    f(l3 + m3) * f(l3 - m3) * f(l1 + m1) * f(l1 - m1) * f(l2 + m2) * f(l2 - m2) /
    f(l1 + l2 + l3 + 1);
  let sum = 0;
  const last = Math.min(l1 + l2 - l3, l1 - m1, l2 + m2);
  for (let v = Math.max(0, l2 - l3 - m1, l1 - l3 + m2); v <= last; v++) {
    sum += (v % 2 === 0 ? 1 : -1) /
      (f(v) * f(l1 + l2 - l3 - v) * f(l1 - m1 - v) * f(l2 + m2 - v) * f(l3 - l2 + m1 + v) *
        f(l3 - l1 - m2 + v));
  }
  return Math.sqrt(prefactor) * sum;
}

function factorial(n: number): number {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}
