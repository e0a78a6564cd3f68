import { escapeXml } from "./figure.ts";

/** A figure and what stands below it. */
export type Captioned = readonly [caption: string, svg: string];

/** One page without scripts or outside resources.
 * @param parts HTML */
export function plainPage(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeXml(title)}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;
margin:2rem auto;padding:0 1rem}pre{overflow-x:auto}svg{width:100%;height:auto}figure{margin:1rem 0}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:1rem}
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}
figcaption{color:#6b7280}</style></head>
<body><h1>${escapeXml(title)}</h1>
${parts.join("\n")}</body></html>
`;
}

export function drawn([caption, svg]: Captioned): string {
  return `<figure>${svg}<figcaption>${escapeXml(caption)}</figcaption></figure>`;
}

export function list(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${escapeXml(line)}</li>`).join("\n")}</ul>`;
}

/** A table whose first row is its head. */
export function table([head, ...rows]: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>${row(head, "th")}\n${rows.map((cells) => row(cells, "td")).join("\n")}</table>`;
}
