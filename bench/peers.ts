/** The same work by scikit-learn and numpy on one thread, side by side, where a Python has them. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { npyBytes, npyHeader, readNpy } from "../src/io/npy.ts";
import type { Matrix } from "../src/matrix.ts";
import { clusteredPoints, decayingColumns, onePercentRadius } from "../src/speed/points.ts";
import { check, interleave, row, table, type Timing } from "./timing.ts";

const SCRIPT = fileURLToPath(new URL("./peers.py", import.meta.url));

/** @param python a Python with numpy and scikit-learn */
export async function benchPeers(python: string): Promise<void> {
  table("Peers, one thread each", "task", "peer", "ours, s", "peer, s", "times faster", "error");
  const backend = await openCpuBackend(1);
  const points = clusteredPoints(50000, 16);
  const radii = Float64Array.of(onePercentRadius(points));
  const count = () => backend.countNeighbors(points, radii);
  const ours = (await count()).counts;
  const [time] = await interleave([count], 3);
  const balls = askPeer(python, "count", points, [String(radii[0])]);
  const wrong = ours.reduce((sum, c, i) => sum + Number(c !== balls.answer[i]), 0);
  report("count N = 50 000, d = 16", balls, time, check("counts", wrong, 0));

  const x = decayingColumns(147200, 256);
  const gram = askPeer(python, "pca", x, []);
  const { covariance } = await backend.leadingSubspace(x, 24);
  const error = gram.answer.reduce((e, c, i) => Math.max(e, Math.abs(c - covariance!.data[i])), 0);
  const [pca] = await interleave([() => backend.leadingSubspace(x, 24)], 3);
  report("covariance and eigenvectors 147 200 x 256", gram, pca, check("covariance", error, 1e-12));
  await backend.close();
}

function report(task: string, peer: Peer, { median, least, most }: Timing, error: string): void {
  const theirs = peer.seconds.toSorted((a, b) => a - b)[peer.seconds.length >> 1];
  const ratio = (ms: number) => (1000 * theirs / ms).toFixed(1);
  row(
    task,
    peer.name,
    (median / 1000).toFixed(2),
    theirs.toFixed(2),
    `${ratio(median)} (${ratio(most)}-${ratio(least)})`,
    error,
  );
}

interface Peer {
  readonly name: string;
  readonly seconds: readonly number[];
  readonly answer: Float64Array;
}

function askPeer(python: string, task: string, input: Matrix, args: readonly string[]): Peer {
  const folder = mkdtempSync(join(tmpdir(), "cpd-peer-"));
  try {
    const [source, target] = ["input.npy", "output.npy"].map((name) => join(folder, name));
    const header = npyHeader([input.rows, input.cols], "<f8");
    writeFileSync(source, [header, npyBytes(input.data, "<f8")].reduce(append, new Uint8Array(0)));
    const env = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
    const { status, stdout, stderr } = spawnSync(python, [SCRIPT, task, source, target, ...args], {
      encoding: "utf8",
      env,
    });
    if (status !== 0) throw new Error(`${python} cannot run the peer: ${stderr}`);
    return { ...JSON.parse(stdout), answer: readNpy(readFileSync(target), target).data };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function append(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
