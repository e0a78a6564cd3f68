/** Pairs of label and model that a figure shows. */
export interface ParityPoints {
  readonly points: readonly (readonly [label: number, model: number])[];
  /** How many there were. */
  readonly count: number;
}

/** More pairs are thinned, evenly. */
const MOST = 20_000;

/** Collects pairs of label and model, every one of them or every second, fourth … where they are many. */
export class Parity implements ParityPoints {
  points: (readonly [number, number])[] = [];
  count = 0;
  #stride = 1;

  add(label: ArrayLike<number>, model: ArrayLike<number>): void {
    for (let i = 0; i < label.length; i++) {
      if (this.count++ % this.#stride === 0) this.points.push([label[i], model[i]]);
      if (this.points.length < MOST) continue;
      this.points = this.points.filter((_, place) => place % 2 === 0);
      this.#stride *= 2;
    }
  }
}
