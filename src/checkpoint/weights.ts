import { WeightsError } from "../errors.ts";
import type { Checkpoint, CheckpointConfig } from "./checkpoint.ts";
import { checkFinite, type Dtype, DTYPE_BYTES, readNumber, type Tensor } from "./tensors.ts";

/**
 * Exported weights: a safetensors file whose metadata holds the settings that are not tensors.
 * Format: 8 bytes little-endian length of the header, JSON header, tensor bytes.
 */
const FORMAT = "cpd-mace";
const VERSION = "1";
const MAX_HEADER = 1 << 24;

/** Writes a checkpoint as safetensors; tensors keep the precision of their source. */
export function formatWeights(checkpoint: Checkpoint): Uint8Array {
  const header: Record<string, unknown> = {
    __metadata__: {
      format: FORMAT,
      version: VERSION,
      units: "eV, Å",
      config: JSON.stringify(checkpoint.config),
    },
  };
  let offset = 0;
  const names = [...checkpoint.tensors.keys()].sort();
  for (const name of names) {
    const { dtype, shape, data } = checkpoint.tensors.get(name)!;
    const end = offset + data.length * DTYPE_BYTES[dtype];
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  let json = JSON.stringify(header);
  json += " ".repeat((8 - new TextEncoder().encode(json).length % 8) % 8);
  const head = new TextEncoder().encode(json);
  const out = new Uint8Array(8 + head.length + offset);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  out.set(head, 8);
  let at = 8 + head.length;
  for (const name of names) {
    const { dtype, data } = checkpoint.tensors.get(name)!;
    for (const value of data) {
      writeNumber(view, at, dtype, value);
      at += DTYPE_BYTES[dtype];
    }
  }
  return out;
}

function writeNumber(view: DataView, at: number, dtype: Dtype, value: number): void {
  switch (dtype) {
    case "F64":
      return view.setFloat64(at, value, true);
    case "F32":
      return view.setFloat32(at, value, true);
    case "I64":
      return view.setBigInt64(at, BigInt(value), true);
    case "I32":
      return view.setInt32(at, value, true);
    case "U8":
    case "BOOL":
      return view.setUint8(at, value);
    default:
      throw new WeightsError(`Cannot export a tensor of type ${dtype}`);
  }
}

/** Reads exported weights.
 * @throws {WeightsError} if the file is damaged, of another format, or of a newer version */
export function readWeights(bytes: Uint8Array): Checkpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER || 8 + length > bytes.length) {
    throw new WeightsError("its safetensors header is truncated");
  }
  const header = parseJson(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const metadata = record(header.__metadata__ ?? {});
  if (metadata.format !== FORMAT) {
    throw new WeightsError("it is a safetensors file, but not one that cpd model export wrote");
  }
  if (metadata.version !== VERSION) {
    throw new WeightsError(
      `its format is version ${metadata.version}, this program reads ${VERSION}`,
    );
  }
  const body = bytes.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, readEntry(body, name, record(entry)));
  }
  return { tensors, config: checkConfig(record(parseJson(String(metadata.config)))) };
}

function parseJson(text: string): Record<string, unknown> {
  try {
    return record(JSON.parse(text));
  } catch {
    throw new WeightsError("its safetensors header is not JSON");
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeightsError("its safetensors header is damaged");
  }
  return value as Record<string, unknown>;
}

function readEntry(body: Uint8Array, name: string, entry: Record<string, unknown>): Tensor {
  const dtype = entry.dtype as Dtype;
  const shape = entry.shape as number[];
  const [begin, end] = Array.isArray(entry.data_offsets) ? entry.data_offsets : [];
  const size = DTYPE_BYTES[dtype];
  const count = Array.isArray(shape) ? shape.reduce((product, n) => product * n, 1) : NaN;
  if (!size || !(begin >= 0) || !(end <= body.length) || end - begin !== count * size) {
    throw new WeightsError(`tensor "${name}" does not fit the file`);
  }
  const view = new DataView(body.buffer, body.byteOffset + begin, end - begin);
  const data = Float64Array.from({ length: count }, (_, i) => readNumber(view, dtype, i));
  checkFinite(data, name);
  return { dtype, shape, data };
}

function checkConfig(config: Record<string, unknown>): CheckpointConfig {
  const { modelClass, interactionClasses, avgNumNeighbors, heads, siluScale, elementNormalizer } =
    config;
  const valid = typeof modelClass === "string" && Array.isArray(interactionClasses) &&
    Array.isArray(avgNumNeighbors) && Array.isArray(heads) && heads.length > 0 &&
    typeof siluScale === "number" && typeof elementNormalizer === "number" && elementNormalizer > 0;
  if (!valid) throw new WeightsError("its settings are incomplete");
  return {
    modelClass,
    interactionClasses: interactionClasses.map(String),
    avgNumNeighbors: avgNumNeighbors.map((n) => (n === null ? NaN : Number(n))),
    heads: heads.map(String),
    siluScale,
    elementNormalizer,
  };
}
