import { ParseError } from "../errors.ts";

export type NpyType = "<f4" | "<f8";

/** Header of a `.npy` file of that shape (format 1.0), padded to a multiple of 64 bytes. */
export function npyHeader(shape: readonly number[], type: NpyType): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const out = new Uint8Array(length).fill(0x20);
  out.set([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0]);
  new DataView(out.buffer).setUint16(8, length - 10, true);
  out.set(new TextEncoder().encode(dict), 10);
  out[length - 1] = 0x0A;
  return out;
}

/** Numbers as little-endian bytes of that type. */
export function npyBytes(values: ArrayLike<number>, type: NpyType): Uint8Array {
  const array = type === "<f4" ? Float32Array.from(values) : Float64Array.from(values);
  return new Uint8Array(array.buffer);
}

/**
 * Reads a two-dimensional array of float32 or float64 in C order.
 *
 * @param vector whether one dimension will do; it gives a single column
 * @throws {ParseError} if it is anything else
 */
export function readNpy(bytes: Uint8Array, file: string, vector = false) {
  const text = new TextDecoder().decode(bytes.subarray(1, Math.min(bytes.length, 4096)));
  if (bytes[0] !== 0x93 || !text.startsWith("NUMPY") || bytes.length < 16) {
    throw new ParseError(file, "it is not a .npy file");
  }
  const version = bytes[6];
  const start = version === 1 ? 10 : 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const type = text.match(/'descr': '(<f[48])'/)?.[1];
  const dimensions = text.match(/'shape': \(([\d, ]+)\)/)?.[1].split(",").filter((n) =>
    n.trim() !== ""
  );
  const shape = vector && dimensions?.length === 1
    ? [...dimensions, "1"].map(Number)
    : dimensions?.map(Number);
  if (!type || shape?.length !== 2 || !text.includes("'fortran_order': False")) {
    throw new ParseError(
      file,
      "expected a two-dimensional float32 or float64 array in C order; save " +
        "numpy.ascontiguousarray(features, float)",
    );
  }
  const size = type === "<f4" ? 4 : 8;
  const count = shape[0] * shape[1];
  if (bytes.length - data !== count * size) {
    throw new ParseError(
      file,
      `it holds ${bytes.length - data} bytes, its shape needs ${count * size}`,
    );
  }
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = size === 4
      ? view.getFloat32(data + 4 * i, true)
      : view.getFloat64(data + 8 * i, true);
    if (!Number.isFinite(values[i])) {
      throw new ParseError(
        file,
        `row ${Math.floor(i / shape[1])} holds a number that is not finite`,
      );
    }
  }
  return { rows: shape[0], cols: shape[1], data: values };
}
