/** One entry of `Properties`: a name, its type (S, I, R or L) and where its columns are. */
export interface Property {
  readonly name: string;
  readonly type: string;
  readonly start: number;
  readonly count: number;
}

/** The entries of `Properties=name:T:n:…`, or null where it is malformed. */
export function parseProperties(value: string): Property[] | null {
  const words = value.split(":");
  if (words.length % 3 !== 0) return null;
  const properties: Property[] = [];
  let start = 0;
  for (let i = 0; i < words.length; i += 3) {
    const [name, type, count] = [words[i], words[i + 1], Number(words[i + 2])];
    if (!/^[SIRL]$/.test(type) || !Number.isInteger(count) || count < 1 || count > 1e6) return null;
    properties.push({ name, type, start, count });
    start += count;
  }
  return properties;
}
