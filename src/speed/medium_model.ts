/**
 * A MACE model of the medium foundation architecture with random weights: 128x0e + 128x1o, l_max 3,
 * correlation 3, two layers, density blocks, Agnesi transform. Its cost is that of the real one; its
 * numbers mean nothing.
 */
import {
  type Contraction,
  type MaceLayer,
  type MaceModel,
  messagePaths,
  NO_FACTOR,
} from "../model/mace_model.ts";
import { wigner3j } from "../model/couplings.ts";
import { covalentRadius } from "../covalent_radius.ts";
import { normalNumbers } from "./inputs.ts";

const L_MAX = 3;
const N_BESSEL = 10;
const WIDTH = 16;
const RADIAL_WIDTHS = [N_BESSEL, 64, 64, 64];

export interface MediumShape {
  /** Atomic numbers the model knows. */
  readonly elements: readonly number[];
  /** Cutoff, Å. */
  readonly rMax: number;
  readonly channels: number;
}

/** The model; the same shape always has the same weights. */
export function mediumModel({ elements, rMax, channels }: MediumShape): MaceModel {
  let seed = 1;
  const random = (...shape: number[]) =>
    normalNumbers(seed++, shape.reduce((product, n) => product * n, 1));
  const covalentRadii = Float64Array.from({ length: 120 }, (_, z) => covalentRadius(z));
  return {
    kind: "ScaleShiftMACE",
    elements,
    elementNormalizer: elements.length,
    rMax,
    channels,
    lMax: L_MAX,
    dtype: "float32",
    heads: ["default"],
    siluScale: 1.6791767923989418,
    radial: {
      bessel: Float64Array.from({ length: N_BESSEL }, (_, n) => (n + 1) * Math.PI / rMax),
      prefactor: Math.sqrt(2 / rMax),
      cutoffPower: 5,
      agnesi: { q: 0.9183, p: 4.5791, a: 1.0805, covalentRadii },
    },
    embedding: random(elements.length, channels),
    layers: [
      mediumLayer(random, elements.length, channels, 0, 1),
      mediumLayer(random, elements.length, channels, 1, 0),
    ],
    readouts: [
      { kind: "linear", weight: random(channels) },
      { kind: "gated", width: WIDTH, hidden: random(channels, WIDTH), output: random(WIDTH) },
    ],
    atomicEnergies: new Float64Array(elements.length),
    scale: Float64Array.of(1),
    shift: Float64Array.of(0),
    zbl: null,
  };
}

function mediumLayer(
  random: (...shape: number[]) => Float64Array,
  nElements: number,
  C: number,
  lIn: number,
  lOut: number,
): MaceLayer {
  const paths = messagePaths(lIn, L_MAX);
  const residual = lIn > 0;
  const radialWidths = [...RADIAL_WIDTHS, paths.length * C];
  const nSkip = residual ? 1 : L_MAX + 1;
  return {
    density: true,
    residual,
    avgNumNeighbors: 1,
    lIn,
    lOut,
    linearUp: random(lIn + 1, C, C),
    radialMlp: radialWidths.slice(1).map((to, k) => random(radialWidths[k], to)),
    radialWidths,
    paths,
    linear: random(paths.length, C, C),
    densityWeight: random(N_BESSEL),
    skip: random(nSkip, C, nElements, C),
    nSkip,
    contractions: Array.from({ length: lOut + 1 }, (_, l) => contraction(random, nElements, C, l)),
    productLinear: random(lOut + 1, C, C),
  };
}

/** All couplings of one, two and three factors to degree l, one path per coupling tree. */
function contraction(
  random: (...shape: number[]) => Float64Array,
  nElements: number,
  C: number,
  l: number,
): Contraction {
  const polynomials = couplingTrees(l);
  const rows = new Map<string, Map<number, number>>();
  polynomials.forEach((polynomial, path) => {
    for (const [key, value] of polynomial) {
      if (Math.abs(value) < 1e-12) continue;
      let row = rows.get(key);
      if (!row) rows.set(key, row = new Map());
      row.set(path, value);
    }
  });
  const monomials = [...rows].map(([key, row]) => ({ factors: key.split(",").map(Number), row }))
    .sort((a, b) => a.factors[0] - b.factors[0]);
  const nPaths = polynomials.length;
  const basis = new Float64Array(monomials.length * nPaths);
  const indices = new Uint8Array(3 * monomials.length).fill(NO_FACTOR);
  monomials.forEach(({ factors, row }, t) => {
    indices.set(factors.slice(1), 3 * t);
    for (const [path, value] of row) basis[t * nPaths + path] = value;
  });
  return {
    l,
    nTerms: monomials.length,
    nPaths,
    component: Uint8Array.from(monomials, ({ factors }) => factors[0]),
    indices,
    basis,
    weights: random(nElements, nPaths, C).map((w) => 0.1 * w),
  };
}

/** Value by "component, factor, factor, …", factors sorted. */
type Polynomial = Map<string, number>;

function couplingTrees(l: number): Polynomial[] {
  const degrees = Array.from({ length: L_MAX + 1 }, (_, i) => i);
  const trees: Polynomial[] = [single(l)];
  for (const a of degrees) {
    for (const b of degrees.slice(a)) {
      if ((a + b + l) % 2 === 0) trees.push(couple(single(a), b, l, a));
      for (const c of degrees) {
        if ((a + b + c + l) % 2 !== 0) continue;
        for (let m = b - a; m <= a + b; m++) {
          trees.push(couple(couple(single(a), b, m, a), c, l, m));
        }
      }
    }
  }
  return trees.filter((tree) => tree.size > 0);
}

function single(l: number): Polynomial {
  return new Map(Array.from({ length: 2 * l + 1 }, (_, m) => [`${m},${l * l + m}`, 1]));
}

/** Couples a polynomial of degree `from` with the features of degree `factor` to degree `to`. */
function couple(polynomial: Polynomial, factor: number, to: number, from: number): Polynomial {
  const out: Polynomial = new Map();
  if (to < Math.abs(from - factor) || to > from + factor) return out;
  for (const [a, b, k, w] of wigner3j(from, factor, to)) {
    for (const [key, value] of polynomial) {
      const [component, ...factors] = key.split(",").map(Number);
      if (component !== a) continue;
      const sorted = [...factors, factor * factor + b].sort((x, y) => x - y);
      const name = [k, ...sorted].join(",");
      out.set(name, (out.get(name) ?? 0) + w * value);
    }
  }
  return out;
}
