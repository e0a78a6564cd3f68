/** Atoms of the frame, or null where the report does not hold its structure. */
export function structureOf(data, i) {
  const place = data.structures.at[i];
  if (place < 0) return null;
  const { species, low, step, cell, first, count } = data.structures;
  const atoms = [];
  for (let a = 0; a < count[place]; a++) {
    const at = 3 * (first[place] + a);
    const xyz = [0, 1, 2].map((k) =>
      low[3 * place + k] + step[3 * place + k] * data.structures.positions[at + k]
    );
    atoms.push({ elem: data.symbols[species[first[place] + a]], x: xyz[0], y: xyz[1], z: xyz[2] });
  }
  return { atoms, cell: Array.from(cell.subarray(9 * place, 9 * place + 9)) };
}

/** Bonds are drawn below this share of the sum of the covalent radii. */
const BOND = 1.25;

/** XYZ text and bonds of the atoms; 3Dmol would guess bonds by rules for molecules at rest. */
function withBonds(atoms, radii) {
  const model = atoms.map((atom) => ({ ...atom, bonds: [], bondOrder: [] }));
  for (let a = 0; a < model.length; a++) {
    for (let b = 0; b < a; b++) {
      const limit = BOND * (radii[model[a].elem] + radii[model[b].elem]);
      const [dx, dy, dz] = ["x", "y", "z"].map((k) => model[a][k] - model[b][k]);
      if (dx * dx + dy * dy + dz * dz > limit * limit) continue;
      model[a].bonds.push(b);
      model[a].bondOrder.push(1);
      model[b].bonds.push(a);
      model[b].bondOrder.push(1);
    }
  }
  return model;
}

/** The atoms and their images in the neighboring cells, as far as asked for. */
function withImages({ atoms, cell }, copies) {
  if (!cell.some((c) => c !== 0)) return atoms;
  const all = [];
  const steps = Array.from({ length: copies }, (_, k) => k);
  for (const a of steps) {
    for (const b of steps) {
      for (const c of steps) {
        const shift = [0, 1, 2].map((k) => a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
        for (const { elem, x, y, z } of atoms) {
          all.push({ elem, x: x + shift[0], y: y + shift[1], z: z + shift[2] });
        }
      }
    }
  }
  return all;
}

/** Opens a 3D view in the element; null where the browser has no WebGL. */
export function openViewer(element) {
  try {
    if (!document.createElement("canvas").getContext("webgl2")) return null;
    return globalThis.$3Dmol.createViewer(element, { backgroundAlpha: 0, antialias: true });
  } catch {
    return null;
  }
}

export function showStructure(viewer, structure, { copies, radii, bonds }) {
  viewer.removeAllModels();
  viewer.removeAllShapes();
  const atoms = withImages(structure, copies);
  const model = viewer.addModel();
  model.addAtoms(bonds ? withBonds(atoms, radii) : atoms);
  model.setStyle(
    {},
    bonds ? { stick: { radius: 0.09 }, sphere: { scale: 0.22 } } : {
      sphere: { scale: 0.3 },
    },
  );
  if (structure.cell.some((c) => c !== 0)) drawCell(viewer, structure.cell);
  viewer.zoomTo();
  viewer.render();
}

function drawCell(viewer, cell) {
  const corner = (a, b, c) => {
    const [x, y, z] = [0, 1, 2].map((k) => a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
    return { x, y, z };
  };
  for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
    viewer.addLine({ start: corner(0, a, b), end: corner(1, a, b), color: "#808890" });
    viewer.addLine({ start: corner(a, 0, b), end: corner(a, 1, b), color: "#808890" });
    viewer.addLine({ start: corner(a, b, 0), end: corner(a, b, 1), color: "#808890" });
  }
}
