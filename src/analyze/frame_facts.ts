import { atomicMass } from "../atomic_mass.ts";
import { massDensity, wignerSeitzRadius } from "../density.ts";
import { kineticEnergy, temperatureOf } from "../dynamics/kinetic.ts";
import { distinctElements, formula, type Frame, type Graph, periodicVolume } from "../frame.ts";
import { staticPressure } from "../scan/stress_labels.ts";
import { GPA } from "../units.ts";
import { isHydrogen, molecularCoordination, molecularFraction } from "./molecular_fraction.ts";

/** What can be told of a single frame; NaN where it does not apply. */
export interface FrameFacts {
  readonly id: string;
  readonly file: string;
  readonly index: number;
  /** Value of the key by which frames are grouped. */
  readonly group: string;
  readonly nAtoms: number;
  readonly formula: string;
  /** Å³; of frames that are periodic in all directions. */
  readonly volume: number;
  /** g/cm³. */
  readonly density: number;
  /** (3 V / 4 π N)^(1/3) in Bohr, of one kind of atom. */
  readonly rs: number;
  /** K, with 3 N - 3 degrees of freedom. */
  readonly temperature: number;
  /** -tr σ / 3, GPa. */
  readonly pressureStatic: number;
  /** The same with 2 K / 3 V, GPa. */
  readonly pressure: number;
  /** Of hydrogen alone: `molecularFraction`. */
  readonly molecularFraction: number;
  /** The mean of `molecularCoordination`. */
  readonly meanCoordination: number;
}

/** Columns of numbers, by the names that files have for them. */
export const COLUMNS = {
  volume: "volume",
  density: "density",
  rs: "rs",
  temperature: "temperature",
  pressure_static: "pressureStatic",
  pressure: "pressure",
  molecular_fraction: "molecularFraction",
  mean_coordination: "meanCoordination",
} as const satisfies Record<string, keyof FrameFacts>;

/**
 * @param graph edges up to `MOLECULAR_REACH` or further
 * @param velocities shape (n_atoms, 3), Å/fs; null where they are not known
 * @param stress shape (3, 3), eV/Å³, ASE's sign; null where it is not known
 */
export function frameFacts(
  frame: Frame,
  graph: Graph,
  group: string,
  velocities: Float64Array | null,
  stress: Float64Array | null,
): FrameFacts {
  const { id, file, index, species } = frame;
  const nAtoms = species.length;
  const volume = periodicVolume(frame);
  const masses = Float64Array.from(species, atomicMass);
  const elements = distinctElements(species);
  const coordination = isHydrogen(species) ? molecularCoordination(graph) : null;
  const pressureStatic = stress ? staticPressure(stress) : NaN;
  const moving = velocities && { masses, velocities };
  return {
    ...{ id, file, index, group, nAtoms, formula: formula(species), volume },
    density: massDensity(species, volume),
    rs: elements.length === 1 ? wignerSeitzRadius(nAtoms, volume) : NaN,
    temperature: moving && nAtoms > 1 ? temperatureOf(moving) : NaN,
    pressureStatic,
    pressure: moving ? pressureStatic + GPA * 2 * kineticEnergy(moving) / (3 * volume) : NaN,
    molecularFraction: coordination ? molecularFraction(coordination) : NaN,
    meanCoordination: coordination ? coordination.reduce((sum, cn) => sum + cn, 0) / nAtoms : NaN,
  };
}
