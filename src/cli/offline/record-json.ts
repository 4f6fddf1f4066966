// Messages as Apache's JSON converters write them: fields in their order, a tagged one only when it is not at its default,
// bytes in base64, numbers as Java prints them.

import { doubleText } from '../../base/float-text.ts'
import type { Fields, Message, Type } from '../../protocol/schema.ts'

/** `value` is what the message's codec of `version` has decoded. */
export function messageJson<F extends Fields>(schema: Message<F>, version: number, value: object): string {
  return structJson(schema.fields, version, value as Values)
}

type Values = Readonly<Record<string, unknown>>
type AnyType = Type<unknown, boolean>

/** One field's text in place of its own; undefined: its own. */
type Replace = (name: string, value: unknown) => string | undefined

/** The same, where fields of the structs of the array `field` are replaced. */
export function messageJsonWith<F extends Fields>(schema: Message<F>, version: number, value: object, replace: Replace): string {
  return structJson(schema.fields, version, value as Values, replace)
}

function structJson(fields: Fields, version: number, value: Values, replace?: Replace): string {
  const parts: string[] = []
  for (const [name, type] of Object.entries(fields)) {
    const { since = 0, until = Infinity, tag, taggedSince = 0 } = type.settings
    if (version < since || version > until) continue
    if (tag !== undefined && (version < taggedSince || isDefault(type, value[name]))) continue
    parts.push(`"${name}":${replace?.(name, value[name]) ?? fieldJson(type, version, value[name], replace)}`)
  }
  return `{${parts.join(',')}}`
}

function fieldJson(type: AnyType, version: number, value: unknown, replace?: Replace): string {
  if (value === null || value === undefined) return 'null'
  const { element, fields } = type.settings
  if (type.kind === 'array' && element !== undefined) {
    return `[${(value as unknown[]).map((one) => fieldJson(element, version, one, replace)).join(',')}]`
  }
  if (type.kind === 'struct' && fields !== undefined) return structJson(fields, version, value as Values, replace)
  if (Buffer.isBuffer(value)) return `"${value.toString('base64')}"`
  if (typeof value === 'string') return jsonText(value)
  if (type.kind === 'float64') return doubleText(Number(value))
  return `${value as number | bigint | boolean}`
}

function isDefault(type: AnyType, value: unknown): boolean {
  const { fallback } = type
  if (Array.isArray(value)) return Array.isArray(fallback) && value.length === fallback.length
  if (Buffer.isBuffer(value)) return Buffer.isBuffer(fallback) && value.equals(fallback)
  // A struct in a tag is there or null, and Apache's default is the one that its fields at their defaults make.
  if (typeof value === 'object' && value !== null) return JSON.stringify(value) === JSON.stringify(fallback)
  return value === fallback
}

/** As Jackson writes text: the escapes of JSON, hexadecimal digits in capitals. */
function jsonText(text: string): string {
  return JSON.stringify(text).replaceAll(/\\(u[0-9a-f]{4}|.)/g, (all, escape: string) => (escape.length > 1 ? `\\u${escape.slice(1).toUpperCase()}` : all))
}
