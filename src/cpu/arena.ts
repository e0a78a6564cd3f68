import { allocate, extend } from "./memory.ts";

/** Beyond this many bytes no room is kept to spare. */
const LARGE = 2 ** 28;

/** Scratch memory of one thread; grows to what the largest frame needs. */
export class Arena {
  #start = 0;
  #size = 0;
  #used = 0;

  constructor(readonly memory: WebAssembly.Memory) {}

  /** Forgets the frame before and makes room for `bytes`. */
  reset(bytes: number): void {
    this.#used = 0;
    if (bytes <= this.#size) return;
    // Room to spare, so that frames that vary a little do not grow it again and again.
    const wanted = Math.ceil(bytes < LARGE ? 1.25 * bytes : bytes);
    if (!extend(this.memory, this.#start + this.#size, wanted - this.#size)) {
      this.#start = allocate(this.memory, wanted);
    }
    this.#size = wanted;
  }

  /** What is taken, to be given back by `release`. */
  mark(): number {
    return this.#used;
  }

  /** Gives back all that was taken since `mark`. */
  release(mark: number): void {
    this.#used = mark;
  }

  /** Address of `bytes` of scratch, 16-byte aligned. */
  take(bytes: number): number {
    const at = this.#start + this.#used;
    this.#used += Math.ceil(bytes / 16) * 16;
    if (this.#used > this.#size) throw new Error("The scratch memory of a thread is too small");
    return at;
  }

  put(data: Float32Array | Float64Array | Uint32Array | Int32Array | Uint8Array): number {
    const at = this.take(data.byteLength);
    new Uint8Array(this.memory.buffer, at, data.byteLength)
      .set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return at;
  }
}
