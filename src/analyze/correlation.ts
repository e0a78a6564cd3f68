/**
 * Mean squared displacement over all origins, ⟨|x(t₀ + t) - x(t₀)|²⟩ averaged over atoms and t₀, Å².
 *
 * @param positions of each frame, shape (n_atoms, 3), not wrapped, Å
 * @param most largest t, in frames
 * @returns shape (most + 1)
 */
export function meanSquaredDisplacement(
  positions: readonly Float64Array[],
  most: number,
): Float64Array {
  return overOrigins(positions, most, (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (b[i] - a[i]) ** 2;
    return sum;
  });
}

/** Velocity autocorrelation over all origins, ⟨v(t₀) · v(t₀ + t)⟩ averaged over atoms and t₀, (Å/fs)². */
export function velocityAutocorrelation(
  velocities: readonly Float64Array[],
  most: number,
): Float64Array {
  return overOrigins(velocities, most, (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  });
}

function overOrigins(
  frames: readonly Float64Array[],
  most: number,
  of: (a: Float64Array, b: Float64Array) => number,
): Float64Array {
  const nAtoms = frames[0].length / 3;
  return Float64Array.from({ length: most + 1 }, (_, t) => {
    let sum = 0;
    const origins = frames.length - t;
    for (let first = 0; first < origins; first++) sum += of(frames[first], frames[first + t]);
    return sum / (origins * nAtoms);
  });
}
