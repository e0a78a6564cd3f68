/** Counting neighbors, the search for r_c, and principal components. */
import { openCpuBackend } from "../src/cpu/backend.ts";
import { covariance } from "../src/linalg/covariance.ts";
import { principalComponents } from "../src/linalg/pca.ts";
import { searchRadius } from "../src/select/cutoff_radius.ts";
import { neighborCount } from "../src/select/neighbor_count.ts";
import { clusteredPoints, decayingColumns, onePercentRadius } from "../src/speed/points.ts";
import { check, interleave, residentMegabytes, row, table } from "./timing.ts";

export async function benchCounting(): Promise<void> {
  table(
    "Counting, one radius with 1 % neighbors",
    "N",
    "d",
    "1 thread, s",
    "ns/ordered pair",
    "2 threads, times faster",
    "slope",
    "resident, MB",
  );
  const backends = await Promise.all([1, 2].map((n) => openCpuBackend(n)));
  for (const d of [3, 16]) {
    let last: { n: number; time: number } | null = null;
    for (const n of [575, 5000, 50000]) {
      const points = clusteredPoints(n, d);
      const radii = Float64Array.of(onePercentRadius(points));
      const counted = backends.map((b) => () => b.countNeighbors(points, radii));
      if (n <= 5000) {
        const exact = neighborCount(points, radii);
        const { counts } = await counted[0]();
        check(`counts of ${n}`, counts.findIndex((c, i) => c !== exact[i]), -1);
      }
      const [one, two] = await interleave(counted, 3);
      const slope = last && Math.log(one.median / last.time) / Math.log(n / last.n);
      row(
        n,
        d,
        (one.median / 1000).toFixed(3),
        (1e6 * one.median / n / n).toFixed(2),
        (one.median / two.median).toFixed(2),
        slope ? slope.toFixed(2) : "",
        residentMegabytes(),
      );
      last = { n, time: one.median };
    }
  }
  table("Search for r_c, d = 16, all radii", "N", "1 thread, s", "objective at r_c");
  for (const n of [575, 2000, 20000]) {
    const points = clusteredPoints(n, 16);
    const options = {
      radius: null,
      objective: "log-variance" as const,
      isolationWeight: 1,
      seed: 1n,
    };
    const search = () => searchRadius(points, options, (p, r) => backends[0].countNeighbors(p, r));
    const { objective, chosen } = await search();
    const [time] = await interleave([search], n < 1000 ? 9 : 1);
    row(n, (time.median / 1000).toFixed(3), objective[chosen].toFixed(4));
  }
  for (const backend of backends) await backend.close();
}

export async function benchPca(): Promise<void> {
  table(
    "Principal components, 256 columns, 16 kept, 1 thread",
    "N",
    "error",
    "covariance and eigen, s",
    "all, s",
    "slope",
    "resident, MB",
  );
  const backend = await openCpuBackend(1);
  let last: { n: number; time: number } | null = null;
  for (const n of [575, 9200, 147200]) {
    const x = decayingColumns(n, 256);
    const found = await backend.leadingSubspace(x, 24);
    const exact = covariance(x).data;
    const error = found.covariance!.data.reduce(
      (most, c, i) => Math.max(most, Math.abs(c - exact[i])),
      0,
    );
    const [lead, all] = await interleave([
      () => backend.leadingSubspace(x, 24),
      () => principalComponents(x, "none", { kind: "count", count: 16 }, backend.leadingSubspace),
    ], 1);
    const slope = last && Math.log(lead.median / last.time) / Math.log(n / last.n);
    row(
      n,
      check(`covariance of ${n}`, error, 1e-12),
      (lead.median / 1000).toFixed(3),
      (all.median / 1000).toFixed(3),
      slope ? slope.toFixed(2) : "",
      residentMegabytes(),
    );
    last = { n, time: lead.median };
  }
  await backend.close();
}
