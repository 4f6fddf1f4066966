import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinPositions, parsePlace, parsePositions, parseSpan } from '../../src/cli/formats/positions.ts'
import { nowIn } from '../../src/cli/formats/times.ts'

const NOW = Date.UTC(2026, 2, 10, 15, 30) // a Tuesday
const now = nowIn(undefined, NOW)
const MIDNIGHT = Date.UTC(2026, 2, 10)
const HOUR = 3_600_000
const START = { at: 'start', plus: 0 }
const END = { at: 'end', minus: 0 }
const span = (text: string) => parseSpan('--offset', text, now)

describe('the grammar of places', () => {
  it.each([
    ['start', START], ['earliest', START], ['BEGINNING', START], ['oldest', START],
    ['end', END], ['LATEST', END], ['newest', END],
    ['47', { offset: 47 }], ['0', { offset: 0 }],
    ['-10', { at: 'end', minus: 10 }], ['end-10', { at: 'end', minus: 10 }],
    ['+3', { at: 'start', plus: 3 }], ['start+3', { at: 'start', plus: 3 }],
    ['@1700000000000', { time: 1_700_000_000_000 }], ['@1622505600', { time: 1_622_505_600_000 }], ['@1234', { time: 1234 }],
    ['@1700000000123456789', { time: 1_700_000_000_123 }],
    ['@2026-03-01', { time: Date.UTC(2026, 2, 1) }], ['@2026-03-01T09:00', { time: Date.UTC(2026, 2, 1, 9) }],
    ['@2026-03-01T09:00:30.5Z', { time: Date.UTC(2026, 2, 1, 9, 0, 30, 500) }], ['@2026-03-01T09:00+02:00', { time: Date.UTC(2026, 2, 1, 7) }],
    ['@-1h', { time: NOW - HOUR }], ['@-2d12h', { time: NOW - 60 * HOUR }], ['@09:00', { time: MIDNIGHT + 9 * HOUR }],
    ['now', { time: NOW }], ['@now', { time: NOW }], ['now-1h', { time: NOW - HOUR }],
    ['today', { time: MIDNIGHT }], ['yesterday', { time: MIDNIGHT - 24 * HOUR }], ['@yesterday+9h', { time: MIDNIGHT - 15 * HOUR }],
    ['stored', { stored: null }], ['stored:billing', { stored: 'billing' }],
  ])('%s is a place', (text, place) => {
    expect(span(text)).toEqual({ from: place })
    expect(parsePlace('--to', text, now)).toEqual(place)
  }) // prettier-ignore

  it.each([
    [':end', START, END], ['..end', START, END], ['47:99', { offset: 47 }, { offset: 99 }], ['47..99', { offset: 47 }, { offset: 99 }],
    [':47', START, { offset: 47 }], ['-10:end', { at: 'end', minus: 10 }, END], [':end-5', START, { at: 'end', minus: 5 }],
    ['@-48h:-24h', { time: NOW - 48 * HOUR }, { time: NOW - 24 * HOUR }], ['@-1m:end', { time: NOW - 60_000 }, END],
    ['@2026-02-14:1h', { time: Date.UTC(2026, 1, 14) }, { time: Date.UTC(2026, 1, 14, 1) }],
    ['@2026-03-01T09:00:00Z:1h', { time: Date.UTC(2026, 2, 1, 9) }, { time: Date.UTC(2026, 2, 1, 10) }],
    ['@yesterday+9h:1h', { time: MIDNIGHT - 15 * HOUR }, { time: MIDNIGHT - 14 * HOUR }], ['yesterday..today', { time: MIDNIGHT - 24 * HOUR }, { time: MIDNIGHT }],
    ['@09:00..@10:30', { time: MIDNIGHT + 9 * HOUR }, { time: MIDNIGHT + 10.5 * HOUR }], ['@1700000000000:now', { time: 1_700_000_000_000 }, { time: NOW }],
    ['@-30m:@now', { time: NOW - 1_800_000 }, { time: NOW }], ['stored:billing:end', { stored: 'billing' }, END], ['stored:end', { stored: null }, END],
    ['start:end', START, END],
  ])('%s is a range', (text, from, to) => {
    expect(span(text)).toEqual({ from, to })
  }) // prettier-ignore

  it('leaves out the end where none is written', () => {
    expect(span('47:')).toEqual({ from: { offset: 47 } })
    expect(span('@-1h..')).toEqual({ from: { time: NOW - HOUR } })
  })

  it.each(['', 'x', '1.5', '--1', ':', '..', '1:2:3', '99999999999999999', '@', '@x', '@1h', '@+1h', '2026-03-01', '@2026-02-30', '@2026-13-01', 'now:tomorrow', '@now:1h', 'today1h', '0=1', '@-1hr'])(
    '%j is refused, and what is accepted is said',
    (text) => {
      expect(() => span(text)).toThrow(expect.objectContaining({ exitCode: 2, hint: expect.stringContaining('write start, end, N, -N') as string }) as Error)
    },
  )

  it('refuses what can be read in two ways, and what goes backwards', () => {
    expect(() => span('@09:00:10:30')).toThrow(/can be read in \d ways|no place/)
    for (const text of ['99:47', '-5:-10', '+9:+3', '@-1h:-2h']) expect(() => span(text)).toThrow(/ends before it begins/)
    for (const word of ['-5m', '5m', '+5m']) {
      const meant = expect.objectContaining({ hint: "did you mean '@-5m'?" }) as Error
      expect(() => span(word)).toThrow(meant)
      expect(() => parsePlace('--before', word, now)).toThrow(meant)
      expect(() => joinPositions({ from: word }, now)).toThrow(meant)
    }
    expect(() => parsePlace('--to', '1:2', now)).toThrow(/no place/)
  })

  it('has places by partition', () => {
    expect(parsePositions('-o', '0=47,1=-5:end,*=end', now)).toEqual({
      all: { from: END },
      byPartition: new Map<number, unknown>([[0, { from: { offset: 47 } }], [1, { from: { at: 'end', minus: 5 }, to: END }]]),
    }) // prettier-ignore
    expect(parsePositions('-o', 'all=@-1h', now).all).toEqual({ from: { time: NOW - HOUR } })
    expect(() => parsePositions('-o', '0=1,0=2', now)).toThrow(/twice/)
    expect(() => parsePositions('-o', '0=1,x=2', now)).toThrow(/PARTITION=PLACE/)
  })

  it('takes --from, --to and --last for the same', () => {
    expect(joinPositions({ from: '@-2h', to: '1h' }, now)?.all).toEqual({ from: { time: NOW - 2 * HOUR }, to: { time: NOW - HOUR } })
    expect(joinPositions({ to: 'end' }, now)?.all).toEqual({ from: START, to: END })
    expect(joinPositions({ last: 10 }, now)?.all).toEqual({ from: { at: 'end', minus: 10 }, to: END })
    expect(joinPositions({}, now)).toBeUndefined()
    expect(() => joinPositions({ last: 1, to: 'end' }, now)).toThrow(/different things/)
    expect(() => joinPositions({ from: '9', to: '3' }, now)).toThrow(/ends before it begins/)
  })

  it.each<[string, string, string]>([
    ['Europe/Berlin', '@2026-03-01', '2026-02-28T23:00Z'],
    ['Europe/Berlin', '@2026-07-01T12:00', '2026-07-01T10:00Z'],
    ['Europe/Berlin', '@2026-07-01T12:00Z', '2026-07-01T12:00Z'],
    ['Europe/Berlin', '@2026-07-01T12:00-03:00', '2026-07-01T15:00Z'],
    ['Europe/Berlin', '@2026-03-29T01:59:59', '2026-03-29T00:59:59Z'], // the last second before clocks go forward
    ['Europe/Berlin', '@2026-03-29T03:00', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '@2026-10-25T03:00', '2026-10-25T02:00Z'], // after they went back
    ['America/New_York', 'today', '2026-03-10T04:00Z'],
    ['America/New_York', 'yesterday', '2026-03-09T04:00Z'],
    ['America/New_York', '@09:00', '2026-03-10T13:00Z'],
    ['Pacific/Auckland', 'today', '2026-03-10T11:00Z'], // it is tomorrow there
    ['Asia/Kolkata', '@09:00:00.250', '2026-03-10T03:30:00.250Z'],
    ['UTC', 'today', '2026-03-10T00:00Z'],
    ['Asia/Tokyo', '@1000000000', '2001-09-09T01:46:40Z'],
    ['Asia/Tokyo', '@-1h', '2026-03-10T14:30Z'],
  ])('in %s %s is %s', (zone, text, time) => {
    expect(parsePlace('--at', text, nowIn(zone, NOW))).toEqual({ time: Date.parse(time) })
  })

  it('refuses a zone that is none', () => {
    expect(() => nowIn('Middle-earth/Shire', NOW)).toThrow(expect.objectContaining({ exitCode: 2, message: "--tz 'Middle-earth/Shire' is no time zone" }) as Error)
    expect(() => nowIn('', NOW)).toThrow(/no time zone/)
  })

  it('has any wall time come back from its zone', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC', 'local')
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: 4e12 }), (name, time) => {
        const { zone } = nowIn(name, NOW)
        const wall = zone.wallAt(time)
        expect(zone.wallAt(zone.timeOf(wall))).toBe(wall)
      }),
      { numRuns: 300 },
    )
  })

  it('never throws anything but a usage error', () => {
    const piece = fc.constantFrom('@', ':', '..', '-', '+', '1', '09:00', 'now', 'today', 'end', 'stored', '1h', '2026-03-01', 'T', 'Z', '=', ',', '*', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
        try {
          parsePositions('--offset', pieces.join(''), now)
        } catch (error) {
          expect(error).toMatchObject({ exitCode: 2 })
        }
      }),
      { numRuns: 2000 },
    )
  })
})
