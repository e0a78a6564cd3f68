import { Buffer } from "node:buffer";
import { RequestError } from "../errors.ts";
import { KERNELS } from "./embedded.ts";

/**
 * The memory that all threads and kernels share. Its first words hold the end of what is allocated;
 * allocation is atomic, so any thread may ask for more.
 */
const HEAP_END = 0;
const HEAP_START = 64;
const PAGE = 65536;
const INITIAL_PAGES = 16;
const MAXIMUM_PAGES = 65536;

/** Allocations are kept on multiples of this, a cache line. */
const ALIGNMENT = 64;

export function createMemory(): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({
    initial: INITIAL_PAGES,
    maximum: MAXIMUM_PAGES,
    shared: true,
  });
  new Uint32Array(memory.buffer, 0, 1)[HEAP_END] = HEAP_START;
  return memory;
}

/** Reserves `bytes` and returns their address; grows the memory as needed. */
export function allocate(memory: WebAssembly.Memory, bytes: number): number {
  const size = aligned(bytes);
  checkEnd(mark(memory) + size);
  const address = Atomics.add(heap(memory), HEAP_END, size) >>> 0;
  checkEnd(address + size);
  growTo(memory, address + size);
  return address;
}

/** Reserves `bytes` more at the end of a reservation; false if another one follows it. */
export function extend(memory: WebAssembly.Memory, end: number, bytes: number): boolean {
  const from = aligned(end);
  if (from !== mark(memory)) return false;
  const to = aligned(from + bytes);
  checkEnd(to);
  if (Atomics.compareExchange(heap(memory), HEAP_END, from, to) >>> 0 !== from) return false;
  growTo(memory, to);
  return true;
}

function heap(memory: WebAssembly.Memory): Uint32Array {
  return new Uint32Array(memory.buffer, 0, 1);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function checkEnd(end: number): void {
  if (end <= MAXIMUM_PAGES * PAGE - ALIGNMENT) return;
  throw new RequestError(
    "Cannot hold more than 4 GiB on the CPU backend: use fewer --threads, or smaller frames",
  );
}

function growTo(memory: WebAssembly.Memory, end: number): void {
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
}

/** Copies an array into newly reserved memory and returns its address. */
export function store(
  memory: WebAssembly.Memory,
  data: Float32Array | Float64Array | Uint32Array | Uint8Array,
): number {
  const address = allocate(memory, data.byteLength);
  new Uint8Array(memory.buffer, address, data.byteLength)
    .set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return address;
}

/** End of what is allocated; `release` frees everything that was reserved since. */
export function mark(memory: WebAssembly.Memory): number {
  return Atomics.load(new Uint32Array(memory.buffer, 0, 1), HEAP_END) >>> 0;
}

/** Frees everything reserved since `mark`; no kernel may be running. */
export function release(memory: WebAssembly.Memory, end: number): void {
  Atomics.store(new Uint32Array(memory.buffer, 0, 1), HEAP_END, end);
}

/** Kernels by name; every argument is an address or a number. */
export type Kernels = Readonly<Record<string, (...args: number[]) => number>>;

/** How kernels multiply and add: in two roundings, or in one where the processor can. */
export type Build = "plain" | "relaxed";

/** Instantiates every kernel on the shared memory. */
export function loadKernels(memory: WebAssembly.Memory, build: Build): Kernels {
  return Object.fromEntries(
    Object.keys(KERNELS).map((name) => [name, loadKernel(memory, build, name)]),
  );
}

/** Instantiates one kernel. */
export function loadKernel(memory: WebAssembly.Memory, build: Build, name: string) {
  const module = new WebAssembly.Module(kernelBytes(build, name));
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return instance.exports[name] as (...args: number[]) => number;
}

function kernelBytes(build: Build, name: string) {
  return Buffer.from(KERNELS[name][build] ?? KERNELS[name].plain, "base64");
}
