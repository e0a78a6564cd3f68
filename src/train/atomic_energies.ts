import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { RequestError } from "../errors.ts";
import { chemicalSymbol } from "../frame.ts";
import type { LabelledFrame } from "./trainer.ts";

/** Where the energies of isolated atoms come from; a map gives them by atomic number, eV. */
export type AtomicEnergyChoice =
  | "model"
  | "average"
  | "isolated"
  | "estimated"
  | ReadonlyMap<number, number>;

/** Energies of isolated atoms, and how well they are known. */
export interface AtomicEnergies {
  /** eV, in the order of the elements. */
  readonly energies: Float64Array;
  /** Independent compositions among the frames, and the condition number of their matrix; null where nothing
   * was fitted. */
  readonly fit: { readonly rank: number; readonly condition: number } | null;
}

/** Singular values below this share of the largest are none; that of numpy's lstsq. */
const NEGLIGIBLE = Number.EPSILON;

/**
 * The energies of isolated atoms that training starts with. Elements that are in no frame keep those of the model:
 * nothing is known of them.
 *
 * @param elements atomic numbers
 * @param current those of the model, eV
 * @param frames that are trained on
 * @param predicted energies of these frames by the model, eV
 * @param isolated labels of isolated atoms by atomic number, eV
 * @throws {RequestError} if they cannot be had in that way
 */
export function atomicEnergies(
  choice: AtomicEnergyChoice,
  elements: readonly number[],
  current: Float64Array,
  frames: readonly LabelledFrame[],
  predicted: readonly number[],
  isolated: ReadonlyMap<number, number>,
): AtomicEnergies {
  if (choice === "model") return { energies: current, fit: null };
  const seen = new Set(frames.flatMap(({ frame }) => [...frame.species]));
  const places = [...elements.keys()].filter((i) => seen.has(elements[i]));
  const present = places.map((i) => elements[i]);
  const found = presentEnergies(
    ...[choice, present, places.map((i) => current[i]), frames, predicted, isolated] as const,
  );
  const energies = current.slice();
  places.forEach((i, k) => energies[i] = found.energies[k]);
  return { energies, fit: found.fit };
}

/** The same for elements that frames hold. */
function presentEnergies(
  choice: Exclude<AtomicEnergyChoice, "model">,
  elements: readonly number[],
  current: readonly number[],
  frames: readonly LabelledFrame[],
  predicted: readonly number[],
  isolated: ReadonlyMap<number, number>,
): AtomicEnergies {
  if (choice === "average") return leastSquares(elements, frames, (label) => label);
  if (choice === "estimated") {
    const { energies, fit } = leastSquares(
      elements,
      frames,
      (label, f) => label - predicted[f],
    );
    return { energies: energies.map((e, i) => e + current[i]), fit };
  }
  const given = choice === "isolated" ? isolated : choice;
  const flag = choice === "isolated" ? "isolated" : "with energies";
  const energies = Float64Array.from(elements, (z) => {
    const energy = given.get(z);
    if (energy !== undefined) return energy;
    throw new RequestError(
      `Cannot use --e0s ${flag}: there is no energy of an isolated ${
        chemicalSymbol(z)
      } atom; use ` +
        "--e0s average, estimated or model",
    );
  });
  return { energies, fit: null };
}

/** Least squares of total energies, or of what is left of them, on the counts of elements; the smallest where
 * compositions do not tell elements apart. */
function leastSquares(
  elements: readonly number[],
  frames: readonly LabelledFrame[],
  target: (label: number, f: number) => number,
): AtomicEnergies {
  const rows = frames.flatMap(({ frame, labels }, f) =>
    labels.energy === null ? [] : [{
      counts: elements.map((z) => frame.species.reduce((n, own) => n + Number(own === z), 0)),
      target: target(labels.energy, f),
    }]
  );
  if (rows.length === 0) {
    throw new RequestError("Cannot fit atomic energies: no training frame is labelled with one");
  }
  const a = new Matrix(rows.map(({ counts }) => counts));
  const svd = new SingularValueDecomposition(a, { autoTranspose: true });
  const largest = Math.max(...svd.diagonal);
  const least = NEGLIGIBLE * Math.max(a.rows, a.columns) * largest;
  const kept = svd.diagonal.filter((s) => s > least);
  // x = V S⁻¹ Uᵀ b
  const b = Matrix.columnVector(rows.map(({ target }) => target));
  const projected = svd.leftSingularVectors.transpose().mmul(b).to1DArray();
  const scaled = projected.map((x, i) => svd.diagonal[i] > least ? x / svd.diagonal[i] : 0);
  const solution = svd.rightSingularVectors.mmul(Matrix.columnVector(scaled)).to1DArray();
  return {
    energies: Float64Array.from(solution),
    fit: { rank: kept.length, condition: largest / Math.min(...kept) },
  };
}
