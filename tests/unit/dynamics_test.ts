/** Draws, thermostat and block averages against what theory says of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockAverage } from "../../src/analyze/block_average.ts";
import { gammaLaw, ksTest } from "../../src/dynamics/canonical.ts";
import { drawVelocities } from "../../src/dynamics/draw_velocities.ts";
import { drawsOf } from "../../src/dynamics/draws.ts";
import { degreesOfFreedom, kineticEnergy, temperatureOf } from "../../src/dynamics/kinetic.ts";
import { BOLTZMANN } from "../../src/units.ts";
import { rescaleVelocities } from "../../src/dynamics/velocity_rescaling.ts";
import { verletStep } from "../../src/dynamics/verlet.ts";

const gaussianLaw = (x: number) => 0.5 + 0.5 * Math.sign(x) * gammaLaw(0.5, x * x / 2);

test("the incomplete gamma function and the test of Kolmogorov and Smirnov", () => {
  // P(1, x) = 1 - exp(-x); P(1/2, x²) = erf x; the others by SciPy.
  assert.ok(Math.abs(gammaLaw(1, 0.7) - (1 - Math.exp(-0.7))) < 1e-12);
  assert.ok(Math.abs(gammaLaw(0.5, 1) - 0.8427007929497149) < 1e-12);
  assert.ok(Math.abs(gammaLaw(5, 5) - 0.5595067149347879) < 1e-12);
  assert.ok(Math.abs(gammaLaw(94.5, 100) - 0.7221686318049015) < 1e-11);
  // The distance 0.1 of 100 even numbers that lie 0.1 - 0.005 too far: z 1.013.
  const even = Array.from({ length: 100 }, (_, i) => (i + 0.5) / 100);
  assert.ok(ksTest(even, (x) => x) > 0.999999);
  const shifted = ksTest(even, (x) => Math.min(1, x + 0.095));
  assert.ok(Math.abs(shifted - 0.256221) < 1e-5, `p ${shifted}`);
});

test("draws follow their laws, and depend on seed, stream and step alone", () => {
  const gaussian = Array.from({ length: 5000 }, (_, step) => drawsOf(1n, 7n, step).gaussian());
  assert.ok(ksTest(gaussian, gaussianLaw) > 0.01, "normal");
  for (const n of [1, 2, 3, 8, 188]) {
    const squares = Array.from({ length: 5000 }, (_, step) => drawsOf(2n, 7n, step).chiSquared(n));
    const p = ksTest(squares, (x) => gammaLaw(n / 2, x / 2));
    assert.ok(p > 0.01, `chi squared of ${n}: p ${p}`);
    const wrong = ksTest(squares, (x) => gammaLaw((n + 1) / 2, x / 2));
    assert.ok(wrong < 0.01, `chi squared of ${n + 1} degrees is told from it`);
  }
  assert.equal(drawsOf(1n, 7n, 3).gaussian(), gaussian[3]);
  assert.notEqual(drawsOf(1n, 8n, 3).gaussian(), gaussian[3]);
});

const N = 8;
const TEMPERATURE = 1000;
const DT = 0.48;

/** Atoms of hydrogen in motion at a temperature. */
function movingAtoms(seed: bigint) {
  const state = {
    ...{ species: new Uint8Array(N).fill(1), masses: new Float64Array(N).fill(1.008) },
    ...{ cell: new Float64Array(9), pbc: [false, false, false] as const, step: 0 },
    ...{ positions: new Float64Array(3 * N), velocities: new Float64Array(3 * N) },
  };
  drawVelocities(state, TEMPERATURE, drawsOf(seed, 1n, 0));
  return state;
}

/** Springs between all atoms: 3 N - 3 modes of one frequency, a period of 8 fs; their centre feels none. */
function springs({ positions }: { positions: Float64Array }) {
  const stiffness = 1.008 * (2 * Math.PI / 8) ** 2 / 0.00964853321233;
  const centre = [0, 1, 2].map((k) => {
    let sum = 0;
    for (let n = 0; n < N; n++) sum += positions[3 * n + k];
    return sum / N;
  });
  return Promise.resolve({ forces: positions.map((x, i) => -stiffness * (x - centre[i % 3])) });
}

/** Mean over blocks of the correlation of x with itself after `lag`, and the error of this mean. */
function correlationAt(x: readonly number[], lag: number, mean: number, variance: number) {
  const blocks = 40;
  const length = Math.floor((x.length - lag) / blocks);
  const own = Array.from({ length: blocks }, (_, b) => {
    let sum = 0;
    for (let i = b * length; i < (b + 1) * length; i++) sum += (x[i] - mean) * (x[i + lag] - mean);
    return sum / (length * variance);
  });
  const average = own.reduce((sum, r) => sum + r, 0) / blocks;
  const squares = own.reduce((sum, r) => sum + (r - average) ** 2, 0);
  return { average, error: Math.sqrt(squares / (blocks * (blocks - 1))) };
}

for (const tau of [5, 50, 500]) {
  test(`kinetic energies of a harmonic crystal are canonical, and forget at their pace (tau ${tau} fs)`, async () => {
    const degrees = degreesOfFreedom(N);
    const mean = degrees / 2 * BOLTZMANN * TEMPERATURE;
    const variance = degrees / 2 * (BOLTZMANN * TEMPERATURE) ** 2;
    const law = (x: number) => gammaLaw(degrees / 2, x / (BOLTZMANN * TEMPERATURE));
    const thermostat = { temperature: TEMPERATURE, tau };
    const crystal = movingAtoms(11n);
    const kinetic: number[] = [];
    let now = await springs(crystal);
    for (let step = 0; step < 200_000; step++) {
      now = await verletStep(crystal, now, DT, springs);
      rescaleVelocities(crystal, thermostat, DT, drawsOf(12n, 2n, step));
      kinetic.push(kineticEnergy(crystal));
    }
    // Samples of a crystal are apart by the time in which its total energy forgets, 2 τ.
    const thinned = kinetic.filter((_, i) => i % Math.ceil(8 * Math.max(tau, 8) / DT) === 0);
    const p = ksTest(thinned, law);
    assert.ok(p > 0.01, `law of the kinetic energy: p ${p}`);
    // Free atoms: ⟨δK(0) δK(t)⟩ = Var K exp(-t / τ), exactly.
    const free = movingAtoms(13n);
    const alone: number[] = [];
    for (let step = 0; step < 200_000; step++) {
      rescaleVelocities(free, thermostat, DT, drawsOf(14n, 3n, step));
      alone.push(kineticEnergy(free));
    }
    for (const lag of [0.5, 1, 2].map((times) => Math.round(times * tau / DT))) {
      const { average, error } = correlationAt(alone, lag, mean, variance);
      const off = (average - Math.exp(-lag * DT / tau)) / error;
      assert.ok(Math.abs(off) < 2.576, `correlation after ${lag} steps: ${off} errors off`);
    }
  });
}

test("velocities are drawn at a temperature, and their centre rests", () => {
  const state = movingAtoms(3n);
  assert.ok(Math.abs(temperatureOf(state) - TEMPERATURE) < 1e-9);
  for (let k = 0; k < 3; k++) {
    let sum = 0;
    for (let n = 0; n < N; n++) sum += state.velocities[3 * n + k];
    assert.ok(Math.abs(sum) < 1e-12);
  }
});

test("the error of a mean is that of independent blocks", () => {
  // x' = f x + noise: 1 + 2 Σ fᵏ = (1 + f) / (1 - f) numbers stand for one.
  const f = 0.9;
  const n = 1 << 17;
  const values: number[] = [];
  let x = 0;
  for (let i = 0; i < n; i++) values.push(x = f * x + drawsOf(5n, 4n, i).gaussian());
  const { mean, error, inefficiency } = blockAverage(values);
  const expected = (1 + f) / (1 - f);
  assert.ok(Math.abs(inefficiency / expected - 1) < 0.15, `inefficiency ${inefficiency}`);
  const theory = Math.sqrt(expected / (1 - f * f) / n);
  assert.ok(Math.abs(error / theory - 1) < 0.1, `error ${error} of ${theory}`);
  assert.ok(Math.abs(mean) < 3 * theory);
  assert.ok(Number.isNaN(blockAverage(values.slice(0, 30)).error), "too few to tell");
  assert.deepEqual(blockAverage([2, 2, 2]), { mean: 2, error: 0, inefficiency: 1 });
});
