// From words to a command, its format, and the nearest right word.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean, nearest } from '../../src/cli/nearest.ts'
import { alignColumns, askedFormat, colourLevel } from '../../src/cli/output.ts'
import { bytesText, durationText } from '../../src/cli/quantities.ts'
import type { CommandEntry, CommandTable } from '../../src/cli/command-table.ts'
import { findCommand } from '../../src/cli/run.ts'

const entry = {} as CommandEntry // nothing of it is needed to find it
const table: CommandTable = new Map([
  ['topics', entry],
  ['produce', entry],
  ['broker:start', entry],
  ['broker:stop', entry],
])

describe('findCommand', () => {
  test.each([
    [['topics', '--list'], { isHelp: false, id: 'topics', rest: ['--list'] }],
    [['broker', 'start', '--port', '0'], { isHelp: false, id: 'broker:start', rest: ['--port', '0'] }],
    [['topics', 'extra'], { isHelp: false, id: 'topics', rest: ['extra'] }],
    [[], { isHelp: true, words: [] }],
    [['--help'], { isHelp: true, words: [] }],
    [['help'], { isHelp: true, words: [] }],
    [['help', 'broker', 'start'], { isHelp: true, words: ['broker', 'start'] }],
    [['broker', '--help'], { isHelp: true, words: ['broker'] }],
    [['topics', '--list', '-h'], { isHelp: true, words: ['topics'] }],
    [['topics', '--', '-h'], { isHelp: false, id: 'topics', rest: ['--', '-h'] }],
  ])('%j', (argv, expected) => {
    expect(findCommand(argv, table)).toEqual(expected)
  })

  test.each([
    [['topcis'], 'there is no command `ktool topcis`', "did you mean 'topics'?"],
    [['broker', 'strat'], 'there is no command `ktool broker strat`', "did you mean 'start'?"],
    [['broker', 'zzz'], 'there is no command `ktool broker zzz`', 'see `ktool broker --help`'],
    [['help', 'zzz'], 'there is no command `ktool zzz`', 'see `ktool --help`'],
    [['broker'], 'say what to do: start, stop', 'see `ktool broker --help`'],
    [['version'], 'there is no command `ktool version`', '`ktool --version` prints the version'],
    [['--list'], 'the command comes first, before --list', 'see `ktool --help`'],
  ])('%j is a usage error', (argv, message, hint) => {
    expect(() => findCommand(argv, table)).toThrow(expect.objectContaining({ message, hint, exitCode: 2 }) as Error)
  })
})

test('askedFormat reads the words even where parsing would fail', () => {
  expect(askedFormat(['--wrong', '--json'])).toBe('json')
  expect(askedFormat(['--output', 'table'])).toBe('table')
  expect(askedFormat(['--output=text', '--output=json'])).toBe('json')
  expect(askedFormat(['--output'])).toBeUndefined()
  expect(askedFormat(['--', '--json'])).toBeUndefined()
})

describe('nearest', () => {
  test('finds what was meant', () => {
    expect(nearest('ordrs', ['orders', 'users', 'order-items'])).toEqual(['orders'])
    expect(nearest('Orders', ['orders'])).toEqual(['orders'])
    expect(nearest('rodres', ['orders'])).toEqual(['orders'])
    expect(nearest('retention.m', ['retention.ms', 'retention.bytes'])[0]).toBe('retention.ms')
    expect(didYouMean('xyzzy', ['orders'])).toBeNull()
    expect(didYouMean('abc', ['abd', 'abe'])).toBe("did you mean 'abd' or 'abe'?")
  })

  test('a word is nearest to itself, and nothing breaks it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.array(fc.string({ maxLength: 30 }), { maxLength: 20 }), (word, others) => {
        fc.pre(word.length > 0)
        expect(nearest(word, [...others, word], 50).map((name) => name.toLowerCase())).toContain(word.toLowerCase())
      }),
    )
  })
})

test.each([
  [{ isTTY: true }, {}, 1],
  [{ isTTY: true }, { TERM: 'dumb' }, 0],
  [{ isTTY: true }, { NO_COLOR: '1' }, 0],
  [{ isTTY: true }, { NO_COLOR: '' }, 1],
  [{ isTTY: true }, { FORCE_COLOR: '0' }, 0],
  [{ isTTY: false }, {}, 0],
  [{ isTTY: false }, { FORCE_COLOR: '1' }, 1],
  [{ isTTY: false }, { FORCE_COLOR: '3' }, 3],
  [{ isTTY: false }, { FORCE_COLOR: '' }, 1],
  [{ isTTY: false }, { FORCE_COLOR: '3', NO_COLOR: '1' }, 0],
])('colour on %j with %j is level %d', (stream, env, level) => {
  expect(colourLevel(stream, env)).toBe(level)
})

test('columns are aligned, with no blanks at the end of a line', () => {
  const text = alignColumns(
    [{ heading: 'id', align: 'right' }, { heading: 'name' }],
    [
      ['1', 'a'],
      ['100', ''],
    ],
  )
  expect(text).toBe(' ID  NAME\n  1  a\n100\n')
})

test('sizes and durations as people read them', () => {
  expect([0, 1023, 1536, 5 * 1024 ** 3].map(bytesText)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 GiB'])
  expect([0, 61_000, 3_600_000, 93_784_000].map(durationText)).toEqual(['0s', '1m 1s', '1h 0m', '1d 2h'])
})
