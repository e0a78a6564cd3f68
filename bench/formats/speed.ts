/** Reading of outputs beside ASE, in one run: `deno run -A bench/formats/speed.ts OUTCAR vasprun.xml [PYTHON]`. */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import process from "node:process";
import { readChunks } from "../../src/io/files.ts";
import { formatOf } from "../../src/io/formats/formats.ts";
import { row, table } from "../timing.ts";

const [outcar, vasprun, python] = process.argv.slice(2);
table(
  "Reading, one core",
  "file",
  "MB",
  "frames",
  "MB/s",
  "ASE, MB/s",
  "times faster",
  "resident, MB",
);
for (const [path, format] of [[outcar, "vasp-out"], [vasprun, "vasp-xml"]] as const) {
  const megabytes = statSync(path).size / 1e6;
  for await (const _ of readChunks(path)) { /* the disk is not what is measured */ }
  const reader = (await formatOf(path, path))!;
  const start = performance.now();
  let frames = 0;
  for await (const record of reader.read({ name: path, path, elements: null }, () => {})) {
    frames += Number(record.forces !== null);
  }
  const seconds = (performance.now() - start) / 1000;
  const resident = process.memoryUsage().rss / 1e6;
  const script =
    "import sys,time,ase.io; t=time.time(); n=len(ase.io.read(sys.argv[1],':',format=sys.argv[2])); " +
    "print(n, time.time()-t)";
  const peer = python
    ? spawnSync(python, ["-c", script, path, format], { encoding: "utf8" }).stdout
    : "";
  const [n, theirs] = peer.trim().split(" ").map(Number);
  if (python && n !== frames) throw new Error(`ASE reads ${n} frames, ours are ${frames}`);
  row(
    ...[path.split("/").at(-1)!, megabytes.toFixed(0), frames, (megabytes / seconds).toFixed(0)],
    ...(python ? [(megabytes / theirs).toFixed(1), (theirs / seconds).toFixed(0)] : ["", ""]),
    resident.toFixed(0),
  );
}
