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

/**
 * Uniform numbers in (0, 1) for many rounds over the same ids, each a function of seed, stream, id and
 * round alone; 32 bits of them (the finaliser of MurmurHash3, Appleby 2008, over SplitMix64 of the id).
 *
 * @returns number of the id at a place, in a round
 */
export function uniformRounds(
  seed: bigint,
  stream: bigint,
  ids: ArrayLike<bigint>,
): (place: number, round: number) => number {
  const base = splitmix64((seed * GOLDEN + stream * STREAM_STEP) & MASK);
  const high = new Uint32Array(ids.length);
  const low = new Uint32Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const bits = splitmix64((ids[i] ^ base) & MASK);
    high[i] = Number(bits >> 32n);
    low[i] = Number(bits & 0xFFFFFFFFn);
  }
  return (place, round) => {
    const first = finalise(low[place] ^ Math.imul(round + 1, 0x9E3779B1));
    return (finalise(first ^ high[place]) + 0.5) / 2 ** 32;
  };
}

/** Scrambles 32 bits, one to one. */
function finalise(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85EBCA6B);
  x ^= x >>> 13;
  x = Math.imul(x, 0xC2B2AE35);
  return (x ^ (x >>> 16)) >>> 0;
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
