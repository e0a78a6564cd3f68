import { RequestError } from "../errors.ts";
import { atomicMass } from "../atomic_mass.ts";
import { restCentreOfMass } from "../dynamics/kinetic.ts";
import { completeCell, type Frame, invertCell } from "../frame.ts";

/** Frames of one run, evenly spaced in time. */
export interface Trajectory {
  readonly file: string;
  readonly group: string;
  /** u, shape (n_atoms). */
  readonly masses: Float64Array;
  /** Time between frames, fs. */
  readonly interval: number;
  /** Of each frame, shape (n_atoms, 3), Å: continuous through the cell's borders, the centre of mass at rest. */
  readonly positions: readonly Float64Array[];
  /** Of each frame, shape (n_atoms, 3), Å/fs, without the motion of the centre of mass; null if a frame has none. */
  readonly velocities: readonly Float64Array[] | null;
}

/** A frame of a trajectory, and its atoms' velocities, Å/fs. */
export interface MovingFrame {
  readonly frame: Frame;
  readonly velocities: Float64Array | null;
}

/**
 * Frames of a file in its order as one trajectory. Between two frames every atom is taken to go to the nearest image.
 *
 * @param interval time between frames, fs
 * @throws {RequestError} naming the frame that has other atoms or another cell, or comes late
 */
export function trajectoryOf(
  frames: readonly MovingFrame[],
  group: string,
  interval: number,
): Trajectory {
  const [{ frame: first }] = frames;
  frames.forEach(({ frame }, i) => requireSame(first, frame, i > 0 ? frames[i - 1].frame : null));
  const spacing = frames.length > 1 ? frames[1].frame.index - first.index : 1;
  const late = frames.findIndex(({ frame }, i) => frame.index !== first.index + i * spacing);
  if (late >= 0) {
    throw new RequestError(
      `Cannot follow ${first.file} in time: its frames are not evenly spaced before ${
        frames[late].frame.id
      }; leave out --where and --skip-bad, or --timestep`,
    );
  }
  const masses = Float64Array.from(first.species, atomicMass);
  const rest = (vectors: Float64Array) => {
    const own = vectors.slice();
    restCentreOfMass(masses, own);
    return own;
  };
  const known = frames.every(({ velocities }) => velocities !== null);
  return {
    ...{ file: first.file, group, masses, interval },
    positions: unwrapped(frames.map(({ frame }) => frame)).map(rest),
    velocities: known ? frames.map(({ velocities }) => rest(velocities!)) : null,
  };
}

function requireSame(first: Frame, frame: Frame, before: Frame | null): void {
  const same = (a: ArrayLike<unknown>, b: ArrayLike<unknown>) =>
    a.length === b.length && Array.prototype.every.call(a, (x, i) => x === b[i]);
  const what = !same(first.species, frame.species)
    ? "other atoms"
    : !same(first.cell, frame.cell) || !same(first.pbc, frame.pbc)
    ? "another cell"
    : null;
  if (what === null) return;
  throw new RequestError(
    `Cannot follow ${first.file} in time: ${frame.id} has ${what} than ${
      (before ?? first).id
    }; give each run as a file or tell them apart with --group-by, or leave out --timestep`,
  );
}

/** Positions without jumps of whole lattice vectors from frame to frame. */
function unwrapped(frames: readonly Frame[]): Float64Array[] {
  const { cell, pbc } = frames[0];
  const basis = completeCell(cell, pbc);
  const inverse = invertCell(basis);
  const out = [frames[0].positions];
  for (const { positions } of frames.slice(1)) {
    const before = out[out.length - 1];
    const next = positions.slice();
    for (let n = 0; n < next.length; n += 3) {
      const step = [0, 1, 2].map((k) => next[n + k] - before[n + k]);
      for (let axis = 0; axis < 3; axis++) {
        if (!pbc[axis]) continue;
        const part = step[0] * inverse[axis] + step[1] * inverse[3 + axis] +
          step[2] * inverse[6 + axis];
        const jumps = Math.round(part);
        for (let k = 0; k < 3; k++) next[n + k] -= jumps * basis[3 * axis + k];
      }
    }
    out.push(next);
  }
  return out;
}
