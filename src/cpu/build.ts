import { allocate, type Build, createMemory, loadKernel } from "./memory.ts";

/** Kernel that is raced, and the size of its problem: a matter of milliseconds. */
const RACED = "channel_mix";
const [ROWS, WIDTH, ROUNDS, RACES] = [64, 64, 7, 3];
/** Relaxed kernels are given up where they are slower by more than this; engines differ widely. */
const MARGIN = 1.15;

/**
 * The build that suits this engine and processor: relaxed multiply-add where the engine knows it and
 * where it is not clearly slower in a short race.
 */
export function chooseBuild(): Build {
  const memory = createMemory();
  let kernels;
  try {
    kernels = (["plain", "relaxed"] as const).map((build) => loadKernel(memory, build, RACED));
  } catch {
    return "plain";
  }
  const x = allocate(memory, 4 * ROWS * WIDTH);
  const weight = allocate(memory, 4 * WIDTH * WIDTH);
  const out = allocate(memory, 4 * ROWS * WIDTH);
  const rows = allocate(memory, 4 * ROWS);
  new Uint32Array(memory.buffer, rows, ROWS).forEach((_, i, a) => a[i] = i * WIDTH);
  // On a busy machine a race may fall either way; the relaxed kernels have to lose all of them.
  for (let race = 0; race < RACES; race++) {
    const best = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS; round++) {
      kernels.forEach((kernel, k) => {
        const start = performance.now();
        for (let i = 0; i < 8; i++) kernel(x, weight, out, rows, rows, ROWS, WIDTH, WIDTH, 0);
        best[k] = Math.min(best[k], performance.now() - start);
      });
    }
    if (best[1] <= MARGIN * best[0]) return "relaxed";
  }
  return "plain";
}
