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
import { extendedXyz } from "../src/io/write_extxyz.ts";
import { denseHydrogen } from "../src/speed/inputs.ts";
import { largestError, rowError } from "../src/speed/errors.ts";
import { check, interleave, micros, row, table, type Timing } from "./timing.ts";

const SCRIPT = fileURLToPath(new URL("./mace_torch.py", import.meta.url));
const ATOMS = 256;

/** @param python a Python with mace-torch, e3nn and ase */
export async function benchMace(python: string): Promise<void> {
  table(
    `PyTorch, the same random weights, ${ATOMS} atoms of dense hydrogen, 1 thread each`,
    ...["r_max Å", "r_s Bohr", "peer", "of", "ours, µs/edge", "peer, µs/edge", "times faster"],
    "error",
  );
  const backend = await openCpuBackend(1);
  for (const [rMax, rs] of [[5, 1.24], [5, 1.4], [6, 1.24], [6, 1.4]]) {
    const frame = denseHydrogen(ATOMS, rs);
    const folder = mkdtempSync(join(tmpdir(), "cpd-peer-"));
    try {
      const paths = ["random.model", "frame.xyz", "out.npy", "forces.npy"].map((name) =>
        join(folder, name)
      );
      writeFileSync(paths[1], extendedXyz(frame, [], []));
      const { status, stdout, stderr } = spawnSync(python, [SCRIPT, String(rMax), ...paths], {
        encoding: "utf8",
        env: { ...process.env, OMP_NUM_THREADS: "1" },
      });
      if (status !== 0) throw new Error(`${python} cannot run MACE: ${stderr}`);
      const peer = JSON.parse(stdout.trim().split("\n").at(-1)!);
      const { model } = loadMace(paths[0]);
      const describer = await backend.openDescriber(model, 2, [1]);
      const expected = readNpy(readFileSync(paths[2]), paths[2]).data;
      const [rows] = await describer.describe([frame]);
      const error = check("descriptors", rowError(rows, expected, describer.width), 1e-4);
      const [described] = await interleave([() => describer.describe([frame])], 5);
      await describer.close();
      const potential = await backend.openPotential(model, [1], 0);
      const exact = readNpy(readFileSync(paths[3]), paths[3]).data;
      const [{ forces }] = await potential.predict([frame]);
      const forceError = check("forces", largestError(forces, exact), 1e-3);
      const [predicted] = await interleave([() => potential.predict([frame])], 5);
      await potential.close();
      const tell = (of: string, ours: Timing, seconds: number[], wrong: string) => {
        const theirs = seconds.toSorted((a, b) => a - b)[1];
        const ratio = (1000 * theirs / ours.median).toFixed(0);
        const cost = (1e6 * theirs / peer.n_edges).toFixed(1);
        row(rMax, rs, peer.name, of, micros(ours, peer.n_edges), cost, ratio, wrong);
      };
      tell("descriptors", described, peer.seconds, error);
      tell("energies, forces", predicted, peer.seconds_forces, forceError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  await backend.close();
}

if (import.meta.main) await benchMace(process.argv[2] ?? "python3");
