import type { BakedLayer } from "../model/bake.ts";
import type { Gpu } from "./device.ts";
import { type Kernel, openKernel } from "./kernel.ts";

const BEGIN = "// begin path\n";
const END = "// end path\n";

/** Staged edges, where no more of them fit the workgroup memory. */
const STAGED = 32;
/** Numbers that the adjoint's lanes may hand to each other at a time; 9 KiB. */
const MOST_PARTS = 2304;

/** The kernels of all paths of a layer. */
export interface PathKernels {
  readonly forward: readonly Kernel[];
  /** From sums to edges, empty without the way back. */
  readonly adjoint: readonly Kernel[];
  /** From sums to senders, empty without the way back or in the first layer. */
  readonly back: readonly Kernel[];
}

/** The kernels of all paths of a layer that training asks for. */
export interface TrainingKernels extends PathKernels {
  readonly tangent: readonly Kernel[];
  /** Tangent of `back`, empty as that. */
  readonly tangentBack: readonly Kernel[];
  /** From sums to radial tables. */
  readonly weights: readonly Kernel[];
}

/** The sources that are written for each path. */
export interface PathSources {
  readonly atomic_basis: string;
  readonly atomic_basis_adjoint: string;
  readonly atomic_basis_tangent: string;
  readonly atomic_basis_weights: string;
}

/** Compiles the atomic basis of paths and its adjoint, once for each source. */
export class PathCompiler {
  readonly #compiled = new Map<string, Promise<Kernel>>();

  constructor(readonly gpu: Gpu, readonly sources: PathSources) {}

  /** The kernels of all paths of a layer, with the way back where it is asked for. */
  async open(layer: BakedLayer, lanes: number, adjoint: boolean): Promise<PathKernels> {
    const all = this.#compiler(layer, lanes);
    return {
      forward: await all(true, "atomic_basis", (p) => forwardPath(layer, p)),
      adjoint: await all(adjoint, "atomic_basis_adjoint", (p) => adjointPath(layer, p, lanes)),
      back: await all(adjoint && layer.up !== null, "atomic_basis", (p) => backPath(layer, p)),
    };
  }

  /** The same, and those of training. */
  async openTraining(layer: BakedLayer, lanes: number): Promise<TrainingKernels> {
    const all = this.#compiler(layer, lanes);
    const back = layer.up !== null;
    return {
      ...await this.open(layer, lanes, true),
      tangent: await all(true, "atomic_basis_tangent", (p) => forwardPath(layer, p)),
      tangentBack: await all(back, "atomic_basis_tangent", (p) => backPath(layer, p)),
      weights: await all(true, "atomic_basis_weights", (p) => uncouplingPath(layer, p)),
    };
  }

  /** Compiles a source for every path, where it is wanted. */
  #compiler({ degrees }: BakedLayer, lanes: number) {
    return (wanted: boolean, name: keyof PathSources, write: (p: number) => string) =>
      Promise.all(wanted ? degrees.map((_, p) => this.#compile(name, lanes, write(p))) : []);
  }

  #compile(name: keyof PathSources, lanes: number, path: string): Promise<Kernel> {
    const code = pathSource(this.sources[name], lanes, path);
    let kernel = this.#compiled.get(code);
    if (!kernel) this.#compiled.set(code, kernel = openKernel(this.gpu, name, code));
    return kernel;
  }
}

/** A source with the lines of a path in their place. */
export function pathSource(source: string, lanes: number, path: string): string {
  const [before, rest] = source.split(BEGIN);
  const size = `const WG_SIZE = ${lanes}u;\n`;
  return before + BEGIN + size + path + END + rest.split(END)[1];
}

/** Sums over the senders' components a and harmonics b, coupled to the components k. */
export function forwardPath(layer: BakedLayer, p: number): string {
  const { n: [nA, nB, nK], terms } = pathTerms(layer, p);
  const sums = linear(nK, terms.map(([a, b, k, w]) => [k, a * nB + b, w]), "u");
  return sizes([nA, nB, nK], false) + fn("couple", nA * nB, "u", nK, sums);
}

/** The same from the sums' components k back to the senders' a, for the reverse of every edge. */
function backPath(layer: BakedLayer, p: number): string {
  const { n: [nA, nB, nK], terms } = pathTerms(layer, p);
  const sign = layer.paths[5 * p + 1] % 2 === 0 ? 1 : -1;
  const sums = linear(nA, terms.map(([a, b, k, w]) => [a, k * nB + b, sign * w]), "u");
  return sizes([nK, nB, nA], true) + fn("couple", nK * nB, "u", nA, sums);
}

function adjointPath(layer: BakedLayer, p: number, lanes: number): string {
  const { n: [, nB] } = pathTerms(layer, p);
  const nSums = nB > 1 ? nB + 1 : 1;
  const staged = Math.min(STAGED, Math.floor(MOST_PARTS / (lanes + 1) / nSums));
  return `const N_SUMS = ${nSums}u;
const STAGED = ${staged}u;
` + uncouplingPath(layer, p);
}

/** The sums over components a and b that the sums' components k stand for. */
function uncouplingPath(layer: BakedLayer, p: number): string {
  const { n: [nA, nB, nK], terms } = pathTerms(layer, p);
  const values = linear(nA * nB, terms.map(([a, b, k, w]) => [a * nB + b, k, w]), "x");
  return `const N_A = ${nA}u;
const N_B = ${nB}u;
const N_K = ${nK}u;
` + fn("uncouple", nK, "x", nA * nB, values);
}

function sizes([nA, nB, nK]: readonly number[], back: boolean): string {
  return `const N_A = ${nA}u;
const N_B = ${nB}u;
const N_K = ${nK}u;
const BACK = ${back};
`;
}

/** Numbers of components a, b and k of a path, and its couplings a, b, k, w. */
function pathTerms({ paths, degrees, couplings }: BakedLayer, p: number) {
  const [l1, l2, , first, last] = paths.subarray(5 * p, 5 * p + 5);
  const values = new Float32Array(couplings.buffer as ArrayBuffer);
  const terms = Array.from({ length: last - first }, (_, i) => {
    const at = 3 * (first + i);
    const place = couplings[at];
    return [Math.floor(place / 7), place % 7, couplings[at + 1], values[at + 2]] as const;
  });
  return { n: [2 * l1 + 1, 2 * l2 + 1, 2 * degrees[p] + 1] as const, terms };
}

/** The source of each of n sums Σ w x[from], from terms (to, from, w). */
function linear(
  n: number,
  terms: readonly (readonly [to: number, from: number, w: number])[],
  x: string,
): string[] {
  const sums: string[][] = Array.from({ length: n }, () => []);
  for (const [to, from, w] of terms) sums[to].push(`${w.toExponential()} * ${x}[${from}]`);
  return sums.map((parts) => parts.join(" + ") || "0.0");
}

/** A function from an array of numbers to another one. */
function fn(name: string, nIn: number, x: string, nOut: number, values: readonly string[]): string {
  return `fn ${name}(${x}: array<f32, ${nIn}>) -> array<f32, ${nOut}> {
  return array<f32, ${nOut}>(
    ${values.join(",\n    ")}
  );
}
`;
}
