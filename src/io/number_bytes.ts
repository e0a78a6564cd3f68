/** Powers of ten that float64 holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, k) => 10 ** k);
/** Integers of this many digits are exact in float64. */
const EXACT_DIGITS = 15;

/**
 * Decimal number written in bytes [start, end), correctly rounded; NaN if it is not a number.
 * Up to 15 digits and a power of ten within ±22 are exact in float64, so that one multiplication or
 * division rounds correctly; everything else goes through `Number`.
 */
export function parseNumberBytes(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  const negative = bytes[i] === 0x2D;
  if (negative || bytes[i] === 0x2B) i++;
  let mantissa = 0;
  let digits = 0;
  let seen = 0;
  let decimals = 0;
  let pointAt = -1;
  for (; i < end; i++) {
    const c = bytes[i] - 0x30;
    if (c >= 0 && c <= 9) {
      if (mantissa !== 0 || c !== 0) digits++;
      mantissa = mantissa * 10 + c;
      seen++;
      if (pointAt >= 0) decimals++;
    } else if (bytes[i] === 0x2E && pointAt < 0) {
      pointAt = i;
    } else {
      break;
    }
  }
  if (i === end && seen > 0 && digits <= EXACT_DIGITS && decimals <= 22) {
    const value = mantissa / POWERS[decimals];
    return negative ? -value : value;
  }
  return parseSlowly(bytes, start, end);
}

const SHAPE = /^[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?$/;

function parseSlowly(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 64) return NaN;
  const text = String.fromCharCode(...bytes.subarray(start, end));
  return SHAPE.test(text) ? Number(text.replace(/[dD]/, "e")) : NaN;
}
