// Bare words and short flags: the same command line, typed as people type it.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import Groups from '../../commands/groups.ts'
import Produce from '../../commands/produce.ts'
import Topics from '../../commands/topics.ts'
import Transactions from '../../commands/transactions.ts'
import { withDashes, type WordFlags, type WordRules } from '../../src/cli/words.ts'
import { Sandbox } from './sandbox.ts'

const dashed = (line: string, command: { words: WordRules; flags: WordFlags; baseFlags: WordFlags } = Topics): string =>
  withDashes('topics', line.split(' '), command.words, { ...command.baseFlags, ...command.flags }).join(' ')

describe('withDashes', () => {
  test.each([
    ['list', '--list'],
    ['create orders -p 3', '--create --topic=orders -p 3'],
    ['-b h:1 create orders --config a=b users', '-b h:1 --create --topic=orders --config a=b --topic=users'],
    ['describe a -t b c', '--describe --topic=a -t b --topic=c'],
    ['--describe list', '--describe --topic=list'],
    ['--describe --topic list', '--describe --topic list'],
    ['-vy delete a', '-vy --delete --topic=a'],
    ['-p3 create a', '-p3 --create --topic=a'],
    ['delete -- -a --list', '--delete --topic=-a --topic=--list'],
    ['--brokers h:1 list', '--brokers h:1 --list'],
    ['--brokers=h:1 list', '--brokers=h:1 --list'],
    ['--lsit orders', '--lsit orders'],
    ['create --list', '--create --list'],
    ['create orders --delete', '--create --topic=orders --delete'],
  ])('%s', (line, expected) => {
    expect(dashed(line)).toBe(expected)
  })

  test('what a bare argument is goes by the action', () => {
    expect(dashed('describe billing', Groups)).toBe('--describe --group=billing')
    expect(dashed('list billing', Groups)).toBe('--list billing')
    expect(dashed('describe one', Transactions)).toBe('--describe --transactional-id=one')
    expect(dashed('abort orders -p 0', Transactions)).toBe('--abort --topic=orders -p 0')
  })

  test.each([
    ['lsit', "'lsit' is nothing that `ktool topics` does", "did you mean 'list'?"],
    ['orders list', "'orders' is nothing that `ktool topics` does", 'say what to do: create, list, describe, alter, delete'],
    ['list --json=yes', '--json takes no value', "leave out '=yes'"],
    ['--if-exists=1 list', '--if-exists takes no value', "leave out '=1'"],
  ])('%s is a usage error', (line, message, hint) => {
    expect(() => dashed(line)).toThrow(expect.objectContaining({ message, hint, exitCode: 2 }) as Error)
  })

  test.each([
    ['orders file.txt', 'orders'],
    ['-t orders file.txt', 'TOPIC'],
  ])('what takes one value gets no second: %s', (line, topic) => {
    const hint = `produce reads stdin: ktool produce ${topic} < file.txt`
    expect(() => dashed(line, Produce)).toThrow(expect.objectContaining({ message: "'file.txt' is one word too many, there is one --topic", hint, exitCode: 2 }) as Error)
  })

  test('the values of flags stay, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('--topic', '-t', '--config', '-b'), fc.string())), (pairs) => {
        const words = ['--create', ...pairs.flat()]
        expect(withDashes('topics', words, Topics.words, { ...Topics.baseFlags, ...Topics.flags })).toEqual(words)
      }),
    )
  })
})

describe('a person types', () => {
  const box = new Sandbox()
  beforeAll(async () => {
    await box.broker('--ephemeral', '--property', 'group.initial.rebalance.delay.ms=0')
  }, 60_000)
  afterAll(() => box.close())

  test('topics, records, groups and settings without a dash', async () => {
    expect((await box.run(['topics', 'create', 'orders', 'users', '-p', '3'])).stdout).toBe(
      'created topic orders with 3 partitions\ncreated topic users with 3 partitions\n',
    )
    expect((await box.run(['topics', 'list'])).stdout).toBe('orders\nusers\n')
    expect((await box.run(['topics', 'describe', 'users', 'orders'])).stdout).toMatch(/^orders [^]*^users /m)
    expect((await box.run(['produce', 'orders', '-p', '1'], { input: 'a\nb\nc\n' })).code).toBe(0)
    expect((await box.run(['consume', 'orders', '-o', '-10', '-e'])).stdout).toBe('a\nb\nc\n')
    expect((await box.run(['consume', 'orders', '-o', 'start', '-c', '2'])).stdout).toBe('a\nb\n')
    await box.run(['consume', 'orders', '-g', 'billing', '--from-beginning', '-e'])
    expect((await box.run(['groups', 'describe', 'billing'])).stdout).toMatch(/^billing {2}Empty, 0 members, lag 0\n/)
    await box.run(['configs', 'alter', 'orders', '--add-config', 'retention.ms=1000'])
    expect((await box.run(['configs', 'describe', 'orders'])).stdout).toMatch(/^retention\.ms +1000 +topic$/m)
    expect((await box.run(['transactions', 'list', '--json'])).stdout).toBe('{"transactions":[]}\n')
  }, 30_000)

  test('TOPIC and the topics of the records are not both meant', async () => {
    const result = await box.run(['produce', '--input', 'json', 'payments', '--topic-from', 'record'], { input: '{"topic":"orders","value":"x"}\n' })
    expect(result).toMatchObject({ stderr: 'ktool: TOPIC and --topic-from=record say different things; leave one of them out\n', code: 2 })
  })

  test('a client property with -X', async () => {
    expect((await box.run(['topics', 'list', '-X', 'client.id=me', '-X', 'bootstrap.servers=127.0.0.1:1'])).stderr).toContain('127.0.0.1:1')
    expect(await box.run(['topics', 'list', '-X', 'client.idd=me'])).toMatchObject({ code: 2, stderr: expect.stringContaining('client.idd') as string })
  })
})
