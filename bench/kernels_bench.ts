/**
 * Kernels by backend, with their throughput: `deno bench`, or `bun bench/kernels_bench.ts`, where
 * tinybench keeps the time.
 */
import type { Backend } from "../src/backend.ts";
import { cpuBackend } from "../src/cpu/backend.ts";
import { chooseBuild } from "../src/cpu/build.ts";
import { inlineThreads } from "../src/cpu/threads.ts";
import { GpuUnavailableError } from "../src/errors.ts";
import { openGpuBackend } from "../src/gpu/backend.ts";
import { type SpeedCase, speedCases } from "../src/speed/cases.ts";
import { check } from "./timing.ts";

const build = chooseBuild();
// In this thread, so that `deno bench` needs no permission.
const backends: Backend[] = [cpuBackend(inlineThreads(build), build)];
try {
  backends.push(await openGpuBackend({ allowSoftware: false }));
} catch (error) {
  const denied = (error as Error).name === "NotCapable";
  if (!(error instanceof GpuUnavailableError) && !denied) throw error;
  console.log(`no gpu: ${denied ? "not permitted; deno bench -A" : (error as Error).message}`);
}
const cases: { backend: string; timed: SpeedCase }[] = [];
for (const backend of backends) {
  for await (const timed of speedCases(backend, { frames: 1, atoms: 64, points: 4000 })) {
    check(timed.name, timed.error, timed.allowed);
    cases.push({ backend: backend.name, timed });
  }
}

/** Work per second, such as `1.83e+6 edges/s`. */
const throughput = (amount: number, milliseconds: number, unit: string) =>
  `${(1000 * amount / milliseconds).toPrecision(3)} ${unit}/s`;

if ("Deno" in globalThis) {
  for (const { backend, timed: { name, amount, unit, run } } of cases) {
    const times: number[] = [];
    Deno.bench({
      name: `${name}, ${backend}, ${amount} ${unit}`,
      group: name,
      baseline: backend === "cpu",
      async fn() {
        const start = performance.now();
        await run();
        times.push(performance.now() - start);
      },
    });
    globalThis.addEventListener("unload", () => {
      if (times.length === 0) return;
      const median = times.sort((a, b) => a - b)[times.length >> 1];
      console.log(`${name}, ${backend}: ${throughput(amount, median, unit)}`);
    });
  }
} else {
  const { Bench } = await import("tinybench");
  const bench = new Bench({ time: 1000 });
  for (const { backend, timed } of cases) {
    bench.add(`${timed.name}, ${backend}`, async () => void await timed.run());
  }
  await bench.run();
  bench.tasks.forEach(({ name, result }, i) => {
    const { amount, unit } = cases[i].timed;
    if (!("latency" in result)) throw new Error(`${name}: ${result.state}`);
    const { p50, min, max } = result.latency;
    console.log(
      `${name}: ${throughput(amount, p50, unit)}, ${p50.toFixed(3)} ms ` +
        `(${min.toFixed(3)} to ${max.toFixed(3)})`,
    );
  });
  for (const { timed } of cases) await timed.close();
  for (const backend of backends) await backend.close();
}
