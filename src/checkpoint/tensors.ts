import { WeightsError } from "../errors.ts";
import { type Archive, readEntry } from "./archive.ts";
import { Call, Global, PersistentId } from "./unpickle.ts";

/** Types of numbers, named as in safetensors. */
export type Dtype = "F64" | "F32" | "F16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** A tensor read from a checkpoint: row-major, numbers as float64 whatever the file holds. */
export interface Tensor {
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** Type in the file. */
  readonly dtype: Dtype;
  /** Row-major numbers, whatever the type in the file. */
  readonly data: Float64Array;
}

const STORAGES: Record<string, Dtype> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

export const DTYPE_BYTES: Record<Dtype, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** Element `i` of little-endian storage. */
export function readNumber(view: DataView, dtype: Dtype, i: number): number {
  switch (dtype) {
    case "F64":
      return view.getFloat64(8 * i, true);
    case "F32":
      return view.getFloat32(4 * i, true);
    case "F16":
      return half(view.getUint16(2 * i, true));
    case "I64":
      return Number(view.getBigInt64(8 * i, true));
    case "I32":
      return view.getInt32(4 * i, true);
    case "I16":
      return view.getInt16(2 * i, true);
    case "I8":
      return view.getInt8(i);
    default:
      return view.getUint8(i);
  }
}

function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent === 0
    ? fraction * 2 ** -24
    : exponent === 31
    ? (fraction ? NaN : Infinity)
    : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

/** A torch archive whose tensors are read under one budget: shared storage must not multiply memory. */
export class TensorReader {
  #left: number;

  /** @param prefix path of the pickle's folder inside the archive */
  constructor(readonly archive: Archive, readonly prefix: string) {
    this.#left = Math.max(archive.bytes.length, 1 << 20);
  }

  /** Reads a tensor by `readTensor`.
   * @throws {WeightsError} if it is inconsistent, or all tensors together exceed the file */
  read(call: Call, name: string): Tensor {
    const tensor = readTensor(this.archive, this.prefix, call, name);
    this.#left -= tensor.data.length;
    if (this.#left < 0) throw new WeightsError("its tensors together exceed the size of the file");
    return tensor;
  }
}

/** True if the object is a tensor that was pickled by torch. */
export function isTensor(value: unknown): value is Call {
  return value instanceof Call && value.name.endsWith(" _rebuild_tensor_v2");
}

/**
 * Reads a tensor that torch pickled: `_rebuild_tensor_v2(storage, offset, size, stride, …)`. Strides are
 * honoured, and every element must lie inside the storage.
 *
 * @param prefix path of the pickle's folder inside the archive
 * @throws {WeightsError} if the shape, strides or storage are inconsistent
 */
function readTensor(archive: Archive, prefix: string, call: Call, name: string): Tensor {
  const { dtype, shape, entry, places } = placesOf(archive, prefix, call, name);
  const bytes = readEntry(archive, entry);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = places.map((at) => readNumber(view, dtype, at));
  checkFinite(data, name);
  return { shape, dtype, data };
}

/** Where the numbers of a tensor lie in its storage. */
export interface TensorPlaces {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Entry of the archive that holds the storage. */
  readonly entry: string;
  /** Place of every number of the tensor among those of the storage, row-major. */
  readonly places: Float64Array;
}

/** Finds the numbers of a tensor.
 * @throws {WeightsError} if shape, strides or storage are inconsistent */
export function placesOf(
  archive: Archive,
  prefix: string,
  call: Call,
  name: string,
): TensorPlaces {
  const [storage, offset, size, stride] = Array.isArray(call.args) ? call.args : [];
  if (typeof offset !== "number") throw new WeightsError(`tensor "${name}" has no offset`);
  const { dtype, entry } = storageOf(prefix, storage, name);
  const shape = integers(size, name);
  const strides = integers(stride, name);
  const available = Math.floor(readEntry(archive, entry).length / DTYPE_BYTES[dtype]);
  const count = shape.reduce((product, n) => product * n, 1);
  let last = offset;
  shape.forEach((n, axis) => last += (n - 1) * strides[axis]);
  if (shape.length !== strides.length || !Number.isInteger(last) || offset < 0) {
    throw new WeightsError(`tensor "${name}" has an inconsistent shape`);
  }
  if (count > 0 && (last >= available || count > available)) {
    throw new WeightsError(
      `tensor "${name}" of shape (${shape.join(", ")}) does not fit its storage of ${available}`,
    );
  }
  const places = new Float64Array(count);
  const index = new Array(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    places[i] = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return { dtype, shape, entry, places };
}

/** @throws {WeightsError} where weights are not numbers */
export function checkFinite(data: Float64Array, name: string): void {
  if (data.every(Number.isFinite)) return;
  throw new WeightsError(`tensor "${name}" holds numbers that are not finite`);
}

function storageOf(prefix: string, storage: unknown, name: string) {
  const id = storage instanceof PersistentId ? storage.id : null;
  if (!Array.isArray(id) || id[0] !== "storage" || typeof id[2] !== "string") {
    throw new WeightsError(`tensor "${name}" has no storage`);
  }
  const type = id[1] instanceof Global ? id[1].name.split(" ").pop()! : "";
  const dtype = STORAGES[type];
  if (!dtype) throw new WeightsError(`tensor "${name}" is stored as "${type}", which is not known`);
  return { dtype, entry: `${prefix}data/${id[2]}` };
}

function integers(value: unknown, name: string): number[] {
  const list = Array.isArray(value) ? value : null;
  if (!list || list.length > 16 || list.some((n) => !Number.isInteger(n) || n < 0 || n > 2 ** 40)) {
    throw new WeightsError(`tensor "${name}" has an inconsistent shape`);
  }
  return list as number[];
}
