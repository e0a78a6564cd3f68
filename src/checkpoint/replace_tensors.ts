import { crc32 } from "node:zlib";
import { WeightsError } from "../errors.ts";
import type { Entry } from "./archive.ts";
import { openTorchFile, pickledTensors } from "./modules.ts";
import { writeNumber } from "./safetensors.ts";
import { DTYPE_BYTES, placesOf } from "./tensors.ts";

const STORED = 0;
const DESCRIPTOR = 0x08074B50;
/** General purpose flag of a ZIP entry: its checksum follows the data. */
const FOLLOWED = 8;

/**
 * A torch file with other numbers in some of its tensors, and all else as it is, byte for byte: what loads the one
 * loads the other.
 *
 * @param bytes of a file that `torch.save` wrote
 * @param numbers by name, as many as the tensor has, in row-major order; rounded to its precision
 * @throws {WeightsError} if a tensor is not there, is compressed, or is of another size
 */
export function replaceTensors(
  bytes: Uint8Array,
  numbers: ReadonlyMap<string, Float64Array>,
): Uint8Array {
  const file = openTorchFile(bytes);
  const { archive, prefix } = file.reader;
  const calls = pickledTensors(file);
  // A Buffer's slice would be the same memory.
  const out = new Uint8Array(bytes);
  const touched = new Set<string>();
  for (const [name, data] of numbers) {
    const call = calls.get(name);
    if (!call) throw new WeightsError(`there is no tensor "${name}"`);
    const { dtype, entry, places } = placesOf(archive, prefix, call, name);
    if (places.length !== data.length) {
      throw new WeightsError(`tensor "${name}" holds ${places.length} numbers, not ${data.length}`);
    }
    const { method, offset, size } = archive.entries.get(entry)!;
    if (method !== STORED) {
      throw new WeightsError(
        "its tensors are compressed, and cannot be replaced; save it with torch again",
      );
    }
    const view = new DataView(out.buffer, out.byteOffset + offset, size);
    places.forEach((at, i) => writeNumber(view, at * DTYPE_BYTES[dtype], dtype, data[i]));
    touched.add(entry);
  }
  correctChecksums(out, [...touched].map((name) => archive.entries.get(name)!));
  return out;
}

/** Writes the checksums of changed entries wherever the archive holds them. */
function correctChecksums(bytes: Uint8Array, entries: readonly Entry[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { offset, size, localOffset, record } of entries) {
    const checksum = crc32(bytes.subarray(offset, offset + size));
    view.setUint32(record + 16, checksum, true);
    const followed = (view.getUint16(localOffset + 6, true) & FOLLOWED) !== 0;
    if (!followed) view.setUint32(localOffset + 14, checksum, true);
    else {
      const end = offset + size;
      view.setUint32(view.getUint32(end, true) === DESCRIPTOR ? end + 4 : end, checksum, true);
    }
  }
}
