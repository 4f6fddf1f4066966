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

/** `2026-03-01T09:00`, with or without seconds, fractions and zone (UTC unless said), in ms since 1970. */
export function parseDateTime(flag: string, text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(text)
  const [, day, time = '00:00', zone = 'Z'] = match ?? []
  const offset = zone === 'Z' ? zone : zone.replace(/^(.\d\d):?(\d\d)?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes}`)
  const ms = match === null ? NaN : Date.parse(`${day}T${time}${offset}`)
  if (Number.isNaN(ms)) throw usageError(`${flag} '${text}' is no time`, 'write 2026-03-01T09:00, with Z or +02:00 behind it for a zone other than UTC')
  return Math.trunc(ms)
}

/** Kafka's `PnDTnHnMnS`, or our own `1h`, in ms. */
export function parseAnyDuration(flag: string, text: string): number {
  const match = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i.exec(text)
  if (match === null || !/\d/.test(text)) return parseDuration(flag, text)
  const [days, hours, minutes, seconds] = match.slice(1).map((part: string | undefined) => Number(part ?? 0))
  return Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}
