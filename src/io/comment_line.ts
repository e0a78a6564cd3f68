/**
 * Key-value pairs of an extended-XYZ comment line: `key=value`, `key="quoted value"`, `key={…}`,
 * `key=[…]`, spaces around `=` allowed; a bare key has the value `T`; the last of equal keys wins.
 *
 * @param unclosed told of a key whose double quote never closes; its value then ends at a blank
 */
export function parseCommentLine(
  line: string,
  unclosed: (key: string) => void = () => {},
): Map<string, string> {
  const info = new Map<string, string>();
  let at = 0;
  while ((at = skipSpace(line, at)) < line.length) {
    const [key, afterKey] = readToken(line, at, /[\s=]/);
    const equals = skipSpace(line, afterKey);
    if (line[equals] !== "=") {
      if (key) info.set(key, "T");
      at = Math.max(afterKey, at + 1);
      continue;
    }
    const opening = skipSpace(line, equals + 1);
    if (line[opening] === '"' && !readQuoted(line, opening + 1, '"')) unclosed(key);
    const [value, next] = readToken(line, opening, /\s/);
    if (key) info.set(key, value);
    at = Math.max(next, equals + 1);
  }
  return info;
}

function skipSpace(line: string, at: number): number {
  while (at < line.length && /\s/.test(line[at])) at++;
  return at;
}

const CLOSING: Record<string, string> = { '"': '"', "'": "'", "{": "}", "[": "]" };

/** A quoted, bracketed or bare token starting at `at`; a bare one ends before `stop`. */
function readToken(line: string, at: number, stop: RegExp): [token: string, next: number] {
  const closing = CLOSING[line[at]];
  if (closing) {
    const quoted = readQuoted(line, at + 1, closing);
    if (quoted) return quoted;
  }
  let end = at;
  while (end < line.length && !stop.test(line[end])) end++;
  return [line.slice(at, end), end];
}

/**
 * Reads up to the closing character, resolving `\"`, `\\` and `\n`; brackets may be nested; null if it
 * never closes.
 */
function readQuoted(line: string, at: number, closing: string): [string, number] | null {
  const opening = line[at - 1];
  let text = "";
  let depth = 1;
  for (let i = at; i < line.length; i++) {
    if (opening !== closing && line[i] === opening) depth++;
    if (line[i] === "\\" && i + 1 < line.length) {
      i++;
      text += line[i] === "n" ? "\n" : line[i];
    } else if (line[i] === closing && --depth === 0) {
      return [text, i + 1];
    } else {
      text += line[i];
    }
  }
  return null;
}

/** A key regardless of case, as it is written; the very key where there is one. */
export function findKey(info: ReadonlyMap<string, string>, key: string): string | undefined {
  if (info.has(key)) return key;
  const lower = key.toLowerCase();
  for (const name of info.keys()) if (name.toLowerCase() === lower) return name;
  return undefined;
}

/** Value of a key regardless of case, as other programs read it. */
export function lookUp(info: ReadonlyMap<string, string>, key: string): string | undefined {
  const name = findKey(info, key);
  return name === undefined ? undefined : info.get(name);
}

/** Numbers of a value such as `1 2 3`, `[1, 2, 3]` or `[[1, 2], [3, 4]]`; NaN where it is not one. */
export function parseNumbers(value: string): number[] {
  const words = value.split(/[\s,[\]{}]+/).filter((word) => word !== "");
  return words.map((word) => Number(word.replace(/[dD]/, "e")));
}

/** The number of a value, NaN where there is none or there are several. */
export function onlyNumber(value = ""): number {
  const numbers = parseNumbers(value);
  return numbers.length === 1 ? numbers[0] : NaN;
}

/** Truth values of `T T F`, `1 1 0`, `[True, True, False]`; null where it is not one. */
export function parseBooleans(value: string): (boolean | null)[] {
  const words = value.split(/[\s,[\]{}]+/).filter((word) => word !== "");
  return words.map((word) =>
    /^(t|true|1)$/i.test(word) ? true : /^(f|false|0)$/i.test(word) ? false : null
  );
}
