/** The core's peak of 128-bit multiply-adds under this engine, measured with registers only. */
import asc from "assemblyscript/asc";

const CHAINS = 10;
const SOURCE = `
export function peak(n: i32, at: usize): void {
  const x = v128.load(at), y = v128.load(at, 16);
  ${
  Array.from({ length: CHAINS }, (_, i) => `let a${i} = v128.load(at, ${32 + 16 * i});`).join("\n")
}
  for (let k = 0; k < n; k++) {
    ${Array.from({ length: CHAINS }, (_, i) => `a${i} = MADD(a${i}, x, y);`).join("\n")}
  }
  ${Array.from({ length: CHAINS }, (_, i) => `v128.store(at, a${i}, ${32 + 16 * i});`).join("\n")}
}`;
const MADD = {
  plain: (a: string, b: string, c: string) => `f32x4.add(f32x4.mul(${a}, ${b}), ${c})`,
  relaxed: (a: string, b: string, c: string) => `f32x4.relaxed_madd(${a}, ${b}, ${c})`,
};

/** Multiply-adds of float32 numbers per second and core. */
export async function peakMultiplyAdds(build: "plain" | "relaxed"): Promise<number> {
  const source = SOURCE.replaceAll(
    /MADD\((\w+), (\w+), (\w+)\)/g,
    (_, a, b, c) => MADD[build](a, b, c),
  );
  const { binary } = await compile(source, build === "relaxed");
  const module = new WebAssembly.Module(Uint8Array.from(binary));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const run = exports.peak as (n: number, at: number) => void;
  new Float32Array(memory.buffer).fill(0.9, 0, 64);
  let best = Infinity;
  // The engine's optimising compiler takes over within the first rounds.
  for (let round = 0; round < 60; round++) {
    const start = performance.now();
    run(1e6, 0);
    best = Math.min(best, performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return 4 * CHAINS * 1e6 / (best / 1000);
}

async function compile(source: string, relaxed: boolean): Promise<{ binary: Uint8Array }> {
  let binary: Uint8Array | null = null;
  const features = `simd,threads,bulk-memory${relaxed ? ",relaxed-simd" : ""}`;
  const memory = "--importMemory --sharedMemory --initialMemory 1 --maximumMemory 1".split(" ");
  const { error } = await asc.main(
    ["peak.ts", "-O3", "--runtime", "stub", "--enable", features, "-o", "peak.wasm", ...memory],
    {
      readFile: (name) => (name === "peak.ts" ? source : null),
      writeFile: (_name, contents) => void (binary = contents as Uint8Array),
      listFiles: () => [],
    },
  );
  if (error || !binary) throw error ?? new Error("nothing was compiled");
  return { binary };
}
