// Time zones for times that are written without one. A wall time is what clocks there show, as ms since 1970 as if it were UTC.

import { usageError } from '../errors.ts'

export interface Zone {
  /** What clocks show at `time`, ms since 1970. */
  wallAt(time: number): number
  /** When clocks show `wall`; of a time that clocks pass twice one, of one that they leave out what they would have shown. */
  timeOf(wall: number): number
}

export const UTC: Zone = { wallAt: (time) => time, timeOf: (wall) => wall }

const FIELDS = { era: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
/** Of a JavaScript date, either way. */
const FURTHEST = 8.64e15

/** `local`, or a name of the time zone database: Europe/Berlin. Usage error for anything else. */
export function parseZone(flag: string, name: string): Zone {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { ...FIELDS, hourCycle: 'h23', timeZone: name === 'local' ? undefined : name })
  } catch {
    throw usageError(`${flag} '${name}' is no time zone`, 'write local, or a name such as Europe/Berlin')
  }
  const wallAt = (time: number): number => {
    if (Math.abs(time) > FURTHEST) return time
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]))
    const [year, month, day, hour, minute, second] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map((type) => Number(parts.get(type as 'year')))
    if (parts.get('era') !== 'AD' || year < 100) return time // before there were zones
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((time % 1000) + 1000) % 1000)
  }
  const offsetAt = (time: number): number => wallAt(time) - time
  return { wallAt, timeOf: (wall) => wall - offsetAt(wall - offsetAt(wall)) }
}
