// Times as Java's classes read them: what ktool's own options take is wider and elsewhere (formats/positions.ts).

import { JavaError } from './java-errors.ts'

/** Utils.getDateTime: `yyyy-MM-dd'T'HH:mm:ss.SSS` with or without a zone, UTC unless said; in ms since 1970. */
export function javaDateTime(text: string): number {
  const late = text.split('T').at(1)
  if (late === undefined || late === '') {
    throw parseException("Error parsing timestamp. It does not contain a 'T' according to ISO8601 format")
  }
  const zoned = /[-+Z]/.test(late) ? text : `${text}Z`
  // SimpleDateFormat takes any number of digits, blanks before them, and whatever stands behind the zone.
  const fields = /^\s*(\d+)-\s*(\d+)-\s*(\d+)T\s*(\d+):\s*(\d+):\s*(\d+)\.\s*(\d+)(?:(Z)|([-+])(\d\d?):(\d\d)|([-+])(\d\d))/.exec(zoned)
  if (fields === null) throw unparseable(zoned)
  const [year, month, day, hour, minute, second, ms] = fields.slice(1, 8).map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, ms)
  const read = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()]
  const isStrict = read.every((value, at) => value === [year, month, day, hour, minute, second, ms][at])
  const [hours, minutes] = [Number(fields.at(10) ?? fields.at(13) ?? 0), Number(fields.at(11) ?? 0)]
  if (!isStrict || hours > 23 || minutes > 59) throw unparseable(zoned)
  const sign = (fields.at(9) ?? fields.at(12)) === '-' ? -1 : 1
  return date.getTime() - sign * (hours * 60 + minutes) * 60_000
}

/** Duration.parse, in ms. */
export function javaDuration(text: string): number {
  const match = /^([-+]?)P(?:([-+]?\d+)D)?(T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?\d+)(?:[.,](\d{0,9}))?S)?)?$/i.exec(text) as (string | undefined)[] | null
  const [, sign, days, time, hours, minutes, seconds, fraction] = match ?? []
  if (match === null || time?.toUpperCase() === 'T' || [days, hours, minutes, seconds].every((part) => part === undefined)) {
    throw new JavaError('java.time.format.DateTimeParseException', 'Text cannot be parsed to a Duration')
  }
  const whole = ((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0)
  const part = Number(`0.${fraction ?? ''}0`) * (seconds?.startsWith('-') === true ? -1 : 1)
  return Math.trunc((whole + part) * 1000) * (sign === '-' ? -1 : 1)
}

function unparseable(text: string): JavaError {
  return parseException(`Unparseable date: "${text}"`)
}

function parseException(message: string): JavaError {
  return new JavaError('java.text.ParseException', message)
}
