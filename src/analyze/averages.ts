import { type BlockAverage, blockAverage } from "./block_average.ts";
import { COLUMNS, type FrameFacts } from "./frame_facts.ts";

/** Averages of the columns that frames have, by the names of these. */
export type Averages = Readonly<Record<string, BlockAverage>>;

/** Averages over frames in their order; a column is left out where no frame has it. */
export function averagesOf(frames: readonly FrameFacts[]): Averages {
  return Object.fromEntries(
    Object.entries(COLUMNS).flatMap(([name, key]) => {
      const values = frames.map((frame) => frame[key]).filter(Number.isFinite);
      return values.length > 0 ? [[name, blockAverage(values)]] : [];
    }),
  );
}
