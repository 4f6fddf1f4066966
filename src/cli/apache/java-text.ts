// Texts as Java makes them: split, numbers, patterns, topic filters.

import { runtimeException } from './java-errors.ts'
import { javaMatcher } from './java-regex.ts'

/** String.split with a pattern: empty texts at the end are dropped. */
export function javaSplit(text: string, separator: RegExp | string): string[] {
  if (text === '') return ['']
  const parts = text.split(separator)
  while (parts.length > 0 && parts[parts.length - 1] === '') parts.pop()
  return parts
}

/** List.toString. */
export function listText(items: readonly (string | number)[]): string {
  return `[${items.join(', ')}]`
}

const INTERNAL_TOPICS: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** Topic.isInternal: by name. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

/** TopicFilter.IncludeList: a pattern, or several with commas between them. Throws the JavaError of a bad one. */
export function topicFilter(raw: string): (name: string) => boolean {
  const regex = raw
    .trim()
    .replaceAll(',', '|')
    .replaceAll(' ', '')
    .replace(/^["']+/, '')
    .replace(/["']+$/, '')
  try {
    return javaMatcher(regex)
  } catch {
    throw runtimeException(`${regex} is an invalid regex.`)
  }
}

/** Math.max for as many as there are: passed as arguments, some 120,000 are too many. */
export function widest(least: number, texts: Iterable<{ readonly length: number }>): number {
  let width = least
  for (const { length } of texts) if (length > width) width = length
  return width
}

/** ToolsUtils.prettyPrintTable: each cell as wide as the widest of its column, and a tab behind it. */
export function tableText(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) => widest(heading.length, rows.map((row) => row[column])))
  return [headings, ...rows].map((row) => `${row.map((cell, column) => `${cell.padEnd(widths[column])}\t`).join('')}\n`).join('')
}

/** Double.parseDouble, but for hexadecimal numbers: undefined for what it refuses. */
export function javaDouble(text: string): number | undefined {
  const match = /^([-+]?)(?:(NaN|Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[fFdD]?)$/.exec(text.trim())
  if (match === null) return undefined
  const [, sign, word, digits] = match as unknown as readonly [string, string, string | undefined, string | undefined]
  return Number(`${sign}${word ?? digits ?? ''}`)
}

/** What is wrong with a topic's name (Topic.validate); undefined: nothing. */
export function invalidTopicName(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > 249) return `Topic name is invalid: the length of '${name}' is longer than the max allowed length 249`
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return undefined
  return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}

/** `%.<digits>f`. */
export function fixedText(number: number, digits: number): string {
  return Number.isFinite(number) ? number.toFixed(digits) : Number.isNaN(number) ? 'NaN' : number > 0 ? 'Infinity' : '-Infinity'
}

/** ToolsUtils.printMetrics: whole numbers, by `group:name:{tags}`. */
export function metricsText(metrics: readonly (readonly [name: string, value: number])[]): string {
  const width = Math.max(...metrics.map(([name]) => name.length))
  const rows = [...metrics].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name.padEnd(width)} : ${fixedText(value, 3)}\n`)
  return `\n${'Metric Name'.padEnd(width)}   Value\n${rows.join('')}`
}
