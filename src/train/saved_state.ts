import type { FitState } from "./fit.ts";

/** A state as arrays by name and the numbers besides, to be written to a file. */
export interface SavedState {
  readonly arrays: ReadonlyMap<string, Float64Array>;
  /** As JSON takes them; what is not a number is null. */
  readonly numbers: unknown;
}

type Numbers = {
  readonly step: number;
  readonly plateau: FitState["plateau"];
  readonly epochs: FitState["epochs"];
  readonly best: number | null;
};

/** Arrays of a state, group by group, as they are. */
function groupsOf({ adam, averages }: FitState): (readonly [string, readonly Float64Array[]])[] {
  return [
    ["first", adam.first],
    ["second", adam.second],
    ["largest", adam.largest ?? []],
    ["average", averages ?? []],
  ];
}

/** @param weights all trainable arrays of the state's model */
export function saveState(state: FitState, weights: readonly Float64Array[]): SavedState {
  const groups = [
    ...groupsOf(state),
    ["weights", weights],
    ["best", state.best?.weights ?? []],
  ] as const;
  const arrays = new Map(
    groups.flatMap(([group, list]) => list.map((x, k) => [`${group}.${k}`, x] as const)),
  );
  const { adam: { step }, plateau, epochs, best } = state;
  const numbers: Numbers = { step, plateau, epochs, best: best?.epoch ?? null };
  return { arrays, numbers };
}

/**
 * Fills a state of the same shape with what was saved.
 *
 * @param state as before the first step
 * @param weights all trainable arrays of its model, overwritten
 * @throws {RangeError} if the shapes differ
 */
export function restoreState(
  state: FitState,
  weights: readonly Float64Array[],
  { arrays, numbers }: SavedState,
): void {
  const take = (name: string, length: number) => {
    const array = arrays.get(name);
    if (array?.length !== length) throw new RangeError(`"${name}" is missing or of another size`);
    return array;
  };
  for (const [group, list] of [...groupsOf(state), ["weights", weights] as const]) {
    list.forEach((x, k) => x.set(take(`${group}.${k}`, x.length)));
  }
  const saved = numbers as Numbers;
  state.adam.step = saved.step;
  Object.assign(state.plateau, saved.plateau, { best: saved.plateau.best ?? Infinity });
  state.epochs.push(...saved.epochs.map((epoch) => revived(epoch)));
  if (saved.best === null) return;
  const best = weights.map((x, k) => take(`best.${k}`, x.length).slice());
  state.best = { epoch: saved.best, weights: best };
}

/** Numbers of an epoch, with NaN again where JSON had null. */
function revived<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).map(([key, x]) => [
      key,
      x === null ? NaN : typeof x === "object" ? revived(x as object) : x,
    ]),
  ) as T;
}
