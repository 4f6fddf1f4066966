// Dates as java.text.SimpleDateFormat writes them in English and the local time zone, weeks of the year aside.

import { illegalArgument } from './java-errors.ts'

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const LETTERS = 'GyYMLwWDdFEuaHkKhmsSzZX'
const DAY_MS = 24 * 60 * 60 * 1000

/** Throws the JavaError of a pattern that isn't one. `at` is in ms since 1970. */
export function simpleDateFormat(pattern: string): (at: number) => string {
  const parts = [...pattern.matchAll(/'((?:[^']|'')*)'?|([A-Za-z])\2*|[^A-Za-z']+/g)].map(([all, quoted, letter]: readonly (string | undefined)[]): string | ((date: Date) => string) => {
    if (quoted !== undefined) return quoted === '' ? "'" : quoted.replaceAll("''", "'")
    if (letter === undefined || all === undefined) return all ?? ''
    if (!LETTERS.includes(letter)) throw illegalArgument(`Illegal pattern character '${letter}'`)
    return (date) => fieldOf(letter, all.length, date)
  })
  return (at) => parts.map((part) => (typeof part === 'string' ? part : part(new Date(at)))).join('')
}

function fieldOf(letter: string, count: number, date: Date): string {
  const number = (value: number): string => String(value).padStart(count, '0')
  const named = (names: readonly string[], index: number): string => (count >= 4 ? names[index] : names[index].slice(0, 3))
  const hours = date.getHours()
  switch (letter) {
    case 'G':
      return 'AD'
    case 'y':
    case 'Y':
      return count === 2 ? String(date.getFullYear() % 100).padStart(2, '0') : number(date.getFullYear())
    case 'M':
    case 'L':
      return count >= 3 ? named(MONTHS, date.getMonth()) : number(date.getMonth() + 1)
    case 'd':
      return number(date.getDate())
    case 'D':
      return number(dayOfYear(date))
    case 'F':
      return number(Math.ceil(date.getDate() / 7))
    case 'W':
      return number(Math.ceil((date.getDate() + new Date(date.getFullYear(), date.getMonth(), 1).getDay()) / 7))
    case 'w':
      return number(Math.ceil((dayOfYear(date) + new Date(date.getFullYear(), 0, 1).getDay()) / 7))
    case 'E':
      return named(DAYS, date.getDay())
    case 'u':
      return number(date.getDay() || 7)
    case 'a':
      return hours < 12 ? 'AM' : 'PM'
    case 'H':
      return number(hours)
    case 'k':
      return number(hours || 24)
    case 'K':
      return number(hours % 12)
    case 'h':
      return number(hours % 12 || 12)
    case 'm':
      return number(date.getMinutes())
    case 's':
      return number(date.getSeconds())
    case 'S':
      return number(date.getMilliseconds())
    default:
      return zone(letter, count, date)
  }
}

function dayOfYear(date: Date): number {
  const midnight = new Date(date.getFullYear(), date.getMonth(), date.getDate())
  return Math.round((midnight.getTime() - new Date(date.getFullYear(), 0, 1).getTime()) / DAY_MS) + 1
}

function zone(letter: string, count: number, date: Date): string {
  if (letter === 'z') {
    const style = count >= 4 ? 'long' : 'short'
    return new Intl.DateTimeFormat('en-US', { timeZoneName: style }).formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  }
  const minutes = -date.getTimezoneOffset()
  if (letter === 'X' && minutes === 0) return 'Z'
  const two = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, '0')
  const hours = `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}`
  if (letter === 'X' && count === 1) return hours
  return `${hours}${letter === 'X' && count === 3 ? ':' : ''}${two(minutes % 60)}`
}
