import process from "node:process";
import { type Backend, referenceBackend } from "../../backend.ts";
import { loadModel } from "../../checkpoint/load.ts";
import { openCpuBackend } from "../../cpu/backend.ts";
import { type Frame } from "../../frame.ts";
import { openGpuBackend } from "../../gpu/backend.ts";
import { matrix } from "../../matrix.ts";
import { openPotential, requirePotential } from "../../potential.ts";
import type { DescriptorModel } from "../../model/descriptor_model.ts";
import type { SchnetModel } from "../../model/schnet_model.ts";
import { uniformStream } from "../../rng.ts";
import { gradientError, largestError } from "../../speed/errors.ts";
import { measureSpeed, perUnit, type Speed } from "../../speed/measure.ts";
import { applyCovariance, refineSubspace } from "../../linalg/subspace.ts";
import { resolveModel, SHIPPED_MODEL } from "../input/model_store.ts";
import type { SpeedSize } from "../../speed/cases.ts";
import { flagsOf, parseThreads, readFlags } from "../syntax/option_values.ts";
import { systemFacts } from "../output/system_facts.ts";

interface Check {
  readonly backend: string;
  readonly kernels: string;
  readonly error: number;
  readonly allowed: number;
}

/** Errors that float32 kernels may have; the finish in float64 leaves 1e-8 and exact integers. */
const ALLOWED = { descriptors: 5e-6, forces: 2e-5, gradients: 1e-4, eigenvalues: 1e-8, counts: 0 };

/** `cpd doctor`: what this machine offers, and whether every kernel agrees with its definition. */
export async function runDoctor(args: readonly string[]): Promise<void> {
  const { values } = readFlags(args, flagsOf("doctor"));
  const threads = parseThreads(values);
  const backends = await openBackends(threads, values["allow-software"] === true);
  const checks: Check[] = [];
  const speeds: Speed[] = [];
  for (const { backend, size } of backends) {
    if (!backend || !size) continue;
    checks.push(...await checkBackend(backend));
    if (values.speed) speeds.push(...await timeBackend(backend, size));
    await backend.close();
  }
  const facts = {
    ...systemFacts(threads),
    ...Object.fromEntries(backends.map(({ name, text }) => [name, text])),
  };
  const failed = [...checks, ...speeds].filter(({ error, allowed }) => !(error <= allowed));
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ ...facts, checks, ...(values.speed && { speeds }) }, null, 2)}\n`,
    );
  } else {
    for (const [label, text] of Object.entries(facts)) {
      process.stdout.write(`${label.padEnd(10)} ${text}\n`);
    }
    for (const { backend, kernels, error, allowed } of checks) {
      const verdict = error <= allowed ? "ok" : "FAILED";
      const numbers = `error ${error.toExponential(1)}, allowed ${allowed.toExponential(0)}`;
      process.stdout.write(`${verdict.padEnd(6)} ${backend.padEnd(4)} ${kernels}: ${numbers}\n`);
    }
    for (const speed of speeds) process.stdout.write(`${speedLine(speed)}\n`);
  }
  if (failed.length > 0) process.exitCode = 6;
}

/** Times a backend; progress goes to stderr, because it takes a while.
 * @param size how much of everything is timed */
async function timeBackend(backend: Backend, size: SpeedSize): Promise<Speed[]> {
  const speeds: Speed[] = [];
  for await (const speed of measureSpeed(backend, size)) {
    process.stderr.write(`Timed ${speed.backend}: ${speed.name}\n`);
    speeds.push(speed);
  }
  return speeds;
}

/** Error first, then the median time and how far the rounds lie apart. */
function speedLine(speed: Speed): string {
  const { backend, name, error, allowed, median, least, most, amount, unit, rounds } = speed;
  const head = `speed  ${backend.padEnd(4)} ${name.padEnd(16)} error ${error.toExponential(1)}`;
  if (!(error <= allowed)) return `${head} is above ${allowed.toExponential(0)}: not timed`;
  return `${head}  ${perUnit(speed).padStart(15)}  ${median.toPrecision(3)} ms ` +
    `(${least.toPrecision(3)} to ${most.toPrecision(3)}, ${rounds} rounds) for ${amount} ${unit}`;
}

/** What is timed on each kind of backend; times of a software adapter mean nothing. */
const sizeOf = {
  cpu: (threads: number): SpeedSize => ({ frames: threads, atoms: 256, points: 5000 }),
  gpu: { frames: 64, atoms: 256, points: 20_000 },
  software: { frames: 1, atoms: 16, points: 500 },
};

/** A line of the facts, and the backend that it is about. */
interface Opened {
  readonly name: string;
  readonly text: string;
  readonly backend: Backend | null;
  readonly size?: SpeedSize;
}

async function openBackends(threads: number, allowSoftware: boolean) {
  const cpu = await openCpuBackend(threads);
  const list: Opened[] = [
    { name: "cpu", text: cpu.description, backend: cpu, size: sizeOf.cpu(threads) },
  ];
  try {
    const gpu = await openGpuBackend({ allowSoftware });
    const limits = Object.entries(gpu.limits).map(([name, value]) => `${name} ${value}`);
    const size = gpu.software ? sizeOf.software : sizeOf.gpu;
    list.push({ name: "gpu", text: gpu.description, backend: gpu, size });
    list.push({ name: "limits", text: limits.join(", "), backend: null });
  } catch (error) {
    list.push({ name: "gpu", text: (error as Error).message, backend: null });
  }
  return list;
}

async function checkBackend(backend: Backend): Promise<Check[]> {
  const random = uniformStream(0n, 9n);
  const name = backend.name;
  return [
    {
      backend: name,
      kernels: "spherical_harmonics, radial_basis, atomic_basis, channel_mix, product_basis",
      error: await featureError(backend, loadModel(resolveModel(SHIPPED_MODEL)).model, random),
      allowed: ALLOWED.descriptors,
    },
    {
      backend: name,
      kernels: name === "gpu"
        ? "readout, product_basis_adjoint, edge_density_adjoint, atomic_basis_adjoint, " +
          "edge_gradients, edge_forces"
        : "product_basis_adjoint, edge_density_adjoint, atomic_basis_adjoint, edge_gradients",
      error: await forceError(backend, random),
      allowed: ALLOWED.forces,
    },
    {
      backend: name,
      kernels:
        "edge_tangents, atomic_basis_tangent, atomic_basis_weights, product_basis_tangent, " +
        (name === "gpu"
          ? "product_basis_adjoint_tangent, product_basis_weights, channel_mix_weights, row_edges, " +
            "row_offsets, readout_tangent"
          : "product_basis_weights, channel_mix_weights, table_weights"),
      error: await trainingError(backend, random),
      allowed: ALLOWED.gradients,
    },
    {
      backend: name,
      kernels: "filter_convolution, add_bias",
      error: await featureError(backend, tinySchnet(random), random),
      allowed: ALLOWED.descriptors,
    },
    {
      backend: name,
      kernels: name === "gpu" ? "covariance, power_iteration" : "covariance",
      error: await eigenvalueError(backend, random),
      allowed: ALLOWED.eigenvalues,
    },
    {
      backend: name,
      kernels: "neighbor_count",
      error: await countError(backend, random),
      allowed: ALLOWED.counts,
    },
  ];
}

type Random = (id: bigint) => number;

/** 16 atoms of dense hydrogen. */
function hydrogen(random: Random): Frame {
  const side = 2.8;
  const positions = Float64Array.from({ length: 48 }, (_, i) => {
    const [atom, axis] = [Math.floor(i / 3), i % 3];
    const place = [atom % 3, Math.floor(atom / 3) % 3, Math.floor(atom / 9)][axis];
    return side * (place / 3 + 0.15 * random(BigInt(i)));
  });
  return {
    id: "doctor@0",
    file: "doctor",
    index: 0,
    line: 1,
    species: new Uint8Array(16).fill(1),
    positions,
    cell: Float64Array.of(side, 0, 0, 0, side, 0, 0, 0, side),
    pbc: [true, true, true],
    info: new Map(),
  };
}

/** Largest error of a force relative to the largest force. */
async function forceError(backend: Backend, random: Random): Promise<number> {
  const { model } = loadModel(resolveModel(SHIPPED_MODEL));
  const predict = async (from: Backend) => {
    const potential = await openPotential(model, from);
    const [{ forces }] = await potential.predict([hydrogen(random)]);
    await potential.close();
    return forces;
  };
  const [actual, expected] = [await predict(backend), await predict(referenceBackend)];
  return largestError(actual, expected);
}

/** Norm of the error of a loss's gradient, relative to that of the gradient. */
async function trainingError(backend: Backend, random: Random): Promise<number> {
  const model = requirePotential(loadModel(resolveModel(SHIPPED_MODEL)).model);
  const frame = hydrogen(random);
  const forces = Float64Array.from(frame.positions, (_, i) => random(BigInt(1000 + i)));
  const labels = { energy: -230, forces, stress: new Float64Array(9), weight: 1 };
  const options = {
    ...{ kind: "weighted", energyWeight: 10, forcesWeight: 1, stressWeight: 10, delta: 1 } as const,
  };
  const [actual, expected] = await Promise.all([backend, referenceBackend].map(async (from) => {
    const trainer = await from.openTrainer(model, [1], 0);
    const { gradient } = await trainer.gradient(model, [{ frame, labels }], options);
    await trainer.close();
    return gradient;
  }));
  return gradientError(actual, expected);
}

/** Largest error of a descriptor relative to the norm of its row. */
async function featureError(
  backend: Backend,
  model: DescriptorModel,
  random: Random,
): Promise<number> {
  const frame = hydrogen(random);
  const describe = async (from: Backend) => {
    const describer = await from.openDescriber(model, model.layers.length, [1]);
    const [rows] = await describer.describe([frame]);
    await describer.close();
    return rows;
  };
  const [actual, expected] = [await describe(backend), await describe(referenceBackend)];
  const width = expected.length / 16;
  let worst = 0;
  for (let row = 0; row < expected.length; row += width) {
    let [error, norm] = [0, 0];
    for (let i = row; i < row + width; i++) {
      error = Math.max(error, Math.abs(actual[i] - expected[i]));
      norm += expected[i] ** 2;
    }
    worst = Math.max(worst, error / Math.sqrt(norm));
  }
  return worst;
}

/** One interaction of a SchNet with random weights. */
function tinySchnet(random: Random): SchnetModel {
  let drawn = 1000n;
  const dense = (nIn: number, nOut: number) => ({
    ...{ nIn, nOut, bias: new Float64Array(nOut).fill(0.1) },
    weight: Float64Array.from({ length: nIn * nOut }, () => random(drawn++) - 0.5),
  });
  return {
    kind: "SchNet",
    elements: [1],
    rMax: 2.5,
    channels: 8,
    dtype: "float64",
    gaussians: {
      offsets: Float64Array.from({ length: 8 }, (_, k) => 2.5 * k / 7),
      widths: new Float64Array(8).fill(0.36),
    },
    embedding: Float64Array.from({ length: 16 }, () => random(drawn++)),
    layers: [{
      in2f: dense(8, 8),
      filter: [dense(8, 8), dense(8, 8)],
      f2out: [dense(8, 8), dense(8, 8)],
    }],
  };
}

/** Largest relative error of 4 leading eigenvalues of a 12-column covariance. */
async function eigenvalueError(backend: Backend, random: Random): Promise<number> {
  const y = matrix(200, 12);
  for (let i = 0; i < y.data.length; i++) {
    y.data[i] = (random(BigInt(i)) - 0.5) * 0.7 ** (i % 12);
  }
  const values = async (from: Backend) =>
    refineSubspace((v) => applyCovariance(y, v), (await from.leadingSubspace(y, 8)).start, 4)
      .values;
  const [actual, expected] = [await values(backend), await values(referenceBackend)];
  return Math.max(...[0, 1, 2, 3].map((k) => Math.abs(actual[k] / expected[k] - 1)));
}

/** Number of neighbor counts that differ, for points on a grid full of ties. */
async function countError(backend: Backend, random: Random): Promise<number> {
  const points = matrix(300, 3);
  for (let i = 0; i < points.data.length; i++) {
    points.data[i] = Math.floor(6 * random(BigInt(i))) / 4;
  }
  const radii = Float64Array.of(0.25, 0.5, Math.sqrt(0.5), 1.25);
  const counts = async (from: Backend) => (await from.countNeighbors(points, radii)).counts;
  const [actual, expected] = [await counts(backend), await counts(referenceBackend)];
  return actual.reduce((n, count, i) => n + Number(count !== expected[i]), 0);
}
