import type { BakedLayer } from "../model/bake.ts";
import type { Gpu } from "./device.ts";
import { type Kernel, openKernel } from "./kernel.ts";

const BEGIN = "// begin path\n";
const END = "// end path\n";

/** Compiles the atomic basis of paths, once for each source. */
export class PathKernels {
  readonly #compiled = new Map<string, Promise<Kernel>>();

  constructor(readonly gpu: Gpu, readonly source: string) {}

  /** The kernels of all paths of a layer. */
  open(layer: BakedLayer, lanes: number): Promise<Kernel[]> {
    return Promise.all(layer.degrees.map((_, p) => {
      const code = pathSource(this.source, layer, p, lanes);
      let kernel = this.#compiled.get(code);
      if (!kernel) this.#compiled.set(code, kernel = openKernel(this.gpu, "atomic_basis", code));
      return kernel;
    }));
  }
}

/** The source of one path: sizes as constants, couplings as literals. */
export function pathSource(
  source: string,
  { paths, degrees, couplings }: BakedLayer,
  p: number,
  lanes: number,
): string {
  const [l1, l2, , first, last] = paths.subarray(5 * p, 5 * p + 5);
  const [nA, nB, nK] = [2 * l1 + 1, 2 * l2 + 1, 2 * degrees[p] + 1];
  const values = new Float32Array(couplings.buffer as ArrayBuffer);
  const sums: string[][] = Array.from({ length: nK }, () => []);
  for (let i = first; i < last; i++) {
    const place = couplings[3 * i];
    const u = Math.floor(place / 7) * nB + place % 7;
    sums[couplings[3 * i + 1]].push(`${values[3 * i + 2].toExponential()} * u[${u}]`);
  }
  const path = `const WG_SIZE = ${lanes}u;
const N_A = ${nA}u;
const N_B = ${nB}u;
const N_K = ${nK}u;
fn couple(u: array<f32, N_A * N_B>) -> array<f32, N_K> {
  return array<f32, N_K>(
    ${sums.map((terms) => terms.join(" + ")).join(",\n    ")}
  );
}
`;
  const [before, rest] = source.split(BEGIN);
  return before + BEGIN + path + END + rest.split(END)[1];
}
