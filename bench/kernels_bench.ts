/**
 * Kernels by backend, with their throughput: `deno bench`, or `bun bench/kernels_bench.ts`, where
 * tinybench keeps the time.
 */
import { kernelCases } from "./kernel_cases.ts";

const { cases, close } = await kernelCases();

/** Work per second, such as `1.83e+6 edges/s`. */
const throughput = (amount: number, milliseconds: number, unit: string) =>
  `${(1000 * amount / milliseconds).toPrecision(3)} ${unit}/s`;

if ("Deno" in globalThis) {
  for (const { name, backend, amount, unit, run } of cases) {
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
  for (const { name, backend, run } of cases) bench.add(`${name}, ${backend}`, () => run());
  await bench.run();
  bench.tasks.forEach(({ name, result }, i) => {
    const { amount, unit } = cases[i];
    if (!("latency" in result)) throw new Error(`${name}: ${result.state}`);
    const { p50, min, max } = result.latency;
    console.log(
      `${name}: ${throughput(amount, p50, unit)}, ${p50.toFixed(3)} ms ` +
        `(${min.toFixed(3)} to ${max.toFixed(3)})`,
    );
  });
  await close();
}
