import { WeightsError } from "../errors.ts";
import { MAX_ATOMIC_NUMBER } from "../frame.ts";
import {
  type MaceLayer,
  type MaceModel,
  messagePaths,
  type RadialModel,
  type Readout,
  type ZblModel,
} from "../model/mace_model.ts";
import { type Checkpoint, numbers, scalar, tensor } from "./checkpoint.ts";
import { readContraction } from "./contraction.ts";

const INTERACTIONS = new Map([
  ["RealAgnosticInteractionBlock", { density: false, residual: false }],
  ["RealAgnosticResidualInteractionBlock", { density: false, residual: true }],
  ["RealAgnosticDensityInteractionBlock", { density: true, residual: false }],
  ["RealAgnosticDensityResidualInteractionBlock", { density: true, residual: true }],
]);
const MODELS = new Set(["ScaleShiftMACE", "MACE"]);
const MAX_L = 3;
const MAX_CHANNELS = 4096;

/** Checks a checkpoint and gives its tensors their meaning.
 * @throws {WeightsError} naming what is missing, misshapen or not supported */
export function maceModel(checkpoint: Checkpoint): MaceModel {
  const { config } = checkpoint;
  if (!MODELS.has(config.modelClass)) {
    throw new WeightsError(
      `it holds a "${config.modelClass}", expected ${[...MODELS].join(" or ")}`,
    );
  }
  const elements = [...numbers(checkpoint, "atomic_numbers")];
  if (elements.length === 0 || elements.some((z) => !(z >= 1 && z <= MAX_ATOMIC_NUMBER))) {
    throw new WeightsError("its atomic numbers are not those of elements");
  }
  const nElements = elements.length;
  const embedding = numbers(checkpoint, "node_embedding.linear.weight");
  const channels = embedding.length / nElements;
  if (!Number.isInteger(channels) || channels < 1 || channels > MAX_CHANNELS) {
    throw new WeightsError(`its node embedding has ${embedding.length} numbers`);
  }
  const first = "products.0.symmetric_contractions.contractions.0.";
  const lMax = checkpoint.tensors.has("l_max")
    ? scalar(checkpoint, "l_max")
    : Math.sqrt(tensor(checkpoint, `${first}U_matrix_1`).shape[0]) - 1;
  if (!Number.isInteger(lMax) || lMax < 0 || lMax > MAX_L) {
    throw new WeightsError(`its harmonics go to l = ${lMax}, expected at most ${MAX_L}`);
  }
  const radial = readRadial(checkpoint);
  const layers = readLayers(checkpoint, { channels, nElements, lMax, nb: radial.bessel.length });
  const nHeads = config.heads.length;
  const perHead = (name: string, missing: number) => {
    const data = checkpoint.tensors.get(name)?.data ?? [missing];
    if (data.length !== 1 && data.length !== nHeads) {
      throw new WeightsError(`tensor "${name}" holds ${data.length} numbers for ${nHeads} heads`);
    }
    return Float64Array.from(config.heads, (_, i) => data[data.length === 1 ? 0 : i]);
  };
  return {
    kind: config.modelClass,
    elements,
    elementNormalizer: config.elementNormalizer,
    rMax: positive(checkpoint, "r_max"),
    channels,
    lMax,
    dtype: tensor(checkpoint, "node_embedding.linear.weight").dtype === "F64"
      ? "float64"
      : "float32",
    heads: config.heads,
    siluScale: config.siluScale,
    radial,
    embedding,
    layers,
    readouts: layers.map((_, t) => readReadout(checkpoint, t, channels, nHeads)),
    atomicEnergies: readAtomicEnergies(checkpoint, nHeads, nElements),
    scale: perHead("scale_shift.scale", 1),
    shift: perHead("scale_shift.shift", 0),
    zbl: readZbl(checkpoint),
  };
}

function positive(checkpoint: Checkpoint, name: string): number {
  const value = scalar(checkpoint, name);
  if (!(value > 0 && value < 1e3)) throw new WeightsError(`tensor "${name}" is ${value}`);
  return value;
}

function readAtomicEnergies(checkpoint: Checkpoint, nHeads: number, nElements: number) {
  const name = "atomic_energies_fn.atomic_energies";
  return numbers(checkpoint, name, nHeads * nElements);
}

function readRadial(checkpoint: Checkpoint): RadialModel {
  const prefix = "radial_embedding.";
  const transform = `${prefix}distance_transform.`;
  return {
    bessel: numbers(checkpoint, `${prefix}bessel_fn.bessel_weights`),
    prefactor: scalar(checkpoint, `${prefix}bessel_fn.prefactor`),
    cutoffPower: positive(checkpoint, `${prefix}cutoff_fn.p`),
    agnesi: checkpoint.tensors.has(`${transform}q`)
      ? {
        q: scalar(checkpoint, `${transform}q`),
        p: scalar(checkpoint, `${transform}p`),
        a: scalar(checkpoint, `${transform}a`),
        covalentRadii: numbers(checkpoint, `${transform}covalent_radii`, MAX_ATOMIC_NUMBER + 1),
      }
      : null,
  };
}

function readZbl(checkpoint: Checkpoint): ZblModel | null {
  const prefix = "pair_repulsion_fn.";
  if (!checkpoint.tensors.has(`${prefix}c`)) return null;
  return {
    coefficients: numbers(checkpoint, `${prefix}c`, 4),
    cutoffPower: positive(checkpoint, `${prefix}p`),
    exponent: scalar(checkpoint, `${prefix}a_exp`),
    prefactor: scalar(checkpoint, `${prefix}a_prefactor`),
    covalentRadii: numbers(checkpoint, `${prefix}covalent_radii`, MAX_ATOMIC_NUMBER + 1),
  };
}

interface LayerShape {
  readonly channels: number;
  readonly nElements: number;
  readonly lMax: number;
  readonly nb: number;
}

function readLayers(checkpoint: Checkpoint, shape: LayerShape): MaceLayer[] {
  const classes = checkpoint.config.interactionClasses;
  const declared = scalar(checkpoint, "num_interactions");
  if (classes.length === 0 || classes.length !== declared) {
    throw new WeightsError(`it holds ${classes.length} interactions and declares ${declared}`);
  }
  const layers: MaceLayer[] = [];
  classes.forEach((name, t) => {
    const lIn = t === 0 ? 0 : layers[t - 1].lOut;
    layers.push(readLayer(checkpoint, t, name, lIn, shape));
  });
  return layers;
}

function readLayer(
  checkpoint: Checkpoint,
  t: number,
  className: string,
  lIn: number,
  { channels: C, nElements, lMax, nb }: LayerShape,
): MaceLayer {
  const kind = INTERACTIONS.get(className);
  if (!kind) {
    throw new WeightsError(
      `interaction block "${className}" is not supported; known: ${
        [...INTERACTIONS.keys()].join(", ")
      }`,
    );
  }
  const avgNumNeighbors = checkpoint.config.avgNumNeighbors[t];
  if (!kind.density && !(avgNumNeighbors > 0)) {
    throw new WeightsError(`interaction ${t} has no avg_num_neighbors`);
  }
  const prefix = `interactions.${t}.`;
  const product = `products.${t}.`;
  const contraction = (l: number) => `${product}symmetric_contractions.contractions.${l}.`;
  let lOut = -1;
  while (checkpoint.tensors.has(`${contraction(lOut + 1)}weights_max`)) lOut++;
  if (lOut < 0 || lOut > 2) throw new WeightsError(`layer ${t} has ${lOut + 1} output degrees`);
  const paths = messagePaths(lIn, lMax);
  const mlp = readMlp(checkpoint, `${prefix}conv_tp_weights.`, nb, paths.length * C);
  const skip = numbers(checkpoint, `${prefix}skip_tp.weight`);
  const nSkip = skip.length / (C * nElements * C);
  const expectedSkip = kind.residual ? Math.min(lIn, lOut) + 1 : lMax + 1;
  if (nSkip !== expectedSkip) {
    throw new WeightsError(`tensor "${prefix}skip_tp.weight" holds ${skip.length} numbers`);
  }
  return {
    ...kind,
    avgNumNeighbors,
    lIn,
    lOut,
    linearUp: numbers(checkpoint, `${prefix}linear_up.weight`, (lIn + 1) * C * C),
    ...mlp,
    paths,
    linear: numbers(checkpoint, `${prefix}linear.weight`, paths.length * C * C),
    densityWeight: kind.density
      ? numbers(checkpoint, `${prefix}density_fn.layer0.weight`, nb)
      : null,
    skip,
    nSkip,
    contractions: Array.from(
      { length: lOut + 1 },
      (_, l) =>
        readContraction(checkpoint, contraction(l), l, {
          d: (lMax + 1) ** 2,
          channels: C,
          nElements,
        }),
    ),
    productLinear: numbers(checkpoint, `${product}linear.weight`, (lOut + 1) * C * C),
  };
}

function readMlp(checkpoint: Checkpoint, prefix: string, nb: number, columns: number) {
  const radialMlp: Float64Array[] = [];
  const radialWidths = [nb];
  for (let k = 0; checkpoint.tensors.has(`${prefix}layer${k}.weight`); k++) {
    const { shape, data } = tensor(checkpoint, `${prefix}layer${k}.weight`);
    if (shape.length !== 2 || shape[0] !== radialWidths[k]) {
      throw new WeightsError(`tensor "${prefix}layer${k}.weight" has shape (${shape.join(", ")})`);
    }
    radialMlp.push(data);
    radialWidths.push(shape[1]);
  }
  if (radialMlp.length === 0 || radialWidths[radialWidths.length - 1] !== columns) {
    throw new WeightsError(`"${prefix}layer…" ends with the wrong width, expected ${columns}`);
  }
  return { radialMlp, radialWidths };
}

function readReadout(
  checkpoint: Checkpoint,
  t: number,
  channels: number,
  nHeads: number,
): Readout {
  const prefix = `readouts.${t}.`;
  if (checkpoint.tensors.has(`${prefix}linear.weight`)) {
    const weight = numbers(checkpoint, `${prefix}linear.weight`, channels * nHeads);
    return { kind: "linear", weight };
  }
  const hidden = numbers(checkpoint, `${prefix}linear_1.weight`);
  const width = hidden.length / (channels * nHeads);
  const output = numbers(checkpoint, `${prefix}linear_2.weight`, width * nHeads * nHeads);
  return { kind: "gated", width, hidden, output };
}
