import { type BlockAverage, blockAverage } from "../analyze/block_average.ts";
import { slope } from "../line.ts";
import type { MdSummary, ThermoTable } from "./md.ts";

const AVERAGED = ["temperature", "pressure", "potential", "molecular_fraction"] as const;

/** What is told of a run by its table.
 * @param equilibrate steps left out */
export function summaryOf(
  name: string,
  table: ThermoTable,
  equilibrate: number,
  nAtoms: number,
  stopped: string | null,
): MdSummary {
  const steps = table.get("step")!;
  const counted = (column: string) =>
    (table.get(column) ?? []).filter((x, i) => steps[i] >= equilibrate && Number.isFinite(x));
  const averages: Record<string, BlockAverage> = {};
  for (const column of AVERAGED) {
    const values = counted(column);
    if (values.length > 0) averages[column] = blockAverage(values);
  }
  const times = table.get("time")!.filter((_, i) => steps[i] >= equilibrate);
  return {
    ...{ name, stopped, averages },
    steps: steps[steps.length - 1],
    drift: 1e6 * slope(times, counted("conserved")) / nAtoms,
  };
}
