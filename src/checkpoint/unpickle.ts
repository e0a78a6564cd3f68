import { WeightsError } from "../errors.ts";

/**
 * An inert reader of pickles (protocols 0–5, the opcodes of PEP 3154). A pickle is a program; here
 * its calls are recorded and never made: a global is a name, a call is a record of that name and its
 * arguments. Each opcode consumes at least one byte and copies nothing it can share, so time and
 * memory stay linear in the length of the file.
 */

/** A name that the pickle refers to, such as `torch._utils _rebuild_tensor_v2`. */
export class Global {
  constructor(readonly name: string) {}
}

/** A call that was not made: `callable(...args)`, later given a `state` and items. */
export class Call {
  state: unknown = null;
  readonly items: unknown[] = [];
  constructor(readonly callable: unknown, readonly args: unknown) {}
  /** The callable's name, or an empty string if it is not a name. */
  get name(): string {
    return this.callable instanceof Global ? this.callable.name : "";
  }
}

/** A persistent id: a reference to data outside the pickle. */
export class PersistentId {
  constructor(readonly id: unknown) {}
}

export type Dict = Map<unknown, unknown>;

const utf8 = new TextDecoder();
const latin1 = new TextDecoder("latin1");

/** Decodes one pickle.
 * @param bytes the pickle
 * @returns the object it describes, made of primitives, arrays (lists, tuples, sets), Maps (dicts),
 *   byte arrays, and the inert records above
 * @throws {WeightsError} on an unknown opcode, a truncated or an inconsistent program */
export function unpickle(bytes: Uint8Array): unknown {
  const machine = new Machine(bytes);
  try {
    return machine.run();
  } catch (error) {
    if (error instanceof WeightsError || !(error instanceof RangeError)) throw error;
    throw new WeightsError(`the pickle is truncated or damaged at byte ${machine.position}`);
  }
}

class Machine {
  position = 0;
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (;;) {
      const at = this.position;
      const opcode = this.#u8();
      if (opcode === 0x2E) return this.#pop(); // STOP
      if (!this.#simple(opcode) && !this.#scalar(opcode) && !this.#container(opcode)) {
        const text = `0x${opcode.toString(16).padStart(2, "0")}`;
        throw new WeightsError(`unknown pickle opcode ${text} at byte ${at}`);
      }
    }
  }

  /** Stack, memo and calls. */
  #simple(opcode: number): boolean {
    const stack = this.#stack;
    switch (opcode) {
      case 0x80: // PROTO
        this.#u8();
        return true;
      case 0x95: // FRAME
        this.#take(8);
        return true;
      case 0x28: // MARK
        this.#marks.push(stack.length);
        return true;
      case 0x30: // POP
        this.#pop();
        return true;
      case 0x31: // POP_MARK
        this.#popMark();
        return true;
      case 0x32: // DUP
        stack.push(this.#top());
        return true;
      case 0x71: // BINPUT
        this.#memo.set(this.#u8(), this.#top());
        return true;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#u32(), this.#top());
        return true;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return true;
      case 0x68: // BINGET
        return this.#recall(this.#u8());
      case 0x6A: // LONG_BINGET
        return this.#recall(this.#u32());
      case 0x63: // GLOBAL
        stack.push(new Global(`${this.#line()} ${this.#line()}`));
        return true;
      case 0x93: { // STACK_GLOBAL
        const [name, module] = [this.#pop(), this.#pop()];
        if (typeof name !== "string" || typeof module !== "string") throw new RangeError();
        stack.push(new Global(`${module} ${name}`));
        return true;
      }
      case 0x52: // REDUCE
      case 0x81: { // NEWOBJ
        const args = this.#pop();
        stack.push(reduce(this.#pop(), args));
        return true;
      }
      case 0x92: { // NEWOBJ_EX
        const keywords = this.#pop();
        const args = this.#pop();
        stack.push(new Call(this.#pop(), [args, keywords]));
        return true;
      }
      case 0x62: { // BUILD
        const state = this.#pop();
        const target = this.#top();
        if (target instanceof Call) target.state = state;
        return true;
      }
      case 0x51: // BINPERSID
        stack.push(new PersistentId(this.#pop()));
        return true;
    }
    return false;
  }

  /** Numbers, strings and bytes. */
  #scalar(opcode: number): boolean {
    const push = (value: unknown) => this.#stack.push(value) > 0;
    switch (opcode) {
      case 0x4E: // NONE
        return push(null);
      case 0x88: // NEWTRUE
        return push(true);
      case 0x89: // NEWFALSE
        return push(false);
      case 0x4B: // BININT1
        return push(this.#u8());
      case 0x4D: // BININT2
        return push(this.#view.getUint16(this.#take(2), true));
      case 0x4A: // BININT
        return push(this.#view.getInt32(this.#take(4), true));
      case 0x8A: // LONG1
        return push(this.#long(this.#u8()));
      case 0x8B: // LONG4
        return push(this.#long(this.#u32()));
      case 0x47: // BINFLOAT, big-endian
        return push(this.#view.getFloat64(this.#take(8)));
      case 0x58: // BINUNICODE
        return push(utf8.decode(this.#block(this.#u32())));
      case 0x8C: // SHORT_BINUNICODE
        return push(utf8.decode(this.#block(this.#u8())));
      case 0x8D: // BINUNICODE8
        return push(utf8.decode(this.#block(this.#u64())));
      case 0x55: // SHORT_BINSTRING
        return push(latin1.decode(this.#block(this.#u8())));
      case 0x54: // BINSTRING
        return push(latin1.decode(this.#block(this.#u32())));
      case 0x43: // SHORT_BINBYTES
        return push(this.#block(this.#u8()));
      case 0x42: // BINBYTES
        return push(this.#block(this.#u32()));
      case 0x8E: // BINBYTES8
        return push(this.#block(this.#u64()));
    }
    return false;
  }

  /** Tuples, lists, dicts and sets. */
  #container(opcode: number): boolean {
    const stack = this.#stack;
    switch (opcode) {
      case 0x29: // EMPTY_TUPLE
      case 0x5D: // EMPTY_LIST
      case 0x8F: // EMPTY_SET
        stack.push([]);
        return true;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: { // TUPLE3
        const n = opcode - 0x84;
        if (stack.length < n) throw new RangeError();
        stack.push(stack.splice(-n));
        return true;
      }
      case 0x74: // TUPLE
      case 0x6C: // LIST
      case 0x91: // FROZENSET
        stack.push(this.#popMark());
        return true;
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return true;
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        this.#append(this.#popMark());
        return true;
      case 0x7D: // EMPTY_DICT
        stack.push(new Map());
        return true;
      case 0x64: { // DICT
        const items = this.#popMark();
        stack.push(new Map());
        this.#setItems(items);
        return true;
      }
      case 0x73: { // SETITEM
        const value = this.#pop();
        this.#setItems([this.#pop(), value]);
        return true;
      }
      case 0x75: // SETITEMS
        this.#setItems(this.#popMark());
        return true;
    }
    return false;
  }

  #append(values: unknown[]): void {
    const target = this.#top();
    const list = target instanceof Call ? target.items : target;
    if (!Array.isArray(list)) throw new RangeError();
    for (const value of values) list.push(value);
  }

  #setItems(items: unknown[]): void {
    const target = this.#top();
    for (let i = 0; i + 1 < items.length; i += 2) {
      if (target instanceof Map) target.set(items[i], items[i + 1]);
      else if (target instanceof Call) target.items.push([items[i], items[i + 1]]);
      else throw new RangeError();
    }
  }

  #recall(index: number): boolean {
    if (!this.#memo.has(index)) throw new RangeError();
    this.#stack.push(this.#memo.get(index));
    return true;
  }

  #top(): unknown {
    if (this.#stack.length === 0) throw new RangeError();
    return this.#stack[this.#stack.length - 1];
  }

  #pop(): unknown {
    const floor = this.#marks.length > 0 ? this.#marks[this.#marks.length - 1] : 0;
    if (this.#stack.length <= floor) throw new RangeError();
    return this.#stack.pop();
  }

  #popMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined || mark > this.#stack.length) throw new RangeError();
    return this.#stack.splice(mark);
  }

  #take(n: number): number {
    const at = this.position;
    if (at + n > this.bytes.length) throw new RangeError();
    this.position = at + n;
    return at;
  }

  #block(n: number): Uint8Array {
    const at = this.#take(n);
    return this.bytes.subarray(at, at + n);
  }

  #u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Little-endian two's complement; more than 8 bytes do not occur in checkpoints. */
  #long(n: number): number {
    const block = this.#block(n);
    if (n > 8) throw new WeightsError(`the pickle holds an integer of ${n} bytes`);
    let value = 0n;
    for (let i = n - 1; i >= 0; i--) value = (value << 8n) | BigInt(block[i]);
    return Number(BigInt.asIntN(8 * n, value));
  }

  #line(): string {
    const end = this.bytes.indexOf(10, this.position);
    if (end < 0) throw new RangeError();
    const text = utf8.decode(this.bytes.subarray(this.position, end));
    this.position = end + 1;
    return text;
  }
}

/** The few calls that have a plain meaning; every other one stays a record. */
function reduce(callable: unknown, args: unknown): unknown {
  const name = callable instanceof Global ? callable.name : "";
  const first = Array.isArray(args) ? args[0] : undefined;
  switch (name) {
    case "collections OrderedDict":
      return first instanceof Map ? first : new Map();
    case "__builtin__ set":
    case "builtins set":
      return Array.isArray(first) ? first : [];
    case "torch._utils _rebuild_parameter":
    case "torch._utils _rebuild_parameter_with_state":
      return first;
  }
  return new Call(callable, args);
}
