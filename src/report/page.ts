import viewer from "3dmol/build/3Dmol-min.js" with { type: "text" };
import { escapeXml } from "./figure.ts";
import mapScript from "./browser/map.js" with { type: "text" };
import pageScript from "./browser/page.js" with { type: "text" };
import style from "./browser/page.css" with { type: "text" };
import structureScript from "./browser/structure.js" with { type: "text" };
import { figureHtml, type ReportFigure } from "./figures.ts";

/** What the page says, besides the data that it draws. */
export interface PageContent {
  readonly title: string;
  /** Label and value pairs. */
  readonly facts: readonly (readonly [string, string])[];
  readonly warnings: readonly string[];
  readonly figures: readonly ReportFigure[];
  /** Measure, its value, and that of random choices. */
  readonly coverage: readonly (readonly [string, string, string])[];
  readonly methods: string;
  readonly citations: string;
  /** The command that repeats the run. */
  readonly command: string;
}

/** No part of the page may ask for anything outside of it. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; " +
  "img-src data: blob:; connect-src 'none'; form-action 'none'; base-uri 'none'";

const VIEWER_NOTICE = "3Dmol.js, Copyright (c) University of Pittsburgh and contributors, " +
  "BSD-3-Clause licence: https://github.com/3dmol/3Dmol.js/blob/master/LICENSE";

/** The report for people: one file that works from disk without a network. */
export function formatPage(content: PageContent, data: unknown): string {
  const { title, facts, warnings, figures, coverage, methods, citations, command } = content;
  const row = (cells: readonly string[]) =>
    `<tr><th scope="row">${escapeXml(cells[0])}</th>${
      cells.slice(1).map((cell) => `<td>${escapeXml(cell)}</td>`).join("")
    }</tr>`;
  const notes = warnings.map((warning) => `<li>${escapeXml(warning)}</li>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${style}</style></head>
<body>
<header><h1>${escapeXml(title)}</h1></header>
<main>
${notes ? `<section aria-label="Warnings"><h2>Warnings</h2><ul>${notes}</ul></section>` : ""}
${EXPLORER}
<h2>Figures</h2>
<div class="figures">${figures.map(figureHtml).join("\n")}</div>
<h2>Coverage</h2>
<div class="scroll"><table class="table"><tr><td></td><th>chosen</th><th>random choices</th></tr>
${coverage.map(row).join("\n")}</table></div>
<h2>Run</h2>
<div class="scroll"><table class="table">${facts.map(row).join("\n")}</table></div>
<h2>To repeat it</h2>
<pre>${escapeXml(command)}</pre>
<h2>Methods</h2>
<p>${escapeXml(methods)}</p>
<h2>To cite</h2>
<pre>${escapeXml(citations)}</pre>
</main>
<script type="application/json" id="cpd-data">${
    JSON.stringify(data).replaceAll("<", "\\u003c")
  }</script>
<!-- ${VIEWER_NOTICE} -->
<script>${inert(viewer)}</script>
<script>(() => {
${inert([mapScript, structureScript, pageScript].map(joined).join("\n"))}
})();</script>
</body></html>
`;
}

/** A module without its imports and exports: all of them stand in one function. */
function joined(module: string): string {
  return module.replace(/^import [^;]*;\n/gm, "").replace(/^export /gm, "");
}

/** Text that cannot end the script element that it stands in. */
function inert(script: string): string {
  return script.replace(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");
}

const EXPLORER = `<section class="explorer" aria-label="Map of the frames">
<div class="panel">
<div class="controls">
<label>colour <select id="color"></select></label>
<label>x <select id="axis-x"></select></label>
<label>y <select id="axis-y"></select></label>
<label><input type="checkbox" id="show-chosen" checked> ring chosen frames</label>
<label><input type="checkbox" id="lasso"> lasso by touch</label>
</div>
<canvas id="map" tabindex="0" role="application" aria-label="Map of the frames on principal components.
Arrow keys go from frame to frame, Enter marks one, Escape clears the marks."></canvas>
<div id="legend" aria-live="polite"></div>
<p class="hint">Click a point for its structure; drag around points to mark them. Keys: arrows, Home, End,
Enter to mark, Escape to clear.</p>
</div>
<div class="panel">
<label class="hint" for="frame">frame</label>
<input id="frame" spellcheck="false" autocomplete="off">
<div id="viewer" role="img" aria-label="Structure of the frame"></div>
<div class="controls">
<span id="viewer-note" class="hint" aria-live="polite"></span>
<label>cells <select id="copies"><option value="1">1</option><option value="2">2 x 2 x 2</option>
<option value="3">3 x 3 x 3</option></select></label>
<label><input type="checkbox" id="bonds" checked> bonds</label>
</div>
<div class="facts-box"><table id="facts"></table></div>
<div class="controls">
<span id="count" aria-live="polite"></span>
<button id="mark-chosen" type="button">mark chosen</button>
<button id="clear" type="button">clear</button>
<button id="save" type="button">save ids</button>
</div>
<textarea id="ids" readonly aria-label="Ids of the marked frames"></textarea>
</div>
</section>`;
