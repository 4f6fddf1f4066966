// Words for times and durations on the command line. Pure: the clock is given. A time without a zone is in the zone given with it.

import { usageError } from '../errors.ts'
import { parseZone, UTC, type Zone } from './time-zone.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const DAY = 86_400_000
const WORDS = ['now', 'today', 'yesterday']

/** What words for times refer to. */
export interface Now {
  /** ms since 1970. */
  readonly time: number
  /** Of times that are written without one, and of midnight. */
  readonly zone: Zone
}

/** `tz` as --tz says it. */
export function nowIn(tz: string | undefined, time: number): Now {
  return { time, zone: tz === undefined ? UTC : parseZone('--tz', tz) }
}

/** `500ms`, `10s`, `2m`, `1.5h`, in ms. */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) throw usageError(`${flag} '${text}' is no duration`, 'write a number and its unit: 500ms, 10s, 2m, 1h')
  return Number(match[1]) * UNITS[match[2]]
}

/** `2026-03-01T09:00`, with or without seconds, fractions and zone, in ms since 1970. */
export function parseDateTime(flag: string, text: string, zone: Zone): number {
  const ms = dateTime(text, zone)
  if (ms === undefined) throw usageError(`${flag} '${text}' is no time`, 'write 2026-03-01T09:00, with Z or +02:00 behind it for a zone')
  return ms
}

/** Kafka's `PnDTnHnMnS`, or our own `1h`, in ms. */
export function parseAnyDuration(flag: string, text: string): number {
  const match = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i.exec(text)
  if (match === null || !/\d/.test(text)) return parseDuration(flag, text)
  const [days, hours, minutes, seconds] = match.slice(1).map((part: string | undefined) => Number(part ?? 0))
  return Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

/** Whether the word can be nothing but a time: now, today, yesterday, and these with a duration behind. */
export function isTime(word: string): boolean {
  return WORDS.some((each) => word === each || word.startsWith(`${each}+`) || word.startsWith(`${each}-`))
}

/**
 * A date (with a time), a time of today, now, today or yesterday, `-1h` before now, `1h` after `since`, or a number: of 9 or
 * 10 digits seconds, of 19 nanoseconds, else ms since 1970. In ms since 1970; undefined: not a time.
 */
export function parseTime(text: string, { time: now, zone }: Now, since?: number): number | undefined {
  const word = text.toLowerCase()
  if (/^\d{1,19}$/.test(word)) return epoch(word)
  if (word === '') return undefined
  const today = Math.floor(zone.wallAt(now) / DAY) * DAY
  const clock = /^(\d\d):(\d\d)(?::(\d\d)(\.\d{1,3})?)?$/.exec(word)
  if (clock !== null) return dateTime(`${new Date(today).toISOString().slice(0, 11)}${text}`, zone)
  const shifted = /^(now|today|yesterday)?([-+]?)((?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d))*)$/.exec(word)
  if (shifted === null) return dateTime(text, zone)
  const [, base, sign, terms] = shifted as (string | undefined)[]
  const ms = [...(terms ?? '').matchAll(/([\d.]+)(ms|s|m|h|d)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit], 0)
  if ((terms === '') !== (sign === '') && base !== undefined) return undefined // today1h, today+
  if (terms === '' && base === undefined) return undefined
  const from = base === undefined ? undefined : base === 'now' ? now : zone.timeOf(base === 'today' ? today : today - DAY)
  if (from !== undefined) return inEpoch(from + (sign === '-' ? -ms : ms))
  if (sign === '-') return inEpoch(now - ms)
  return since === undefined ? undefined : inEpoch(since + ms)
}

function inEpoch(ms: number): number | undefined {
  return ms < 0 ? undefined : Math.trunc(ms)
}

/** Ten-digit milliseconds would be days of 1970, so they are seconds; as rpk and kcl read them. */
function epoch(digits: string): number | undefined {
  if (digits.length === 9 || digits.length === 10) return Number(digits) * 1000
  if (digits.length === 19) return Number(digits.slice(0, 13))
  return digits.length > 15 ? undefined : Number(digits)
}

function dateTime(text: string, zone: Zone): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(text)
  if (match === null) return undefined
  const [, day, time = '00:00', given] = match as unknown as readonly [string, string, string?, string?]
  const offset = (given ?? 'Z').replace(/^(.\d\d):?(\d\d)?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes}`)
  const ms = Date.parse(`${day}T${time}${offset}`)
  // The 30th of February would be taken for the 2nd of March.
  const isDay = !Number.isNaN(Date.parse(`${day}T00:00Z`)) && new Date(`${day}T00:00Z`).toISOString().startsWith(day)
  if (Number.isNaN(ms) || !isDay) return undefined
  return Math.trunc(given === undefined ? zone.timeOf(ms) : ms)
}
