// Times as strftime and as Go write them, in UTC and in the C locale.

import { usageError } from '../errors.ts'

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const DAY = 86_400_000

type Part = (time: Date) => string

const two = (number: number): string => String(number).padStart(2, '0')
const spaced = (number: number): string => String(number).padStart(2, ' ')
const hour12 = (time: Date): number => time.getUTCHours() % 12 || 12
const month = (time: Date): string => MONTHS[time.getUTCMonth()]
const weekday = (time: Date): string => DAYS[time.getUTCDay()]
const year = (time: Date): string => String(time.getUTCFullYear()).padStart(4, '0')
const dayOfYear = (time: Date): number => Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / DAY) + 1
const half = (time: Date): string => (time.getUTCHours() < 12 ? 'AM' : 'PM')
/** Of the year, with weeks beginning on the day `first`. */
const week = (time: Date, first: number): number => Math.floor((dayOfYear(time) + 6 - ((time.getUTCDay() + 7 - first) % 7)) / 7)

/** ISO 8601: the week and the year of the week's Thursday. */
function isoWeek(time: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(time.getTime() + (3 - ((time.getUTCDay() + 6) % 7)) * DAY)
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 }
}

const STRFTIME: Readonly<Record<string, Part | string>> = {
  A: weekday, a: (time) => weekday(time).slice(0, 3), B: month, b: (time) => month(time).slice(0, 3), h: '%b',
  C: (time) => year(time).slice(0, 2), c: '%a %b %e %H:%M:%S %Y', D: '%m/%d/%y', d: (time) => two(time.getUTCDate()),
  e: (time) => spaced(time.getUTCDate()), F: '%Y-%m-%d', G: (time) => String(isoWeek(time).year), g: (time) => two(isoWeek(time).year % 100),
  H: (time) => two(time.getUTCHours()), I: (time) => two(hour12(time)), j: (time) => String(dayOfYear(time)).padStart(3, '0'),
  k: (time) => spaced(time.getUTCHours()), l: (time) => spaced(hour12(time)), M: (time) => two(time.getUTCMinutes()),
  m: (time) => two(time.getUTCMonth() + 1), n: () => '\n', P: (time) => half(time).toLowerCase(), p: half, R: '%H:%M', r: '%I:%M:%S %p',
  S: (time) => two(time.getUTCSeconds()), s: (time) => String(Math.floor(time.getTime() / 1000)), T: '%H:%M:%S', t: () => '\t',
  U: (time) => two(week(time, 0)), u: (time) => String(time.getUTCDay() || 7), V: (time) => two(isoWeek(time).week), W: (time) => two(week(time, 1)),
  w: (time) => String(time.getUTCDay()), X: '%H:%M:%S', x: '%m/%d/%y', Y: year, y: (time) => year(time).slice(-2), Z: () => 'UTC',
  z: () => '+0000', '%': () => '%',
} // prettier-ignore

/** Compiled; usage error for a conversion that strftime has not. */
export function strftime(format: string): Part {
  const parts = [...format.matchAll(/%(.?)|[^%]+/gs)].map(([text, letter]: (string | undefined)[]): Part => {
    if (letter === undefined) return () => text ?? ''
    const part = Object.hasOwn(STRFTIME, letter) ? STRFTIME[letter] : undefined
    if (part === undefined) throw usageError(`strftime has no %${letter}`, 'see `man strftime`')
    return typeof part === 'string' ? strftime(part) : part
  })
  return (time) => parts.map((part) => part(time)).join('')
}

/** Longer words before those they begin with. A fraction follows seconds, as .000 (all digits) or .999 (none that is 0 at the end). */
const GO: readonly (readonly [RegExp, (time: Date, match: string) => string])[] = [
  [/^January/, month], [/^Jan(?![a-z])/, (time) => month(time).slice(0, 3)], [/^Monday/, weekday], [/^Mon(?![a-z])/, (time) => weekday(time).slice(0, 3)],
  [/^MST/, () => 'UTC'], [/^2006/, year], [/^002/, (time) => String(dayOfYear(time)).padStart(3, '0')], [/^__2/, (time) => String(dayOfYear(time)).padStart(3, ' ')],
  [/^_2(?!006)/, (time) => spaced(time.getUTCDate())], [/^01/, (time) => two(time.getUTCMonth() + 1)], [/^02/, (time) => two(time.getUTCDate())],
  [/^03/, (time) => two(hour12(time))], [/^04/, (time) => two(time.getUTCMinutes())], [/^05/, (time) => two(time.getUTCSeconds())], [/^06/, (time) => year(time).slice(-2)],
  [/^15/, (time) => two(time.getUTCHours())], [/^1/, (time) => String(time.getUTCMonth() + 1)], [/^2/, (time) => String(time.getUTCDate())],
  [/^3/, (time) => String(hour12(time))], [/^4/, (time) => String(time.getUTCMinutes())], [/^5/, (time) => String(time.getUTCSeconds())],
  [/^PM/, half], [/^pm/, (time) => half(time).toLowerCase()], [/^Z07(:?00(:?00)?)?/, () => 'Z'],
  [/^-07(:?00(:?00)?)?/, (_, match) => match.replace('-', '+').replace('7', '0')],
  [/^[.,]0+(?!\d)/, (time, match) => match[0] + fraction(time, match.length - 1)],
  [/^[.,]9+(?!\d)/, (time, match) => {
    const digits = fraction(time, match.length - 1).replace(/0+$/, '')
    return digits === '' ? '' : match[0] + digits
  }],
] // prettier-ignore

function fraction(time: Date, digits: number): string {
  return String(time.getUTCMilliseconds()).padStart(3, '0').padEnd(digits, '0').slice(0, digits)
}

/** As Go's time.Format: a layout that shows how Mon Jan 2 15:04:05 MST 2006 would look. */
export function goTime(layout: string): Part {
  const parts: Part[] = []
  for (let rest = layout; rest !== ''; ) {
    const found = GO.find(([pattern]) => pattern.test(rest))
    const match = found?.[0].exec(rest)?.[0] ?? rest[0]
    parts.push(found === undefined ? () => match : (time) => found[1](time, match))
    rest = rest.slice(match.length)
  }
  return (time) => parts.map((part) => part(time)).join('')
}
