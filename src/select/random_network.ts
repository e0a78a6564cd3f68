import type { Matrix } from "../matrix.ts";
import { uniformStream } from "../rng.ts";

const HIDDEN = 64;
const OUTPUTS = 32;
const STEPS_PER_PICK = 60;
const LEARNING_RATE = 3e-3;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];
const STREAM_TARGET = 203n;
const STREAM_PREDICTOR = 204n;

/** One dense layer in float32: weights (n_in, n_out), then n_out biases. */
interface Layer {
  readonly nIn: number;
  readonly nOut: number;
  readonly weights: Float32Array;
  /** Adam's moments and the gradient, as long as the weights. */
  readonly mean: Float32Array;
  readonly square: Float32Array;
  readonly gradient: Float32Array;
}

/**
 * Random network distillation (Burda et al. 2018; for configurations Phys. Rev. Lett. 132, 167301,
 * arXiv 2309.03840): the point at which a predictor is farthest from a fixed random network is chosen,
 * the predictor learns the network at all chosen points, and so on. Both are tanh networks of 64, 64
 * and 32 units in float32; 60 full-batch Adam steps follow each choice.
 *
 * @param points coordinates of unit variance, shape (n, d)
 * @param members points that may be chosen
 * @param chosen points that count as chosen already
 */
export function randomNetwork(
  points: Matrix,
  members: readonly number[],
  budget: number,
  chosen: readonly number[],
  seed: bigint,
): number[] {
  const { cols } = points;
  const x = Float32Array.from(points.data);
  const [f, g] = [STREAM_TARGET, STREAM_PREDICTOR].map((s) => makeNetwork(cols, seed, s));
  const target = forward(f, x, points.rows)[2];
  const picks: number[] = [];
  let steps = 0;
  const free = new Set(members);
  const learn = (set: readonly number[]) => {
    const rows = gather(x, set, cols);
    const wanted = gather(target, set, OUTPUTS);
    for (let step = 0; step < STEPS_PER_PICK; step++) {
      train(g, rows, wanted, set.length, ++steps);
    }
  };
  if (chosen.length > 0) learn(chosen);
  while (picks.length < budget) {
    const predicted = forward(g, x, points.rows)[2];
    let [best, most] = [-1, -Infinity];
    for (const i of free) {
      let error = 0;
      for (let k = i * OUTPUTS; k < (i + 1) * OUTPUTS; k++) {
        error += (predicted[k] - target[k]) ** 2;
      }
      if (error > most) [best, most] = [i, error];
    }
    picks.push(best);
    free.delete(best);
    learn([...chosen, ...picks]);
  }
  return picks;
}

/** Weights uniform within ±√(6 / (n_in + n_out)) (Glorot and Bengio 2010), biases within ±0.1. */
function makeNetwork(nInputs: number, seed: bigint, stream: bigint): Layer[] {
  const uniform = uniformStream(seed, stream);
  let drawn = 0n;
  return [[nInputs, HIDDEN], [HIDDEN, HIDDEN], [HIDDEN, OUTPUTS]].map(([nIn, nOut]) => {
    const count = (nIn + 1) * nOut;
    const weights = Float32Array.from({ length: count }, (_, k) => {
      const scale = k < nIn * nOut ? Math.sqrt(6 / (nIn + nOut)) : 0.1;
      return scale * (2 * uniform(drawn++) - 1);
    });
    const zeros = () => new Float32Array(count);
    return { nIn, nOut, weights, mean: zeros(), square: zeros(), gradient: zeros() };
  });
}

/** Activations of every layer, shapes (n, n_out); the last layer is linear. */
function forward(network: readonly Layer[], x: Float32Array, n: number): Float32Array[] {
  let input = x;
  return network.map(({ nIn, nOut, weights }, t) => {
    const out = new Float32Array(n * nOut);
    for (let i = 0; i < n; i++) {
      const row = out.subarray(i * nOut, (i + 1) * nOut);
      row.set(weights.subarray(nIn * nOut));
      for (let k = 0; k < nIn; k++) {
        const value = input[i * nIn + k];
        const at = k * nOut;
        for (let j = 0; j < nOut; j++) row[j] += value * weights[at + j];
      }
    }
    if (t < network.length - 1) { for (let k = 0; k < out.length; k++) out[k] = Math.tanh(out[k]); }
    return input = out;
  });
}

/** One Adam step (Kingma and Ba 2015) on the mean squared difference. */
function train(
  network: readonly Layer[],
  x: Float32Array,
  wanted: Float32Array,
  n: number,
  step: number,
): void {
  const outputs = forward(network, x, n);
  let delta = outputs[2].map((value, k) => 2 * (value - wanted[k]) / wanted.length);
  for (let t = network.length - 1; t >= 0; t--) {
    const input = t > 0 ? outputs[t - 1] : x;
    const passed = backward(network[t], input, delta, n);
    if (t > 0) delta = passed.map((value, k) => value * (1 - input[k] * input[k]));
  }
  const correction = LEARNING_RATE * Math.sqrt(1 - BETA2 ** step) / (1 - BETA1 ** step);
  for (const { weights, mean, square, gradient } of network) {
    for (let k = 0; k < weights.length; k++) {
      mean[k] = BETA1 * mean[k] + (1 - BETA1) * gradient[k];
      square[k] = BETA2 * square[k] + (1 - BETA2) * gradient[k] * gradient[k];
      weights[k] -= correction * mean[k] / (Math.sqrt(square[k]) + EPSILON);
    }
  }
}

/** Gradient of a layer's weights, and of its input, shape (n, n_in). */
function backward(layer: Layer, input: Float32Array, delta: Float32Array, n: number): Float32Array {
  const { nIn, nOut, weights, gradient } = layer;
  const passed = new Float32Array(n * nIn);
  gradient.fill(0);
  for (let i = 0; i < n; i++) {
    const row = delta.subarray(i * nOut, (i + 1) * nOut);
    for (let k = 0; k < nIn; k++) {
      const value = input[i * nIn + k];
      const at = k * nOut;
      let sum = 0;
      for (let j = 0; j < nOut; j++) {
        gradient[at + j] += value * row[j];
        sum += weights[at + j] * row[j];
      }
      passed[i * nIn + k] = sum;
    }
    for (let j = 0; j < nOut; j++) gradient[nIn * nOut + j] += row[j];
  }
  return passed;
}

function gather(rows: Float32Array, places: readonly number[], width: number): Float32Array {
  const out = new Float32Array(places.length * width);
  places.forEach((i, p) => out.set(rows.subarray(i * width, (i + 1) * width), p * width));
  return out;
}
