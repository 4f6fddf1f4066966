// What format strings have in common, whoever's language they are: backslashes, brackets around what stands inside, numbers as
// franz-go's language writes and reads them.

import { usageError } from '../errors.ts'

const SLASHES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' }
const BRACKETS: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' }

/** The byte that the backslash at `at` stands for, and where the layout goes on. Usage error for one that stands for nothing. */
export function slashAt(layout: string, at: number): { readonly byte: Buffer; readonly next: number } {
  const letter = layout.charAt(at + 1)
  if (letter in SLASHES) return { byte: Buffer.from(SLASHES[letter]), next: at + 2 }
  const hex = /^x([\da-f]{2})/i.exec(layout.slice(at + 1))
  if (hex !== null) return { byte: Buffer.from(hex[1], 'hex'), next: at + 4 }
  throw usageError(`format '${layout}': \\${letter} stands for nothing`, 'there are \\t, \\n, \\r, \\\\ and \\xNN')
}

/** What stands in braces from `at` (behind the open one) up to its own closing one; undefined when there is none. */
export function bracedAt(layout: string, at: number): { readonly inside: string; readonly next: number } | undefined {
  for (let depth = 1, end = at; end < layout.length; end++) {
    if (layout[end - 1] === '%') continue
    if (layout[end] === '{') depth++
    if (layout[end] === '}' && --depth === 0) return { inside: layout.slice(at, end), next: end + 1 }
  }
  return undefined
}

/** `word##inside##`, `word[inside]`: what stands between as many brackets or other signs as there are; undefined for others. */
export function enclosed(modifier: string, word: string): string | undefined {
  const rest = modifier.slice(word.length)
  if (!modifier.startsWith(word) || rest === '') return undefined
  const open = rest[0]
  let count = 1
  while (rest[count] === open) count++
  const close = (BRACKETS[open] ?? open).repeat(count)
  const inside = rest.slice(count)
  return inside.endsWith(close) && inside.indexOf(close) === inside.length - close.length ? inside.slice(0, -close.length) : undefined
}

/** Numbers of a fixed width, in bytes of input or output. */
export interface Width {
  readonly kind: 'hex' | 'big' | 'little'
  readonly bits: number
  /** Characters or bytes. */
  readonly size: number
}

/** hex64…hex4, big64…big8, little64…little8, byte. */
export function widthOf(modifier: string): Width | undefined {
  const match = /^(hex|big|little)(64|32|16|8|4)$/.exec(modifier === 'byte' ? 'big8' : modifier)
  if (match === null) return undefined
  const [kind, bits] = [match[1] as Width['kind'], Number(match[2])]
  if (kind !== 'hex' && bits < 8) return undefined
  return { kind, bits, size: kind === 'hex' ? bits / 4 : bits / 8 }
}

/** Writes numbers as the modifier says; undefined for one that is not known. Too large ones are cut to their low bits. */
export function numberWriter(modifier: string): ((number: bigint | number) => Buffer) | undefined {
  if (modifier === '' || modifier === 'ascii' || modifier === 'number') return (number) => Buffer.from(String(number))
  if (modifier === 'bool') return (number) => Buffer.from(Number(number) !== 0 ? 'true' : 'false')
  if (modifier === 'hex') return (number) => Buffer.from(BigInt.asUintN(64, BigInt(number)).toString(16))
  const width = widthOf(modifier)
  if (width === undefined) return undefined
  const { kind, bits, size } = width
  return (number) => {
    const digits = BigInt.asUintN(bits, BigInt(number)).toString(16)
    if (kind === 'hex') return Buffer.from(digits.padStart(size, '0'))
    const bytes = Buffer.from(digits.padStart(2 * size, '0'), 'hex')
    return kind === 'little' ? bytes.reverse() : bytes
  }
}
