import { describe, expect, test } from 'vitest'
import { FaceExit } from '../../../src/cli/apache/face.ts'
import { checkInvalid, checkRequired, DEFAULT_OPTIONS, maybeHelp, parseJopt } from '../../../src/cli/apache/jopt.ts'

const TABLE = {
  ...DEFAULT_OPTIONS,
  topic: { arg: 'required' },
  partitions: { arg: 'required', type: 'Integer' },
  offset: { arg: 'required', type: 'Long' },
  state: { arg: 'optional' },
  codec: { arg: 'optional', default: 'gzip' },
  list: {},
  members: { availableIf: ['list'] },
} as const

const parse = (...argv: readonly string[]) => parseJopt(TABLE, argv)

describe('what is accepted', () => {
  test.each([
    [['--topic', 'a'], 'a'],
    [['--topic=a'], 'a'],
    [['-topic', 'a'], 'a'],
    [['-topic=a=b'], 'a=b'],
    [['--topic='], ''],
    [['--topic', '--list'], '--list'],
  ])('%j', (argv, topic) => {
    expect(parse(...argv).value('topic')).toBe(topic)
  })

  test('an optional value is only what looks like none of the options', () => {
    expect(parse('--state', 'Stable', '--list').all('state')).toEqual(['Stable'])
    expect(parse('--state', '--list').all('state')).toEqual([])
    expect(parse('--codec').value('codec')).toBe('gzip')
    expect(parse('--list').has('codec')).toBe(false)
  })

  test('words without an option, and everything behind --, are set aside', () => {
    expect(parse('a', '--list', '--', '--topic').rest).toEqual(['a', '--topic'])
  })
})

describe('what is refused, in the words of the parser', () => {
  const message = (run: () => unknown): string => {
    try {
      run()
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing'
  }

  test.each([
    [['--top', 'a'], 'top is not a recognized option'],
    [['-x'], 'x is not a recognized option'],
    [['--topic'], 'Option topic requires an argument'],
    [['--members'], 'Option(s) [members] are unavailable given other options on the command line'],
  ])('%j: %s', (argv, text) => {
    expect(message(() => parse(...argv))).toBe(text)
  })

  test('values are looked at when they are read', () => {
    expect(message(() => parse('--partitions', '3x').int('partitions'))).toBe("Cannot parse argument '3x' of option partitions")
    expect(message(() => parse('--partitions', '2147483648').int('partitions'))).toBe("Cannot parse argument '2147483648' of option partitions")
    expect(parse('--offset', '2147483648').long('offset')).toBe(2147483648)
    expect(parse('--partitions', '-1').int('partitions')).toBe(-1)
    expect(message(() => parse('--topic', 'a', '--topic', 'b').value('topic'))).toBe('Found multiple arguments for option topic, but you asked for only one')
  })

  test('a usage exit is the message, the help and exit code 1', () => {
    const exit = ((): FaceExit => {
      try {
        checkRequired(parse('--list'), 'topic')
      } catch (error) {
        if (error instanceof FaceExit) return error
      }
      throw new Error('no exit')
    })()
    expect(exit.code).toBe(1)
    expect(exit.err.split('\n').slice(0, 3)).toEqual(['Missing required argument "[topic]"', expect.stringMatching(/^Option +Description$/), expect.stringMatching(/^-+ +-+$/)])
    expect(message(() => checkInvalid(parse('--list', '--topic', 'a'), 'list', ['topic']))).toMatch(/^Option "\[list\]" can't be used with option "\[topic\]"/)
    expect(message(() => maybeHelp(parse(), [], 'This tool helps.'))).toMatch(/^This tool helps\./)
  })
})
