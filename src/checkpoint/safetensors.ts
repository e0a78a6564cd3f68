import { WeightsError } from "../errors.ts";
import { checkFinite, type Dtype, DTYPE_BYTES, readNumber, type Tensor } from "./tensors.ts";

/** Tensors in a file: 8 bytes little-endian length of the header, JSON header, tensor bytes. */
const MAX_HEADER = 1 << 24;

/** Writes tensors, in the order of their names. */
export function formatTensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  const names = [...tensors.keys()].sort();
  for (const name of names) {
    const { dtype, shape, data } = tensors.get(name)!;
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
    const { dtype, data } = tensors.get(name)!;
    for (const value of data) {
      writeNumber(view, at, dtype, value);
      at += DTYPE_BYTES[dtype];
    }
  }
  return out;
}

/** Writes a number of some type, little-endian. */
export function writeNumber(view: DataView, at: number, dtype: Dtype, value: number): void {
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
      throw new WeightsError(`Cannot write a tensor of type ${dtype}`);
  }
}

/** Reads what `formatTensors` wrote.
 * @throws {WeightsError} if the file is damaged */
export function readTensors(
  bytes: Uint8Array,
): { tensors: Map<string, Tensor>; metadata: Record<string, unknown> } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? Infinity : Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER || 8 + length > bytes.length) {
    throw new WeightsError("its safetensors header is truncated");
  }
  const header = parseJson(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const body = bytes.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors.set(name, readEntry(body, name, record(entry)));
  }
  return { tensors, metadata: record(header.__metadata__ ?? {}) };
}

/** A JSON object of a header. */
export function parseJson(text: string): Record<string, unknown> {
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
