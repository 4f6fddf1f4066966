// JSON files as Apache's tools read them (Jackson, and Kafka's util.json over it): numbers keep their text, so that 1.0 is no
// integer and a long loses nothing; what follows the first value is not looked at.

import { readFile } from 'node:fs/promises'
import { JavaError } from './java-errors.ts'

export type Json =
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Json> }
  | { readonly kind: 'array'; readonly items: readonly Json[] }
  | { readonly kind: 'string'; readonly value: string }
  /** Numbers, true, false and null; '' is the value of a text that has none. */
  | { readonly kind: 'plain'; readonly text: string }

/** StreamReadConstraints: how deep values may lie in each other. */
const MAX_DEPTH = 1000

/** Utils.readFileAsString. */
export async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new JavaError('java.io.IOException', `Unable to read file ${path}`, { cause: error })
  }
}

/** Undefined: no JSON. */
export function parseJson(text: string): Json | undefined {
  if (text === '') return undefined
  let at = 0
  const token = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const blank = () => token(/[ \t\r\n]*/y)
  const list = (end: string, item: () => void): void => {
    at++
    blank()
    for (let isFirst = true; text[at] !== end; isFirst = false) {
      if (!isFirst && text[at++] !== ',') throw new SyntaxError()
      blank()
      item()
      blank()
    }
    at++
  }
  const string = () => JSON.parse(token(/"(?:[^"\\]|\\.)*"/y) ?? '') as string
  const value = (depth: number): Json => {
    if (depth > MAX_DEPTH) throw new SyntaxError()
    if (text[at] === '{') {
      const fields = new Map<string, Json>()
      list('}', () => {
        const name = string()
        blank()
        if (text[at++] !== ':') throw new SyntaxError()
        blank()
        fields.set(name, value(depth + 1))
      })
      return { kind: 'object', fields }
    }
    if (text[at] === '[') {
      const items: Json[] = []
      list(']', () => items.push(value(depth + 1)))
      return { kind: 'array', items }
    }
    if (text[at] === '"') return { kind: 'string', value: string() }
    const plain = token(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![^\s,\]}])/y)
    if (plain === undefined) throw new SyntaxError()
    return { kind: 'plain', text: plain }
  }
  try {
    blank()
    return at === text.length ? { kind: 'plain', text: '' } : value(0)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** JsonNode.toString. */
export function jsonText(json: Json): string {
  if (json.kind === 'plain') return json.text
  if (json.kind === 'string') return JSON.stringify(json.value)
  if (json.kind === 'array') return `[${json.items.map(jsonText).join(',')}]`
  return `{${Array.from(json.fields, ([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(',')}}`
}

export function asObject(json: Json): ReadonlyMap<string, Json> {
  return json.kind === 'object' ? json.fields : mappingError(`Expected JSON object, received ${jsonText(json)}`)
}

export function asArray(json: Json): readonly Json[] {
  return json.kind === 'array' ? json.items : mappingError(`Expected JSON array, received ${jsonText(json)}`)
}

export function fieldOf(json: ReadonlyMap<string, Json>, name: string): Json {
  return json.get(name) ?? mappingError(`No such field exists: \`${name}\``)
}

export function asString(json: Json): string {
  return json.kind === 'string' ? json.value : mappingError(`Expected \`String\` value, received ${jsonText(json)}`)
}

export function asInt(json: Json): number {
  return Number(integerIn(json, 31n) ?? mappingError(`Expected \`Integer\` value, received ${jsonText(json)}`))
}

/** Beyond 2^53 not exact, but as far away. */
export function asLong(json: Json): number {
  return Number(integerIn(json, 63n) ?? mappingError(`Expected \`Long\` value, received ${jsonText(json)}`))
}

function integerIn(json: Json, bits: bigint): bigint | undefined {
  if (json.kind !== 'plain' || !/^-?\d+$/.test(json.text)) return undefined
  const number = BigInt(json.text)
  return number < 2n ** bits && number >= -(2n ** bits) ? number : undefined
}

function mappingError(message: string): never {
  throw new JavaError('com.fasterxml.jackson.databind.JsonMappingException', message)
}
