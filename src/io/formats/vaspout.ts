import type { File } from "jsfive";
import { ParseError } from "../../errors.ts";
import { repeated } from "./elements.ts";
import { cartesian, type FrameRecord, type Note } from "./frame_record.ts";
import { stressOfMatrix } from "./vasp.ts";
import { wholeFile } from "./whole_file.ts";

const STEPS = "intermediate/ion_dynamics";
/** Å. */
const SAME_CELL = 1e-6;
/** NELM of VASP where the INCAR sets none. */
const NELM = 60;

export function isHdf5(head: string): boolean {
  return head.startsWith("\x89HDF\r\n\x1a\n");
}

/** A dataset whose first axis are steps, and how many there are. */
interface Series {
  readonly values: ArrayLike<number>;
  readonly steps: number;
  /** Numbers of a step. */
  readonly width: number;
}

/**
 * Ionic steps of a vaspout.h5 of VASP; energies, stress and convergence as of `readOutcar`. Nine zeros of a stress are no
 * stress.
 *
 * @throws {ParseError} if it is another HDF5 file, or has no steps
 */
export async function* readVaspout(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  const bytes = await wholeFile(chunks, file);
  const own = await open(bytes.buffer as ArrayBuffer, file);
  const species = speciesOf(own, file);
  const series = (name: string) => seriesOf(own, `${STEPS}/${name}`);
  const [cells, places] = [series("lattice_vectors"), series("position_ions")];
  if (!cells || !places || places.width !== 3 * species.length || cells.width !== 9) {
    throw new ParseError(file, `it has no steps of ${species.length} atoms in ${STEPS}`);
  }
  const [forces, stress, energies] = ["forces", "stress", "energies"].map(series);
  if ((forces && forces.width !== places.width) || (stress && stress.width !== 9)) {
    throw new ParseError(file, `its ${STEPS} has forces or stresses of another length`);
  }
  const columns = energyColumns(own);
  const lengths = [cells, places, forces, stress, energies].flatMap((one) =>
    one ? [one.steps] : []
  );
  const steps = Math.min(...lengths);
  const converged = convergence(own, steps);
  const scale = scaleOf(own, cells, file);
  if (scale !== 1) note(`its cells are multiplied by the scale of its POSCAR, ${scale}`);
  for (let s = 0; s < steps; s++) {
    const cell = Float64Array.from(rowOf(cells, s), (x) => scale * x);
    const tensor = stress && rowOf(stress, s);
    const energyAt = (column: number) =>
      energies && column >= 0 ? rowOf(energies, s)[column] : null;
    const sigma0 = energyAt(columns.sigma0);
    yield {
      ...{ species, positions: cartesian(rowOf(places, s), cell), cell, pbc: [true, true, true] },
      energy: energyAt(columns.free),
      forces: forces && Float64Array.from(rowOf(forces, s)),
      stress: tensor?.some((x) => x !== 0) ? stressOfMatrix(tensor) : null,
      converged: converged[s] ?? undefined,
      info: [["step", s + 1], ...(sigma0 === null ? [] : [["energy_sigma0", sigma0] as const])],
    };
  }
  if (Math.max(...lengths) > steps) {
    note(`it ends within step ${steps + 1}; the steps before are read`, true);
  }
}

/** @throws {ParseError} where jsfive cannot */
async function open(bytes: ArrayBuffer, name: string): Promise<File> {
  const { File } = await import("jsfive");
  try {
    return new File(bytes, name);
  } catch (error) {
    throw new ParseError(name, `its HDF5 cannot be read: ${(error as Error).message ?? error}`);
  }
}

function valueOf(file: File, path: string): ArrayLike<number | string> | null {
  try {
    return file.get(path).value ?? null; // a group has none
  } catch (error) {
    // This is how jsfive says that there is none.
    if (/not found/.test(String(error))) return null;
    throw new ParseError(file.filename, `its ${path} cannot be read: ${error}`);
  }
}

/** Strings without the zeros and blanks that fill them up. */
function stringsOf(file: File, path: string): string[] | null {
  const values = valueOf(file, path);
  return values && Array.from(values, (text) => String(text).replaceAll("\0", "").trim());
}

function seriesOf(file: File, path: string): Series | null {
  const values = valueOf(file, path) as ArrayLike<number> | null;
  if (values === null) return null;
  const [steps] = file.get(path).shape;
  return { values, steps, width: values.length / steps };
}

function rowOf({ values, width }: Series, step: number): number[] {
  return Array.from({ length: width }, (_, i) => values[step * width + i]);
}

function speciesOf(file: File, name: string): Uint8Array {
  for (const group of ["results/positions", "input/poscar"]) {
    const types = stringsOf(file, `${group}/ion_types`);
    const counts = valueOf(file, `${group}/number_ion_types`);
    if (types && counts) return repeated(types, Array.from(counts, Number), name);
  }
  throw new ParseError(
    name,
    "it names no atoms: it is no vaspout.h5, or HDF5 of a kind that is not read",
  );
}

/**
 * Factor of the cells of the steps. Readers do not agree whether the scale of the POSCAR is in them; the cell of the
 * POSCAR, which it is not in, tells.
 *
 * @throws {ParseError} where it does not
 */
function scaleOf(file: File, cells: Series, name: string): number {
  const scale = Number(valueOf(file, "results/positions/scale")?.[0] ?? 1);
  if (scale === 1) return 1;
  const poscar = Array.from(valueOf(file, "input/poscar/lattice_vectors") ?? [], Number);
  const first = rowOf(cells, 0);
  const isCell = (factor: number) =>
    poscar.length === 9 && first.every((x, i) => Math.abs(x - factor * poscar[i]) < SAME_CELL);
  if (isCell(scale)) return 1;
  if (scale > 0 && isCell(1)) return scale;
  throw new ParseError(
    name,
    `whether the scale of its POSCAR, ${scale}, is in its cells is not known: read vasprun.xml or OUTCAR`,
  );
}

/** Columns of the free energy and of energy(sigma->0); -1 where there is none. */
function energyColumns(file: File): { free: number; sigma0: number } {
  const tags = (stringsOf(file, `${STEPS}/energies_tags`) ?? []).map((tag) =>
    tag.replace(/\s+/g, " ")
  );
  return {
    free: tags.findIndex((tag) => /^(free energy|ion-electron) TOTEN$/.test(tag)),
    sigma0: tags.indexOf("energy(sigma->0)"),
  };
}

/** Whether each step converged, by the word of VASP 6.5 or by the number of its electronic steps; empty where neither is
 * known. */
function convergence(file: File, steps: number): boolean[] {
  const said = valueOf(file, `${STEPS}/electronic_step_converged`);
  if (said) return Array.from(said, (code) => Number(code) === 0);
  const electronic = seriesOf(file, `${STEPS}/oszicar`);
  if (!electronic) return [];
  const nelm = Number(valueOf(file, "input/incar/NELM")?.[0] ?? NELM);
  const counts: number[] = [];
  for (let i = 0; i < electronic.steps; i++) {
    const [number] = rowOf(electronic, i);
    if (number === 1) counts.push(0);
    counts[counts.length - 1]++;
  }
  return counts.length < steps ? [] : counts.map((count) => count < nelm);
}
