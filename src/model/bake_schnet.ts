import { padColumns, padMatrices } from "./pack.ts";
import { intervalsNeeded, tabulate } from "./radial_table.ts";
import { schnetFilters } from "./schnet.ts";
import type { Dense, SchnetLayer, SchnetModel } from "./schnet_model.ts";

/** A SchNet ready for the kernels: float32, rows padded with zeros to a multiple of 8. */
export interface BakedSchnet {
  readonly rMax: number;
  /** Features per atom, and their padded number. */
  readonly channels: number;
  readonly padded: number;
  readonly nIntervals: number;
  /** Shape (n_elements + 1, padded), by Z. */
  readonly embedding: Float32Array;
  readonly layers: readonly BakedInteraction[];
}

/** One interaction. Weights are (in, out), row-major; padding stays zero since ssp(0) = 0. */
export interface BakedInteraction {
  /** Padded numbers of filters and of hidden features. */
  readonly nFilters: number;
  readonly nHidden: number;
  readonly in2f: Float32Array;
  readonly in2fBias: Float32Array;
  /** Cubics of the filters in √r, shape (n_intervals, n_filters / 4, 4 coefficients, 4 filters). */
  readonly table: Float32Array;
  readonly hidden: Float32Array;
  readonly hiddenBias: Float32Array;
  readonly out: Float32Array;
  readonly outBias: Float32Array;
}

/** Prepares the first `nLayers` interactions, in float64, rounding once; filters are tabulated. */
export function bakeSchnet(model: SchnetModel, nLayers: number): BakedSchnet {
  const { rMax, channels } = model;
  const layers = model.layers.slice(0, nLayers);
  const filtersOf = (layer: SchnetLayer) => (r: Float64Array) => schnetFilters(model, layer, r);
  const nIntervals = Math.max(...layers.map((layer) => intervalsNeeded(filtersOf(layer), rMax)));
  const padded = toEight(channels);
  return {
    rMax,
    channels,
    padded,
    nIntervals,
    embedding: padColumns(model.embedding, channels, padded),
    layers: layers.map((layer) => {
      const { in2f, f2out: [first, second] } = layer;
      const [nFilters, nHidden] = [toEight(in2f.nOut), toEight(first.nOut)];
      return {
        nFilters,
        nHidden,
        in2f: padDense(in2f),
        in2fBias: padColumns(in2f.bias, in2f.nOut, nFilters),
        table: interleave(tabulate(filtersOf(layer), rMax, nIntervals), in2f.nOut, nFilters),
        hidden: padDense(first),
        hiddenBias: padColumns(first.bias, first.nOut, nHidden),
        out: padDense(second),
        outBias: padColumns(second.bias, second.nOut, padded),
      };
    }),
  };
}

function toEight(n: number): number {
  return Math.ceil(n / 8) * 8;
}

function padDense({ nIn, nOut, weight }: Dense): Float32Array {
  return padMatrices(weight, [1, nIn, nOut], [toEight(nIn), toEight(nOut)]);
}

/** (n_intervals, n, 4) becomes (n_intervals, width / 4, 4, 4). */
function interleave(table: Float32Array, n: number, width: number): Float32Array {
  const nIntervals = table.length / (4 * n);
  const out = new Float32Array(4 * nIntervals * width);
  for (let row = 0; row < nIntervals; row++) {
    for (let c = 0; c < n; c++) {
      const to = 4 * row * width + 16 * Math.floor(c / 4) + c % 4;
      for (let k = 0; k < 4; k++) out[to + 4 * k] = table[4 * (row * n + c) + k];
    }
  }
  return out;
}
