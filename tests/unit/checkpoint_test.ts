import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { openArchive } from "../../src/checkpoint/archive.ts";
import { exportWeights } from "../../src/checkpoint/export.ts";
import { loadMace, readCheckpoint } from "../../src/checkpoint/load.ts";
import { maceModel } from "../../src/checkpoint/mace_checkpoint.ts";
import { unpickle } from "../../src/checkpoint/unpickle.ts";
import { formatWeights, readWeights } from "../../src/checkpoint/weights.ts";
import { WeightsError } from "../../src/errors.ts";
import type { Frame } from "../../src/frame.ts";
import { neighborList } from "../../src/graph/neighbor_list.ts";
import { descriptors } from "../../src/model/mace.ts";
import { nodeEnergies } from "../../src/model/potential.ts";
import type { MaceModel } from "../../src/model/mace_model.ts";
import { makeFrame, projectPath, randomNumbers, sharedPath } from "../support.ts";

function testFrame(species: number[]): Frame {
  const u = randomNumbers(4, 3 * species.length);
  const positions = u.map((x, i) => 1.1 * Math.floor(i / 3) + 0.5 * x);
  return makeFrame(species, positions, [5, 0, 0, 0.5, 5, 0, 0, 0, 5]);
}

const results = (model: MaceModel, species: number[]) => {
  const graph = neighborList(testFrame(species), model.rMax);
  return [...descriptors(model, graph), ...nodeEnergies(model, graph)];
};

const MODELS: [path: string, species: number[]][] = [
  ["reference/mace/density_c16.model", [1, 8, 14, 1]],
  ["reference/mace/density_L0_c16.model", [1, 8, 14, 1]],
  ["reference/mace_official/mace02_com1_swa.model", [1, 6, 8, 1]],
  ["reference/mace_official/mace_benchmark_maxL1_corr3_swa.model", [1, 6, 8, 1]],
  ["models/hhe-pbe.model", [1, 2, 1]],
  ["demo/hydrogen-small.model", [1, 1, 1]],
];

for (const [path, species] of MODELS) {
  test(`exported weights of ${path} give identical float64 results`, () => {
    const full = sharedPath(path);
    if (!full) return;
    const { model, checkpoint } = loadMace(full);
    const expected = results(model, species);
    const whole = maceModel(readWeights(formatWeights(exportWeights(checkpoint, null))));
    assert.deepEqual(results(whole, species), expected);
    const some = exportWeights(checkpoint, ["H"]);
    const bytes = formatWeights(some);
    const sliced = maceModel(readWeights(bytes));
    assert.deepEqual(sliced.elements, [1]);
    assert.deepEqual(results(sliced, [1, 1, 1]), results(model, [1, 1, 1]));
    // Exporting what was exported changes nothing.
    assert.deepEqual(formatWeights(exportWeights(readWeights(bytes), null)), bytes);
  });
}

test("a state dict holds the same model, and a float32 file exports identically", () => {
  const paths = ["density_L0_c4.model", "density_L0_c4.sd.pt", "density_L0_c4_f32.model"]
    .map((name) => sharedPath(`reference/mace/${name}`));
  if (!paths[0] || !paths[1] || !paths[2]) return;
  const [whole, dict, single] = paths.map((path) => loadMace(path!).model);
  assert.deepEqual(results(dict, [1, 8, 14]), results(whole, [1, 8, 14]));
  assert.equal(single.dtype, "float32");
  const { checkpoint } = loadMace(paths[2]);
  const exported = maceModel(readWeights(formatWeights(exportWeights(checkpoint, null))));
  assert.deepEqual(results(exported, [1, 8, 14]), results(single, [1, 8, 14]));
});

test("containers of other programs are refused by name", () => {
  const path = sharedPath("reference/mace/density_L0_c4.model-lammps.pt");
  if (path) {
    assert.throws(
      () => loadMace(path),
      /it is compiled \(TorchScript\); give the \.model that it was made from/,
    );
  }
  const schnet = sharedPath("models/schnet-ethanol.model");
  if (schnet) assert.throws(() => loadMace(schnet), (e) => e instanceof WeightsError);
});

test("unknown classes and settings are refused by name", () => {
  const path = sharedPath("models/hhe-pbe.model");
  if (!path) return;
  const { checkpoint } = loadMace(path);
  const change = (config: Partial<typeof checkpoint.config>) =>
    maceModel({ ...checkpoint, config: { ...checkpoint.config, ...config } });
  assert.throws(() => change({ modelClass: "BOTNet" }), /it holds a "BOTNet"/);
  assert.throws(
    () => change({ interactionClasses: ["RealAgnosticAttResidualInteractionBlock", "x"] }),
    /"RealAgnosticAttResidualInteractionBlock" is not supported/,
  );
  assert.throws(() => change({ avgNumNeighbors: [NaN, NaN] }), /has no avg_num_neighbors/);
  const without = new Map(checkpoint.tensors);
  without.delete("interactions.1.linear.weight");
  assert.throws(
    () => maceModel({ ...checkpoint, tensors: without }),
    /there is no tensor "interactions.1.linear.weight"/,
  );
  const { checkpoint: shipped } = loadMace(projectPath("data/hydrogen-small.safetensors"));
  assert.throws(() => exportWeights(shipped, ["Au"]), /does not know the element "Au", only H/);
});

test("a pickle that calls a system command only describes it", () => {
  // Protocol 2: GLOBAL os system, MARK, SHORT_BINSTRING "exit", TUPLE, REDUCE, STOP.
  const program = Uint8Array.from(
    [..."\x80\x02cos\nsystem\n(U\x04exittR."],
    (c) => c.charCodeAt(0),
  );
  const record = unpickle(program) as { name: string; args: unknown };
  assert.equal(record.name, "os system");
  assert.deepEqual(record.args, ["exit"]);
});

/** Refused with a WeightsError, or read; never anything else, and never for long. */
function survives(bytes: Uint8Array): void {
  const start = performance.now();
  try {
    maceModel(readCheckpoint(bytes));
  } catch (error) {
    assert.ok(error instanceof WeightsError, `${(error as Error).stack}`);
  }
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds < 20, `${seconds} s`);
}

const FUZZED = [
  "reference/mace/density_L0_c4_f32.model",
  "reference/mace_official/mace02_com1_swa.model",
];

for (const path of FUZZED) {
  test(`truncated and corrupted copies of ${path} are refused or read`, () => {
    const full = sharedPath(path);
    if (!full) return;
    const bytes = new Uint8Array(readFileSync(full));
    const at = fc.integer({ min: 0, max: bytes.length - 1 });
    fc.assert(fc.property(at, (length) => survives(bytes.slice(0, length))), {
      numRuns: 60,
      seed: 1,
    });
    // Most of the file is numbers; its last 200 kB and the pickle are structure.
    const pickle = new TextDecoder("latin1").decode(bytes).indexOf("data.pkl");
    const structure = fc.oneof(
      fc.integer({ min: Math.max(0, bytes.length - 20_000), max: bytes.length - 1 }),
      fc.integer({ min: pickle, max: Math.min(pickle + 60_000, bytes.length - 1) }),
    );
    const change = fc.array(fc.tuple(structure, fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(change, (changes) => {
        const copy = bytes.slice();
        for (const [i, value] of changes) copy[i] = value;
        survives(copy);
      }),
      { numRuns: 150, seed: 2 },
    );
  });
}

test("exported weights survive truncation and corruption", () => {
  const bytes = new Uint8Array(readFileSync(projectPath("data/hydrogen-small.safetensors")));
  const at = fc.integer({ min: 0, max: bytes.length - 1 });
  fc.assert(fc.property(at, (length) => survives(bytes.slice(0, length))), {
    numRuns: 60,
    seed: 1,
  });
  const header = fc.integer({ min: 0, max: 9000 });
  fc.assert(
    fc.property(header, fc.integer({ min: 0, max: 255 }), (i, value) => {
      const copy = bytes.slice();
      copy[i] = value;
      survives(copy);
    }),
    { numRuns: 150, seed: 3 },
  );
});

test("random pickles are refused in bounded time", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => {
      try {
        unpickle(bytes);
      } catch (error) {
        assert.ok(error instanceof WeightsError, `${(error as Error).stack}`);
      }
    }),
    { numRuns: 500, seed: 4 },
  );
});

/** A ZIP with one stored or deflated entry and the sizes it claims. */
function zip(name: string, method: number, data: Uint8Array, size: number): Uint8Array {
  const encoded = new TextEncoder().encode(name);
  const local = 30 + encoded.length;
  const out = new Uint8Array(local + data.length + 46 + encoded.length + 22);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0x04034B50, true);
  view.setUint16(26, encoded.length, true);
  out.set(encoded, 30);
  out.set(data, local);
  const directory = local + data.length;
  view.setUint32(directory, 0x02014B50, true);
  view.setUint16(directory + 10, method, true);
  view.setUint32(directory + 16, crc32(data), true);
  view.setUint32(directory + 20, data.length, true);
  view.setUint32(directory + 24, size, true);
  view.setUint16(directory + 28, encoded.length, true);
  out.set(encoded, directory + 46);
  const end = directory + 46 + encoded.length;
  view.setUint32(end, 0x06054B50, true);
  view.setUint16(end + 10, 1, true);
  view.setUint32(end + 16, directory, true);
  return out;
}

test("damaged weights are refused: a byte of a tensor, and numbers that are none", () => {
  const path = sharedPath("models/hhe-pbe.model");
  if (path) {
    const bytes = new Uint8Array(readFileSync(path));
    const archive = openArchive(bytes);
    const [name, { offset, compressedSize }] = [...archive.entries]
      .reduce((a, b) => (b[1].compressedSize > a[1].compressedSize ? b : a));
    bytes[offset + (compressedSize >> 1)] ^= 1;
    assert.throws(() => readCheckpoint(bytes), (error) =>
      error instanceof WeightsError &&
      error.message === `"${name}" is damaged, its checksum is wrong; get the file again`);
  }
  const { checkpoint } = loadMace(projectPath("data/hydrogen-small.safetensors"));
  const tensor = checkpoint.tensors.get("node_embedding.linear.weight")!;
  const data = tensor.data.slice();
  data[0] = NaN;
  const tensors = new Map(checkpoint.tensors).set("node_embedding.linear.weight", {
    ...tensor,
    data,
  });
  assert.throws(
    () => readWeights(formatWeights({ ...checkpoint, tensors })),
    /tensor "node_embedding\.linear\.weight" holds numbers that are not finite/,
  );
});

test("zip bombs, deep nesting and huge memos are refused", () => {
  const refuse = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(
      () => readCheckpoint(bytes),
      (error) => error instanceof WeightsError && message.test(error.message),
    );
  refuse(zip("m/data.pkl", 8, new Uint8Array(100), 4_000_000_000), /claims to inflate 100 bytes/);
  refuse(zip("m/data.pkl", 8, new Uint8Array(100), 1000), /is damaged and does not inflate/);
  refuse(zip("m/data.pkl", 99, new Uint8Array(10), 10), /uses compression method 99/);
  refuse(zip("m/other", 0, new Uint8Array(10), 10), /holds no data\.pkl/);
  const deep = new Uint8Array(2_000_001).fill(0x28); // a million MARKs
  deep[deep.length - 1] = 0x2E;
  refuse(zip("m/data.pkl", 0, deep, deep.length), /truncated or damaged|neither a model/);
  const lists = new Uint8Array(1_000_000).fill(0x5D); // nothing but EMPTY_LIST
  refuse(zip("m/data.pkl", 0, lists, lists.length), /truncated or damaged/);
  // Lists that hold each other twice, 60 deep: 2^60 elements if anything printed them.
  const laugh = [0x80, 2, 0x5D, 0x71, 0];
  for (let i = 0; i < 60; i++) laugh.push(0x5D, 0x28, 0x68, i, 0x68, i, 0x65, 0x71, i + 1);
  for (const end of [[0x2E], [0x68, 60, 0x93, 0x2E], [0x7D, 0x68, 60, 0x4E, 0x73, 0x2E]]) {
    const bytes = Uint8Array.from([...laugh, ...end]);
    refuse(zip("m/data.pkl", 0, bytes, bytes.length), /neither a model|damaged|not text/);
  }
  const memo = Uint8Array.of(0x80, 2, 0x4E, 0x72, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E);
  refuse(zip("m/data.pkl", 0, memo, memo.length), /neither a model nor a state dict/);
});
