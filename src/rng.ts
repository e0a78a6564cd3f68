/**
 * Counter-based random numbers: a draw depends only on (seed, stream, stable id), never on how many
 * numbers were drawn before. The same seed therefore gives the same selection in any order of the
 * files, with any number of threads and on every backend.
 *
 * SplitMix64: Steele, Lea, Flood, OOPSLA 2014 (doi:10.1145/2660193.2660195).
 */

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9E3779B97F4A7C15n;
const STREAM_STEP = 0xD1B54A32D192ED03n;
const FNV_OFFSET = 0xCBF29CE484222325n;
const FNV_PRIME = 0x100000001B3n;

/** One step of SplitMix64: a bijective scrambling of 64 bits. */
function splitmix64(x: bigint): bigint {
  let z = (x + GOLDEN) & MASK;
  z = ((z ^ (z >> 30n)) * 0xBF58476D1CE4E5B9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94D049BB133111EBn) & MASK;
  return z ^ (z >> 31n);
}

/** Uniform numbers in (0, 1) of one seed and stream, each a function of its id alone. */
export function uniformStream(seed: bigint, stream: bigint): (id: bigint) => number {
  const base = splitmix64((seed * GOLDEN + stream * STREAM_STEP) & MASK);
  return (id) => (Number(splitmix64((id ^ base) & MASK) >> 11n) + 0.5) / 2 ** 53;
}

/** A uniform number in (0, 1), a function of its three arguments alone. */
export function uniform(seed: bigint, stream: bigint, id: bigint): number {
  return uniformStream(seed, stream)(id);
}

/** 64-bit hash of a name (FNV-1a). */
export function hashName(name: string): bigint {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(name)) {
    hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & MASK;
  }
  return hash;
}

/** 64-bit number of the frame at `index` of a file, given a hash of what tells the file apart. */
export function stableId(fileHash: bigint, index: number): bigint {
  return splitmix64((fileHash + BigInt(index) * STREAM_STEP) & MASK);
}
