import { type Frame, periodicVolume } from "../frame.ts";
import { findKey, lookUp, onlyNumber, parseBooleans, parseNumbers } from "./comment_line.ts";
import { type DeclaredUnits, declaredUnits } from "./declared_units.ts";
import type { RawFrame } from "./frame_ranges.ts";
import { type LabelKind, labelsOf, likeLabel } from "./labels.ts";
import { parseProperties, type Property } from "./properties.ts";
import { readVectors } from "./vector_column.ts";

/** What a frame says about its energy, forces and stress; numbers as they are written, NaN included. */
export interface FrameLabels {
  /** Energy of the frame, eV. */
  readonly energy: { readonly key: string; readonly value: number } | null;
  /** Energy of the frame under another key that differs, eV. */
  readonly other: { readonly key: string; readonly value: number } | null;
  /** Shape (n_atoms, 3), eV/Å. */
  readonly forces: { readonly key: string; readonly values: Float64Array } | null;
  readonly stress: StressLabel | null;
  /** The stress that a virial stands for; it counts where there is no stress. */
  readonly virial: StressLabel | null;
  /** False where the frame says that its calculation did not converge. */
  readonly converged: boolean;
  /** What the file declares about its units; the numbers above are converted. */
  readonly units: DeclaredUnits;
  /** Names that look like labels and are not read, and what they may be. */
  readonly unread: readonly { readonly name: string; readonly kind: LabelKind }[];
}

export interface StressLabel {
  readonly key: string;
  readonly kind: "stress" | "virial";
  /** Numbers in the file: 6 (xx yy zz yz xz xy) or 9. */
  readonly components: number;
  /** Stress in ASE's sign, shape (3, 3), eV/Å³; NaN where it cannot be had. */
  readonly tensor: Float64Array;
}

/** Names that the user gives for labels; null to look for known ones. */
export interface LabelKeys {
  readonly energy: string | null;
  readonly forces: string | null;
  readonly stress: string | null;
}

export const KNOWN_KEYS: LabelKeys = { energy: null, forces: null, stress: null };

const CONVERGED_KEYS = ["converged", "scf_converged", "is_converged", "SCF_converged"];
/** Energies that differ by less are the same, eV. */
const SAME_ENERGY = 1e-8;

/** Reads the labels of a frame from its comment line and columns. */
export function readLabels(raw: RawFrame, frame: Frame, keys = KNOWN_KEYS): FrameLabels {
  const { info } = frame;
  const units = declaredUnits(info);
  const names = keys.energy === null ? labelsOf("energy", info.keys()) : given(info, keys.energy);
  const energies = names.map((key) => ({ key, value: units.energy * onlyNumber(info.get(key)!) }));
  const [energy] = energies;
  const other = energies.find(({ value }) => Math.abs(value - energy.value) > SAME_ENERGY);
  const columns = parseProperties(lookUp(info, "Properties") ?? "") ?? [];
  return {
    energy: energy ?? null,
    other: other ?? null,
    forces: readForces(raw, columns, keys.forces, units.force),
    ...readStresses(frame, keys.stress, units),
    converged: !CONVERGED_KEYS.some((key) => parseBooleans(info.get(key) ?? "")[0] === false),
    units,
    unread: unreadLabels(info, columns, keys),
  };
}

/** Labels of a frame that are read where they are first asked for, and once. */
export function labelsWhenAsked(raw: RawFrame, frame: Frame, keys = KNOWN_KEYS): () => FrameLabels {
  let labels: FrameLabels | null = null;
  return () => labels ??= readLabels(raw, frame, keys);
}

/** The key of a comment line that was asked for. */
function given(info: ReadonlyMap<string, string>, key: string): string[] {
  const name = findKey(info, key);
  return name === undefined ? [] : [name];
}

/** Columns that may hold vectors of atoms. */
function vectors(columns: readonly Property[]): Property[] {
  return columns.filter(({ type, count }) => type === "R" && count === 3);
}

function unreadLabels(
  info: ReadonlyMap<string, string>,
  columns: readonly Property[],
  keys: LabelKeys,
): FrameLabels["unread"] {
  const named = new Set(Object.values(keys).map((key) => key?.toLowerCase()));
  const candidates = [
    ...[...info.keys()].map((name) => ({ name, kind: likeLabel(name) }))
      .filter(({ kind }) => kind !== "forces"),
    ...vectors(columns).map(({ name }) => ({ name, kind: likeLabel(name) }))
      .filter(({ kind }) => kind === "forces"),
  ];
  return candidates.flatMap(({ name, kind }) =>
    kind !== null && !named.has(name.toLowerCase()) ? [{ name, kind }] : []
  );
}

function readForces(
  raw: RawFrame,
  columns: readonly Property[],
  key: string | null,
  factor: number,
): FrameLabels["forces"] {
  const able = vectors(columns);
  const [name] = key === null
    ? labelsOf("forces", able.map((column) => column.name))
    : able.map((column) => column.name).filter((own) => own.toLowerCase() === key.toLowerCase());
  const column = able.find((candidate) => candidate.name === name);
  return column ? { key: column.name, values: readVectors(raw, column, factor) } : null;
}

/** Stress and virial; a key that the user gives is a virial where its name says so. */
function readStresses(
  frame: Frame,
  key: string | null,
  units: DeclaredUnits,
): Pick<FrameLabels, "stress" | "virial"> {
  const { info } = frame;
  const volume = periodicVolume(frame);
  const read = (kind: StressLabel["kind"]): StressLabel | null => {
    const meant = key !== null && kind === (/virial/i.test(key) ? "virial" : "stress");
    const [name] = key === null ? labelsOf(kind, info.keys()) : meant ? given(info, key) : [];
    if (name === undefined) return null;
    const numbers = parseNumbers(info.get(name)!);
    const factor = kind === "virial" ? -units.virial / volume : units.stress;
    const tensor = fullTensor(numbers).map((x) => factor * x);
    return { key: name, kind, components: numbers.length, tensor };
  };
  return { stress: read("stress"), virial: read("virial") };
}

/** Nine numbers of 9, or of 6 in the order xx yy zz yz xz xy. */
function fullTensor(numbers: readonly number[]): Float64Array {
  if (numbers.length === 9) return Float64Array.from(numbers);
  if (numbers.length !== 6) return new Float64Array(9).fill(NaN);
  const [xx, yy, zz, yz, xz, xy] = numbers;
  return Float64Array.of(xx, xy, xz, xy, yy, yz, xz, yz, zz);
}

/** Trace of a stress, eV/Å³; NaN unless all of it is finite. */
export function stressTrace({ tensor }: Pick<StressLabel, "tensor">): number {
  return tensor.every(Number.isFinite) ? tensor[0] + tensor[4] + tensor[8] : NaN;
}
