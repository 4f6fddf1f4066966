// The one grammar for places in a topic: ends, offsets, times, committed offsets, ranges of them, and each of it by
// partition. Reading it is a pure function; the clock is given. What it says about a cluster is resolved in
// verbs/positions.ts. Whatever can be read in two ways is an error that says how to write it.

import { usageError } from '../errors.ts'
import { isTime, type Now, parseTime } from './times.ts'

/** Inside of a partition. `stored`: where a group is; null: the group that is being talked about. */
export type Place =
  | { readonly at: 'start'; readonly plus: number }
  | { readonly at: 'end'; readonly minus: number }
  | { readonly offset: number }
  /** The first record at or after it, ms since 1970; where there is none, the end. */
  | { readonly time: number }
  | { readonly stored: string | null }

/** From the first on, up to and without the second; without a second there is no end. */
export interface Span {
  readonly from: Place
  readonly to?: Place
}

/** `byPartition` goes before `all`; without `all`, only those partitions are meant. */
export interface Positions {
  readonly all: Span | undefined
  readonly byPartition: ReadonlyMap<number, Span>
}

const ACCEPTED =
  'write start, end, N, -N (before the end), +N (behind the start), @TIME (2026-03-01T09:00, -1h, milliseconds), now, today, ' +
  'yesterday, stored:GROUP, or a range of two of them as A:B or A..B'

const ONE_PLACE = ACCEPTED.replace(/, or a range.*/, '')

const START: Place = { at: 'start', plus: 0 }
const END: Place = { at: 'end', minus: 0 }

/** Places by partition, `0=47,1=-5:,*=end`, or one span for all. Usage error for anything else. */
export function parsePositions(flag: string, text: string, now: Now): Positions {
  if (!/^(?:\d+|\*|all)=/.test(text)) return { all: parseSpan(flag, text, now), byPartition: new Map() }
  let all: Span | undefined
  const byPartition = new Map<number, Span>()
  for (const item of text.split(',')) {
    const match = /^(\d{1,9}|\*|all)=(.*)$/s.exec(item)
    if (match === null) throw usageError(`${flag} '${text}': '${item}' is no PARTITION=PLACE`, 'write them as 0=47,1=-5,*=end')
    const [, partition, span] = match
    const isAll = partition === '*' || partition === 'all'
    if (isAll ? all !== undefined : byPartition.has(Number(partition))) {
      throw usageError(`${flag} '${text}' names partition ${partition} twice`)
    }
    if (isAll) all = parseSpan(flag, span, now)
    else byPartition.set(Number(partition), parseSpan(flag, span, now))
  }
  return { all, byPartition }
}

/** One place, where a range makes no sense. Usage error for anything else. */
export function parsePlace(flag: string, text: string, now: Now): Place {
  const place = placeOf(text, now)
  if (place === undefined) throw usageError(`${flag} '${text}' is no place in a topic`, meantTime(text) ?? ONE_PLACE)
  return place
}

/** For a duration alone, which says no place: how long ago. */
function meantTime(text: string): string | undefined {
  const [, ago] = (/^[-+]?(\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d))$/.exec(text) ?? []) as (string | undefined)[]
  return ago && `did you mean '@-${ago}'?`
}

/** A place, or two with `..` or `:` between. Usage error for anything else, and for a range that goes backwards. */
export function parseSpan(flag: string, text: string, now: Now): Span {
  const from = placeOf(text, now)
  if (from !== undefined) return { from }
  const dots = text.split('..')
  const found = dots.length === 2 ? spanOf(dots[0], dots[1], now) : undefined
  const spans = found === undefined ? colonSpans(text, now) : [found]
  if (spans.length > 1) throw usageError(`${flag} '${text}' can be read in ${spans.length} ways`, "write '..' between the ends of the range")
  const span = spans.at(0)
  if (span === undefined) throw usageError(`${flag} '${text}' is no place in a topic`, meantTime(text) ?? ACCEPTED)
  checkOrder(flag, text, span)
  return span
}

/** A colon separates a range, and stands inside of times and behind `stored`: all ways to cut are tried. */
function colonSpans(text: string, now: Now): Span[] {
  const spans: Span[] = []
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    const span = spanOf(text.slice(0, at), text.slice(at + 1), now)
    if (span !== undefined) spans.push(span)
  }
  return spans
}

function spanOf(first: string, second: string, now: Now): Span | undefined {
  if (first === '' && second === '') return undefined
  const from = first === '' ? START : placeOf(first, now)
  if (from === undefined) return undefined
  if (second === '') return { from }
  const to = secondOf(from, second, now)
  return to === undefined ? undefined : { from, to }
}

/** Behind a time, a time needs no @, and 1h is an hour later than it; as rpk has it. */
function secondOf(from: Place, text: string, now: Now): Place | undefined {
  if ('time' in from) {
    const time = parseTime(text.replace(/^@/, ''), now, from.time)
    if (time !== undefined && (/^@|^[-+]?\d{9,}$|\D/.test(text))) return time > now.time ? undefined : { time }
  }
  const place = placeOf(text, now)
  return place !== undefined && 'time' in place && place.time > now.time ? undefined : place
}

function checkOrder(flag: string, text: string, { from, to }: Span): void {
  if (to === undefined) return
  const isBackwards =
    ('offset' in from && 'offset' in to && to.offset < from.offset) ||
    ('time' in from && 'time' in to && to.time < from.time) ||
    ('minus' in from && 'minus' in to && to.minus > from.minus) ||
    ('plus' in from && 'plus' in to && to.plus < from.plus)
  if (isBackwards) throw usageError(`${flag} '${text}' ends before it begins`)
}

function placeOf(text: string, now: Now): Place | undefined {
  const word = text.toLowerCase()
  if (['earliest', 'beginning', 'start', 'oldest', 'first'].includes(word)) return START
  if (['latest', 'end', 'newest'].includes(word)) return END
  if (word === 'stored') return { stored: null }
  if (word.startsWith('stored:')) {
    // stored:end is a range from where the group is, and a colon in the name of a group could be one.
    const group = text.slice('stored:'.length)
    return group === '' || /:|\.\./.test(group) || placeOf(group, now) !== undefined ? undefined : { stored: group }
  }
  const relative = /^(?:(start)?\+|(end)?-)?(\d{1,15})$/.exec(word)
  if (relative !== null) {
    const number = Number(relative[3])
    if (/^(start)?\+/.test(word)) return { at: 'start', plus: number }
    if (/^(end)?-/.test(word)) return { at: 'end', minus: number }
    return { offset: number }
  }
  // Without the @ only what can be nothing else: the words, and what begins with one.
  if (!text.startsWith('@') && !isTime(word)) return undefined
  const time = parseTime(text.replace(/^@/, ''), now)
  return time === undefined ? undefined : { time }
}

/** --from, --to and --last, put together. Usage error for what says two things. */
export function joinPositions(
  { from, to, last }: { readonly from?: string | undefined; readonly to?: string | undefined; readonly last?: number | undefined },
  now: Now,
): Positions | undefined {
  if (last !== undefined) {
    if (from !== undefined || to !== undefined) throw usageError(`--last and --${from === undefined ? 'to' : 'from'} say different things`, 'leave one of them out')
    return { all: { from: { at: 'end', minus: last }, to: END }, byPartition: new Map() }
  }
  if (from === undefined && to === undefined) return undefined
  const first = from === undefined ? START : parsePlace('--from', from, now)
  const second = to === undefined ? undefined : secondOf(first, to, now)
  if (to !== undefined && second === undefined) throw usageError(`--to '${to}' is no place where reading can end`, meantTime(to) ?? ONE_PLACE)
  const span = { from: first, ...(second !== undefined && { to: second }) }
  checkOrder('--to', to ?? '', span)
  return { all: span, byPartition: new Map() }
}
