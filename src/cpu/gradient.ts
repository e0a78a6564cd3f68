import type { StoredLayer, StoredModel } from "./weights.ts";

/** Addresses of the gradient of one layer: shaped as in `BakedLayer`, tables as in `StoredLayer`. */
export interface StoredLayerGradient {
  /** 0 in a factorised first layer. */
  readonly up: number;
  readonly message: number;
  /** 0 without a residual. */
  readonly skip: number;
  readonly product: number;
  /** One per contraction, shape (n_elements, n_terms, padded). */
  readonly coefficients: readonly number[];
  readonly tables: readonly number[];
  /** 0 where messages have no learned normaliser. */
  readonly densityTable: number;
}

/** The gradient of what a baked model holds, one piece of memory. */
export interface StoredGradient {
  readonly start: number;
  readonly bytes: number;
  readonly layers: readonly StoredLayerGradient[];
}

/** Where the parts of a gradient lie in a piece of memory. */
export function gradientAt(model: StoredModel, start: number): StoredGradient {
  let end = start;
  const room = (numbers: number) => {
    const at = end;
    end += 4 * numbers;
    return numbers > 0 ? at : 0;
  };
  const layers = model.layers.map((layer) => layerGradient(model, layer, room));
  return { start, bytes: end - start, layers };
}

function layerGradient(
  { padded, nElements, nSlots, nIntervals }: StoredModel,
  layer: StoredLayer,
  room: (numbers: number) => number,
): StoredLayerGradient {
  const square = padded ** 2;
  const receivers = layer.messagePerElement ? nElements : 1;
  const rows = nSlots * nIntervals;
  return {
    up: layer.up ? room((layer.lIn + 1) * square) : 0,
    message: room(receivers * layer.nPaths * layer.groups * layer.width * padded),
    skip: room(nElements * layer.nSkip * square),
    product: room((layer.lOut + 1) * square),
    coefficients: layer.contractions.map(({ nTerms }) => room(nElements * nTerms * padded)),
    tables: layer.tables.map(() => room(4 * rows * layer.width)),
    densityTable: layer.densityTable ? room(4 * rows) : 0,
  };
}
