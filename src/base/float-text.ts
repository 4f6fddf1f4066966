// Floating point numbers as Java prints them, which configs, tools and records show: the shortest digits that are read as the
// same number (Double.toString of JDK 19 and later), with an exponent from 10^7 on and below 10^-3.

/** Double.toString. */
export function doubleText(value: number): string {
  return javaText(value, value.toExponential())
}

/** Float.toString, of what Math.fround leaves as it is. */
export function floatText(value: number): string {
  return javaText(value, shortestFloat(value))
}

function javaText(value: number, shortest: string): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) return withPoint(String(Number(shortest)))
  const [mantissa, exponent] = shortest.split('e')
  return `${withPoint(mantissa)}E${Number(exponent)}`
}

function withPoint(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`
}

function shortestFloat(value: number): string {
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits)
    if (Math.fround(Number(text)) === value) return text.replace(/\.?0+e/, 'e')
  }
  return value.toExponential()
}
