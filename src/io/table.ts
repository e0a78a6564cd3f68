/** One line of CSV (RFC 4180): fields with commas, quotes or line ends are quoted. */
export function csvLine(fields: readonly (string | number)[]): string {
  const quote = (field: string | number) => {
    const text = String(field);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return fields.map(quote).join(",") + "\n";
}

/** The fields of a line that `csvLine` wrote, without line ends in them. */
export function csvFields(line: string): string[] {
  const fields = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g);
  return [...fields].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}
