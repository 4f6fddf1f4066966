// Values as Apache's tools print them, for vectors.

/** Byte strings in base64, and bigints as numbers. */
export function asJson(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(asJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asJson(field)]))
}
