import { UsageError } from "../../errors.ts";
import { isDistilling, KNOW_REFERENCE, type Method, METHODS } from "../../select/method.ts";

type Values = Readonly<Record<string, string | boolean | undefined>>;

const DISTILLING = METHODS.filter(isDistilling);

/** Methods that heed an option; the others would ignore it. */
const HEEDED_BY: Readonly<Record<string, readonly Method[]>> = {
  reference: KNOW_REFERENCE,
  compat: ["direct"],
  "density-weight": ["cpd"],
  central: DISTILLING,
  peripheral: DISTILLING,
  "central-share": DISTILLING,
};

/** What a file of features makes meaningless. */
const DESCRIBING = ["model", "layers", "pool", "reference"];

/** What only a proposed number of frames asks for. */
const PROPOSING = ["margin", "splits", "group-by", "energy-key"];

/**
 * Refuses options that would be ignored, or that contradict each other.
 *
 * @param methods those that will choose
 * @throws {UsageError} naming both sides
 */
export function refuseUnused(values: Values, methods: readonly Method[]): void {
  const refuse = (flag: string, other: string, expected: string) => {
    throw new UsageError(`Cannot use --${flag} with ${other}: expected ${expected}`);
  };
  for (const [flag, able] of Object.entries(HEEDED_BY)) {
    if (values[flag] === undefined || methods.some((method) => able.includes(method))) continue;
    refuse(flag, `--method${methods.length > 1 ? "s" : ""} ${methods.join()}`, able.join(", "));
  }
  for (const flag of DESCRIBING) {
    if (values.features !== undefined && values[flag] !== undefined) {
      refuse(flag, "--features", "one of them");
    }
  }
  const [central, peripheral] = [Number(values.central), Number(values.peripheral)];
  if (central + peripheral > 1) {
    refuse("central", `--peripheral ${values.peripheral}`, "no more than 1 together");
  }
}

/** Refuses options of `distill` that the given number of frames makes meaningless.
 * @throws {UsageError} naming both sides */
export function refuseUnproposed(values: Values): void {
  const auto = values.select === "auto";
  for (const flag of PROPOSING) {
    if (values[flag] === undefined || auto) continue;
    throw new UsageError(`Cannot use --${flag} with -n ${values.select}: expected --select auto`);
  }
  for (const flag of ["reference", "keep"]) {
    if (!auto || values[flag] === undefined) continue;
    throw new UsageError(`Cannot use --${flag} with --select auto: expected a number of frames`);
  }
}
