import { Buffer } from "node:buffer";
import { chemicalSymbol, type Frame, MAX_ATOMIC_NUMBER } from "../frame.ts";
import type { Distillation } from "../pipeline.ts";
import { covalentRadius } from "../covalent_radius.ts";

/** What the page knows of a frame. */
export interface ReportFrame {
  readonly file: string;
  readonly index: number;
  readonly nAtoms: number;
  /** Volume per atom, Å³; NaN without one. */
  readonly volume: number;
  /** Factor from its energies to eV. */
  readonly energyFactor: number;
  /** Values of the comment line. */
  readonly values: Readonly<Record<string, string>>;
}

/** Numbers of the page in base64, little-endian. */
interface Packed {
  readonly base64: string;
  readonly type: "f32" | "u8" | "u16" | "u32" | "i32";
}

/** A quantity of every frame that the map can be coloured by. */
interface Column {
  readonly label: string;
  readonly values: Packed;
  /** Names of the values, where they are categories. */
  readonly names?: readonly string[];
  readonly range?: readonly [number, number];
  readonly log?: boolean;
}

/** Components that the axes of the map can show. */
const MAX_COMPONENTS = 8;
/** Bytes of positions that the page may hold; the frames that were chosen come first. */
const MAX_POSITIONS = 8e6;
/** A key with more different words is not a category. */
const MAX_NAMES = 64;
const POOLS = ["central", "peripheral", "none"];

/** Everything that the page draws, as JSON. */
export function reportData(
  frames: readonly ReportFrame[],
  result: Distillation,
  options: { energyKey: string | null; strata: readonly string[] | null },
  structures: readonly { place: number; frame: Frame }[],
) {
  const files = [...new Set(frames.map(({ file }) => file))];
  const chosen = chosenInOrder(result.rank);
  const { scores, components } = result;
  return {
    n: frames.length,
    files,
    fileOf: pack("u32", frames.map(({ file }) => files.indexOf(file))),
    index: pack("u32", frames.map(({ index }) => index)),
    rank: pack("u32", result.rank),
    chosen: pack("u32", chosen),
    components: Array.from({ length: Math.min(scores.cols, MAX_COMPONENTS) }, (_, k) => {
      const share = (100 * components.explainedVariance[k]).toFixed(1);
      const values = frames.map((_, i) => scores.data[i * scores.cols + k]);
      return { ...numeric(`PC ${k + 1} (${share} %)`, values) };
    }),
    columns: columnsOf(frames, result, options),
    symbols: Array.from({ length: MAX_ATOMIC_NUMBER + 1 }, (_, z) => chemicalSymbol(z)),
    radii: Object.fromEntries(
      [...new Set(structures.flatMap(({ frame }) => [...new Set(frame.species)]))]
        .map((z) => [chemicalSymbol(z), covalentRadius(z)]),
    ),
    structures: packStructures(frames.length, structures),
  };
}

/** Places of the chosen frames in order of choice. */
export function chosenInOrder(rank: Uint32Array): number[] {
  return [...rank.keys()].filter((i) => rank[i] > 0).sort((i, j) => rank[i] - rank[j]);
}

/** Places whose structures fit the page: the chosen ones, then the others spread over the pool. */
export function placesToShow(frames: readonly ReportFrame[], rank: Uint32Array): number[] {
  const chosen = chosenInOrder(rank);
  const rest = frames.map((_, i) => i).filter((i) => rank[i] === 0);
  const places: number[] = [];
  let bytes = 0;
  const take = (i: number) => {
    const more = 7 * frames[i].nAtoms;
    if (bytes + more > MAX_POSITIONS) return;
    bytes += more;
    places.push(i);
  };
  chosen.forEach(take);
  const atoms = rest.reduce((sum, i) => sum + frames[i].nAtoms, 0);
  const stride = Math.max(1, Math.ceil(7 * atoms / Math.max(MAX_POSITIONS - bytes, 1)));
  rest.filter((_, k) => k % stride === 0).forEach(take);
  return places.sort((a, b) => a - b);
}

function columnsOf(
  frames: readonly ReportFrame[],
  { density, pool }: Distillation,
  { energyKey, strata }: { energyKey: string | null; strata: readonly string[] | null },
): Column[] {
  const columns: Column[] = [
    { ...numeric("density, neighbors within r_c", density), log: true },
    category("pool", pool, POOLS),
    category("file", frames.map(({ file }) => file)),
  ];
  if (strata) columns.push(category("stratum", strata));
  if (energyKey) {
    const energies = frames.map(({ values, nAtoms, energyFactor }) =>
      energyFactor * Number(values[energyKey]) / nAtoms
    );
    columns.push(numeric(`${energyKey}, eV/atom`, energies));
  }
  if (frames.some(({ volume }) => Number.isFinite(volume))) {
    columns.push(numeric("volume, Å³/atom", frames.map(({ volume }) => volume)));
  }
  columns.push(numeric("atoms", frames.map(({ nAtoms }) => nAtoms)));
  const keys = new Set(frames.flatMap(({ values }) => Object.keys(values)));
  keys.delete(energyKey ?? "");
  for (const key of [...keys].sort()) {
    const column = keyColumn(key, frames.map(({ values }) => values[key]));
    if (column) columns.push(column);
  }
  return columns;
}

/** A key of the comment line as numbers, or as categories; null where it is neither. */
function keyColumn(key: string, words: readonly (string | undefined)[]): Column | null {
  const numbers = words.map((word) => (word === undefined ? NaN : Number(word)));
  const known = words.filter((word) => word !== undefined);
  const whole = known.every((word) => /^\d{1,3}$/.test(word));
  const names = new Set(known);
  if (numbers.every((x, i) => Number.isFinite(x) || words[i] === undefined)) {
    if (!whole || names.size > 12) return numeric(key, numbers);
  }
  return names.size <= MAX_NAMES ? category(key, words.map((word) => word ?? "(missing)")) : null;
}

function numeric(label: string, values: ArrayLike<number>): Column {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return { label, values: pack("f32", values), range: low <= high ? [low, high] : [0, 0] };
}

function category(
  label: string,
  words: readonly string[],
  order: readonly string[] = [...new Set(words)].sort((a, b) =>
    a.localeCompare(b, "en", { numeric: true })
  ),
): Column {
  const place = new Map(order.map((word, k) => [word, k]));
  return { label, names: order, values: pack("u32", words.map((word) => place.get(word)!)) };
}

/** Positions in 65,536 steps of each frame's bounding box: 1e-4 Å in a box of 7 Å. */
function packStructures(n: number, structures: readonly { place: number; frame: Frame }[]) {
  const total = structures.reduce((sum, { frame }) => sum + frame.species.length, 0);
  const at = new Int32Array(n).fill(-1);
  const species = new Uint8Array(total);
  const positions = new Uint16Array(3 * total);
  const [first, count, low, step, cell]: number[][] = [[], [], [], [], []];
  let atom = 0;
  structures.forEach(({ place, frame }, s) => {
    at[place] = s;
    first.push(atom);
    count.push(frame.species.length);
    cell.push(...frame.cell);
    species.set(frame.species, atom);
    for (let k = 0; k < 3; k++) {
      const along = frame.positions.filter((_, i) => i % 3 === k);
      const least = along.reduce((a, b) => Math.min(a, b), Infinity);
      const width = along.reduce((a, b) => Math.max(a, b), -Infinity) - least;
      const unit = width / 65535 || 1;
      low.push(least);
      step.push(unit);
      along.forEach((x, a) => positions[3 * (atom + a) + k] = Math.round((x - least) / unit));
    }
    atom += frame.species.length;
  });
  return {
    at: pack("i32", at),
    first: pack("u32", first),
    count: pack("u32", count),
    low: pack("f32", low),
    step: pack("f32", step),
    cell: pack("f32", cell),
    species: pack("u8", species),
    positions: pack("u16", positions),
  };
}

const ARRAYS = {
  f32: Float32Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
};

function pack(type: Packed["type"], values: ArrayLike<number>): Packed {
  const { buffer, byteOffset, byteLength } = ARRAYS[type].from(values);
  return { type, base64: Buffer.from(buffer, byteOffset, byteLength).toString("base64") };
}
