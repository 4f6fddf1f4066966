import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ArgparseError, HelpScreen, parseArguments, type Program } from '../../../src/cli/apache/argparse.ts'
import { wrapped } from '../../../src/cli/apache/argparse-text.ts'
import { FaceExit, type FaceIo } from '../../../src/cli/apache/face.ts'

const PROGRAM: Program = {
  prog: 'kafka-shop',
  groups: { bootstrap: { isMutex: true, isRequired: true } },
  arguments: [
    { flags: ['--bootstrap-server', '-b'], group: 'bootstrap' },
    { flags: ['--bootstrap-controller', '-C'], group: 'bootstrap' },
    { flags: ['-v', '--version'], action: 'version' },
    { flags: ['--quiet', '-q'], action: 'storeTrue' },
    { flags: ['--old'], isHidden: true },
  ],
  commands: {
    list: {
      arguments: [
        { flags: ['--limit'], type: 'Integer', default: 5 },
        { flags: ['--longer'], type: 'Long' },
        { flags: ['--epoch'], type: 'Short' },
        { flags: ['--rate'], type: 'Double' },
        { flags: ['--state'], choices: ['open', 'shut'] },
        { flags: ['--feature'], action: 'append' },
      ],
    },
    lift: { arguments: [{ flags: ['--id', '-i'], type: 'Integer', isRequired: true }, { flags: ['--name'], isRequired: true }] },
    copy: { arguments: [{ flags: ['from'] }, { flags: ['to'], nargs: '*' }, { flags: ['--extra'], nargs: '+' }] },
  },
}

const io = { env: {}, stdout: {} } as unknown as FaceIo

const parse = (line: string, program = PROGRAM, env: NodeJS.ProcessEnv = {}) => {
  return parseArguments(program, line.split(' ').filter((word) => word !== ''), { ...io, env })
}

const errorOf = (line: string, program = PROGRAM): ArgparseError => {
  try {
    parse(line, program)
  } catch (error) {
    if (error instanceof ArgparseError) return error
    throw error
  }
  throw new Error(`${line} was accepted`)
}

const message = (line: string): string => errorOf(line).message

describe('what is accepted', () => {
  test('options by their names, by the beginnings of long ones, and by letters', () => {
    for (const line of ['--bootstrap-server a list', '--bootstrap-server=a list', '--bootstrap-s a list', '-b a list', '-ba list', '-qb a list']) {
      expect(parse(line).string('bootstrap_server')).toBe('a')
    }
    expect(parse('-q -b a list').has('quiet')).toBe(true)
    expect(parse('-b a list').has('quiet')).toBe(false)
  })

  test('commands by their beginnings', () => {
    expect(parse('-b a cop x').command).toBe('copy')
  })

  test('a negative number is a value, every other word with a dash is none', () => {
    expect(parse('-b a list --limit -3').number('limit')).toBe(-3)
    expect(message('-b a list --state -x')).toBe('argument --state: expected one argument')
    expect(parse('-b a list --state=open').string('state')).toBe('open')
  })

  test('numbers of their size, defaults, and lists', () => {
    const options = parse('-b a list --longer 9223372036854775807 --epoch +7 --rate 1e3 --feature a=1 --feature b=2')
    expect(options.long('longer')).toBe(9223372036854775807n)
    expect([options.number('epoch'), options.number('rate'), options.number('limit')]).toEqual([7, 1000, 5])
    expect(options.strings('feature')).toEqual(['a=1', 'b=2'])
    expect(parse('-b a list').strings('feature')).toBeUndefined()
  })

  test('words by their places, and everything behind -- is one', () => {
    const options = parse('-b a copy x y z --extra 1 2')
    expect([options.string('from'), options.strings('to'), options.strings('extra')]).toEqual(['x', ['y', 'z'], ['1', '2']])
    expect(parse('-b a copy -- -x -y').strings('to')).toEqual(['-y'])
  })

  test('the words of a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'ktool-argparse-'))
    const path = join(directory, 'words')
    writeFileSync(path, '-b\na b\n')
    try {
      expect(parse(`@${path} list`, { ...PROGRAM, fromFilePrefix: '@' }).string('bootstrap_server')).toBe('a b')
      expect(errorOf('@none list', { ...PROGRAM, fromFilePrefix: '@' }).message).toBe("Could not read arguments from file 'none'")
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('--help and --version end it', () => {
    expect(() => parse('--help')).toThrow(HelpScreen)
    expect(() => parse('list -h')).toThrow(HelpScreen)
    expect(() => parse('--version')).toThrow(FaceExit)
  })
})

describe('what is refused', () => {
  test.each([
    ['', 'too few arguments'],
    ['-b a', 'too few arguments'],
    ['list', 'one of the arguments --bootstrap-server/-b --bootstrap-controller/-C is required'],
    ['-b a -C b list', 'argument --bootstrap-controller/-C: not allowed with argument --bootstrap-server/-b'],
    ['-b a lift', 'argument --name is required'],
    ['-b a lift --name x', 'argument --id/-i is required'],
    ['lift', 'one of the arguments --bootstrap-server/-b --bootstrap-controller/-C is required'],
    ['-b a lift --id', 'argument --id/-i: expected one argument'],
    ['-b a li', 'ambiguous command: li could match lift, list'],
    ['-b a sell', "invalid choice: 'sell' (choose from 'list', 'lift', 'copy')"],
    ['--boot a list', 'ambiguous option: --boot could match --bootstrap-controller, --bootstrap-server'],
    ['-b a list --no=3', "unrecognized arguments: '--no=3'"],
    ['-b a list -x', "unrecognized arguments: '-x'"],
    ['-b a list x y', "unrecognized arguments: 'x y'"],
    ['-b a -q=1 list', "argument --quiet/-q: ignore implicit argument '1'"],
    ['-b a list --limit x', `argument --limit: could not convert 'x' to Integer (For input string: "x")`],
    ['-b a list --limit 2147483648', `argument --limit: could not convert '2147483648' to Integer (For input string: "2147483648")`],
    ['-b a list --epoch 99999', `argument --epoch: could not convert '99999' to Short (Value out of range. Value:"99999" Radix:10)`],
    ['-b a list --rate fast', `argument --rate: could not convert 'fast' to Double (For input string: "fast")`],
    ['-b a list --state ajar', "argument --state: invalid choice: 'ajar' (choose from {open,shut})"],
    ['-b a copy', 'too few arguments'],
    ['-b a copy x --extra', 'argument --extra: expected 1 argument(s)'],
  ])('%s', (line, expected) => {
    expect(message(line)).toBe(expected)
  })
})

describe('what is printed', () => {
  test('the usage of the command, and the error with its line filled up', () => {
    expect(errorOf('-b a lift --id 1').report).toBe(
      [
        'usage: kafka-shop (--bootstrap-server BOOTSTRAP_SERVER |',
        '                  --bootstrap-controller BOOTSTRAP_CONTROLLER) lift [-h]',
        '                  --id ID --name NAME',
        'kafka-shop: error: argument --name is required',
        '',
      ].join('\n'),
    )
    expect(errorOf('list').report.split('\n').slice(-3)).toEqual([
      'kafka-shop: error: one of  the arguments --bootstrap-server/-b --bootstrap-',
      'controller/-C is required',
      '',
    ])
  })

  test('names that may have been meant', () => {
    expect(errorOf('-b a list --limt 3').report).toMatch(/\n\nDid you mean:\n\t--limit\n$/)
    expect(errorOf('-b a lits').report).toMatch(/\n\nDid you mean:\n\tlift\n\tlist\n$|\n\nDid you mean:\n\tlist\n$/)
    expect(errorOf('-b a zzzzzzzzz').report).not.toContain('Did you mean')
  })

  test('as wide as the terminal less five', () => {
    const program = { ...PROGRAM, prog: 'kafka-shop' }
    const report = (COLUMNS: string): string => {
      try {
        parse('', program, { COLUMNS })
      } catch (error) {
        if (error instanceof ArgparseError) return error.report
      }
      return ''
    }
    expect(report('200').split('\n')).toHaveLength(3)
    expect(report('50').split('\n').length).toBeGreaterThan(5)
  })

  // As Kafka 4.3 prints them.
  test.each([
    ['kafka-metadata-quorum: error: one  of  the  arguments --bootstrap-server --', 'bootstrap-controller is required'],
    ['kafka-metadata-quorum:  error:  argument   --controller-id/-i:   could  not', `convert 'x' to Integer (For input string: "x")`],
    ['kafka-transactions.sh: error: argument --producer-epoch:  could not convert', `'99999' to Short (Value out of range. Value:"99999" Radix:10)`],
  ])('%s', (first, second) => {
    const isHyphen = first.endsWith('--')
    const text = `${first.replace(/ +/g, ' ')}${isHyphen ? '' : ' '}${second}\n`
    expect(wrapped(text, 75)).toBe(`${first}\n${second}\n`)
  })

  test('lines break behind hyphens, and numbers stay whole', () => {
    expect(wrapped('a-b-c-d-e-f', 4)).toBe('a-b-\nc-d-\ne-f')
  })
})
