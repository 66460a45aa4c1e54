/**
 * The CRC-32 of two pieces strung together, from that of each: so that pieces can be read side by side. As zlib's
 * crc32_combine, which Node has not.
 */
export function joinCrc32(first: number, second: number, secondBytes: number): number {
  return (times(xToThe(8 * secondBytes), first) ^ second) >>> 0;
}

/** Polynomials over GF(2) modulo that of CRC-32, of which bit 31 is the constant term. */
const modulus = 0xedb88320;
const one = 0x80000000;
const x = 0x40000000;

function xToThe(exponent: number): number {
  let power = one;
  let square = x;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = times(square, power);
    square = times(square, square);
  }
  return power;
}

function times(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let term = one; term !== 0; term >>>= 1) {
    if ((a & term) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ modulus;
  }
  return product;
}
