// Words for places and times on the command line: where to start in a topic, how long to wait.

import type { Start } from '../../client/consumer.ts'
import { usageError } from '../errors.ts'

/** earliest | latest | N | -N (so many before the end) | @MS (the first record as young as that time). */
export function parseOffset(text: string): Start {
  const word = text.toLowerCase()
  if (['earliest', 'beginning', 'start'].includes(word)) return { at: 'beginning' }
  if (['latest', 'end'].includes(word)) return { at: 'end' }
  const match = /^([-@]?)(\d{1,15})$/.exec(text)
  if (match === null) {
    throw usageError(`--offset '${text}' is no offset`, 'write earliest, latest, N, -N (from the end) or @MILLISECONDS')
  }
  const number = Number(match[2])
  if (match[1] === '-') return { last: number }
  return match[1] === '@' ? { timestamp: number } : { offset: number }
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `500ms`, `10s`, `2m`, `1.5h`, in ms. */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) throw usageError(`${flag} '${text}' is no duration`, 'write a number and its unit: 500ms, 10s, 2m, 1h')
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
}
