/** The official PyTorch MACE side by side, one thread each, where a Python has it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loadMace } from "../src/checkpoint/load.ts";
import { openCpuBackend } from "../src/cpu/backend.ts";
import { readNpy } from "../src/io/npy.ts";
import { denseHydrogen, extendedXyz } from "../src/speed/inputs.ts";
import { check, interleave, micros, row, rowError, table } from "./timing.ts";

const SCRIPT = fileURLToPath(new URL("./mace_torch.py", import.meta.url));
const ATOMS = 256;

/** @param python a Python with mace-torch, e3nn and ase */
export async function benchMace(python: string): Promise<void> {
  table(
    `PyTorch, the same random weights, ${ATOMS} atoms of dense hydrogen, forward, 1 thread each`,
    ...["r_max Å", "r_s Bohr", "peer", "ours, µs/edge", "peer, µs/edge", "times faster", "error"],
  );
  const backend = await openCpuBackend(1);
  for (const [rMax, rs] of [[5, 1.24], [5, 1.4], [6, 1.24], [6, 1.4]]) {
    const frame = denseHydrogen(ATOMS, rs);
    const folder = mkdtempSync(join(tmpdir(), "cpd-peer-"));
    try {
      const paths = ["random.model", "frame.xyz", "out.npy"].map((name) => join(folder, name));
      writeFileSync(paths[1], extendedXyz(frame));
      const { status, stdout, stderr } = spawnSync(python, [SCRIPT, String(rMax), ...paths], {
        encoding: "utf8",
        env: { ...process.env, OMP_NUM_THREADS: "1" },
      });
      if (status !== 0) throw new Error(`${python} cannot run MACE: ${stderr}`);
      const peer = JSON.parse(stdout.trim().split("\n").at(-1)!);
      const describer = await backend.openDescriber(loadMace(paths[0]).model, 2, [1]);
      const expected = readNpy(readFileSync(paths[2]), paths[2]).data;
      const error = rowError((await describer.describe([frame]))[0], expected, describer.width);
      const checked = check("descriptors", error, 1e-4);
      const [ours] = await interleave([() => describer.describe([frame])], 5);
      await describer.close();
      const theirs = peer.seconds.toSorted((a: number, b: number) => a - b)[1];
      const ratio = (1000 * theirs / ours.median).toFixed(0);
      const cost = (1e6 * theirs / peer.n_edges).toFixed(1);
      row(rMax, rs, peer.name, micros(ours, peer.n_edges), cost, ratio, checked);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  await backend.close();
}

if (import.meta.main) await benchMace(process.argv[2] ?? "python3");
