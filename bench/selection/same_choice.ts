/**
 * How often two backends choose otherwise: same_choice.ts A.npy B.npy SEEDS N,N,... METHOD,METHOD,...
 * A and B are features of the same frames by two backends (cpd features --dtype f64).
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { referenceBackend } from "../../src/backend.ts";
import { readNpy } from "../../src/io/npy.ts";
import { matrix } from "../../src/matrix.ts";
import { measurePool, selectFrames } from "../../src/pipeline.ts";
import type { Method } from "../../src/select/method.ts";
import { DEFAULTS } from "../../tests/options.ts";

const [a, b, seeds, sizes, methods] = process.argv.slice(2);
const pools = await Promise.all([a, b].map((path) => {
  const { rows, cols, data } = readNpy(readFileSync(path), path);
  const frames = Array.from({ length: rows }, (_, index) => ({ file: "pool", index }));
  const features = matrix(rows, cols, data);
  return measurePool(
    { frames, features, strata: null, keep: [], reference: null },
    DEFAULTS,
    referenceBackend,
  );
}));
for (const method of methods.split(",") as Method[]) {
  for (const select of sizes.split(",").map(Number)) {
    let [differ, named, moved] = [0, 0, 0];
    for (let seed = 0n; seed < BigInt(seeds); seed++) {
      const [x, y] = pools.map((pool) => selectFrames(pool, { ...DEFAULTS, method, select, seed }));
      const others = x.rank.filter((rank, i) => rank > 0 && y.rank[i] === 0).length;
      if (others === 0) continue;
      differ++;
      moved = Math.max(moved, others);
      if (x.closeCalls.length + y.closeCalls.length > 0) named++;
    }
    console.log(
      `${method}, N = ${select}: ${differ} of ${seeds} choices differ, by ${moved} frames at most; ` +
        `${named} of them with close calls`,
    );
  }
}
