import type { FrameFacts, Problem } from "./facts.ts";

/** Labels of the same geometry that differ by more contradict each other, eV/atom and eV/Å. */
const CONFLICT = { energy: 1e-5, force: 1e-4 };
/** Relative difference of every number of the fingerprints below which frames are nearly the same. */
const NEAR = 1e-4;
/** And below which they are the same but for place, orientation and order. */
const MOVED = 1e-6;
/** Structure factors below this are noise about zero. */
const FLOOR = 1e-2;
/** Labels that differ by less agree: eV/atom, and eV/Å or the share of the larger force. */
const AGREE = { energy: 1e-3, force: 0.05 };
/** Alike atoms may be this far apart, Å: their energies differ by no more than force times it. */
const DISPLACED = 0.01;
/** Where there are no forces to tell, eV/atom. */
const PLAUSIBLE = 0.02;
/** Frames with alike first sums that are compared with each other, at most. */
const WINDOW = 64;

/** Frames of the same geometry to the last digits: duplicates, or labels that contradict each other. */
export function duplicates(facts: readonly FrameFacts[]): Problem[] {
  const first = new Map<string, FrameFacts>();
  return facts.flatMap((frame): Problem[] => {
    const same = first.get(frame.geometry);
    if (!same) first.set(frame.geometry, frame);
    if (!same) return [];
    const energy = Math.abs(frame.energy - same.energy);
    const force = Math.max(
      Math.abs(frame.rmsForce - same.rmsForce),
      Math.abs(frame.mixedForce - same.mixedForce),
    );
    if (!(energy > CONFLICT.energy || force > CONFLICT.force)) {
      return [{ kind: "duplicate", frame: frame.id, text: `same as ${same.id}` }];
    }
    const text = `same geometry as ${same.id}, ${
      energy > CONFLICT.energy
        ? `energies ${energy.toPrecision(2)} eV/atom apart`
        : `forces ${force.toPrecision(2)} eV/Å apart`
    }`;
    return [{ kind: "conflicting labels", frame: frame.id, text }];
  });
}

/**
 * Frames whose fingerprints agree, but whose geometry is not the same: near duplicates where the labels
 * agree, too; where they contradict each other, conflicting labels; neither where labels tell the
 * frames apart by no more than atoms that moved a little would.
 */
export function nearDuplicates(facts: readonly FrameFacts[]): Problem[] {
  const known = facts.map((frame, i) => ({ frame, i }))
    .filter(({ frame }) => frame.fingerprint.length > 0)
    .sort((a, b) =>
      a.frame.formula < b.frame.formula
        ? -1
        : a.frame.formula > b.frame.formula
        ? 1
        : a.frame.fingerprint[0] - b.frame.fingerprint[0] || a.i - b.i
    );
  const found = new Map<number, { first: number; problem: Problem }>();
  known.forEach(({ frame, i }, at) => {
    for (let k = at + 1; k < Math.min(at + WINDOW, known.length); k++) {
      const other = known[k];
      if (other.frame.formula !== frame.formula || !alike(frame, other.frame, 0, NEAR)) break;
      if (frame.geometry === other.frame.geometry) continue;
      const [early, late] = [Math.min(i, other.i), Math.max(i, other.i)];
      const problem = compare(facts[early], facts[late]);
      // Of several frames that one is like, the earliest is named.
      if (problem && !(found.get(late)?.first! <= early)) {
        found.set(late, { first: early, problem });
      }
    }
  });
  return [...found].sort(([a], [b]) => a - b).map(([, { problem }]) => problem);
}

/** What is to be said of two frames that may be alike. */
function compare(early: FrameFacts, late: FrameFacts): Problem | null {
  const within = (tolerance: number) =>
    late.fingerprint.length === early.fingerprint.length &&
    late.fingerprint.every((_, c) => alike(early, late, c, tolerance));
  if (early.pbc !== late.pbc || early.state !== late.state || !within(NEAR)) return null;
  const energy = Math.abs(late.energy - early.energy);
  const force = Math.max(
    Math.abs(late.maxForce - early.maxForce),
    Math.abs(late.rmsForce - early.rmsForce),
  );
  const allowedForce = AGREE.force * Math.max(1, early.maxForce, late.maxForce);
  if (!(energy > AGREE.energy) && !(force > allowedForce)) {
    return { kind: "near duplicate", frame: late.id, text: `almost the same as ${early.id}` };
  }
  const bySize = DISPLACED * Math.max(early.rmsForce, late.rmsForce);
  const slack = within(MOVED) ? 0 : Number.isFinite(bySize) ? bySize : PLAUSIBLE;
  const conflict = energy > AGREE.energy + slack || (slack === 0 && force > allowedForce);
  if (!conflict) return null;
  const apart = energy > AGREE.energy
    ? `energies ${energy.toPrecision(2)} eV/atom apart`
    : `forces ${force.toPrecision(2)} eV/Å apart`;
  const text = `the geometry of ${early.id} but for its place, orientation or order, ${apart}`;
  return { kind: "conflicting labels", frame: late.id, text };
}

function alike(a: FrameFacts, b: FrameFacts, k: number, tolerance: number): boolean {
  const [x, y] = [a.fingerprint[k], b.fingerprint[k]];
  return Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y), FLOOR);
}
