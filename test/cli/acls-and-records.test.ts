// `ktool acls` and `ktool records` as a person or a script meets them: the built bin against a broker of its own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sandbox } from './sandbox.ts'

const box = new Sandbox()
beforeAll(async () => {
  const authorizer = ['authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users=User:ANONYMOUS']
  await box.broker('--topic', 'orders:2', ...authorizer.flatMap((property) => ['--property', property]))
}, 60_000)
afterAll(() => box.close())

const out = async (...words: string[]) => {
  const { stdout, stderr, code } = await box.run(words)
  expect(code, stderr).toBe(0)
  return stdout
}

describe('acls', () => {
  test('rules are added once, listed, and removed', async () => {
    const add = ['acls', 'add', '--allow-principal', 'billing', '--consumer', '--topic', 'orders', '--group', 'billing']
    const rules = ['topic orders', 'topic orders', 'group billing'].map((what, i) => `allows User:billing ${i === 1 ? 'describe' : 'read'} on ${what}\n`)
    expect(await out(...add, '--dry-run')).toBe(rules.map((rule) => `would add: ${rule}`).join(''))
    expect(await out('acls', 'list')).toBe('')
    expect(await out(...add)).toBe(rules.map((rule) => `added: ${rule}`).join(''))
    expect(await out(...add)).toBe(rules.map((rule) => `is there already: ${rule}`).join(''))
    expect(await out('acls', 'list', '--topic', 'orders')).toBe(
      'RESOURCE  NAME    PATTERN  PRINCIPAL     MAY    OPERATION  HOST\n' +
        'topic     orders  literal  User:billing  allow  describe   *\ntopic     orders  literal  User:billing  allow  read       *\n',
    )
    expect(await box.run(['acls', 'remove', '--principal', 'billing'])).toMatchObject({ stdout: '', code: 2 })
    expect((await out('acls', 'remove', '--principal', 'billing', '--dry-run')).split('\n')).toHaveLength(4)
    expect((await out('acls', 'remove', '--principal', 'billing', '--yes')).split('\n')).toHaveLength(4)
    expect(await box.run(['acls', 'list'])).toMatchObject({ stdout: '', stderr: 'there are no rules like that\n' })
  })

  test('a prefix covers what begins with it', async () => {
    await out('acls', 'add', '--deny-principal', 'User:eve', '--deny-host', '10.0.0.1', '--operation', 'describe-configs', '--topic', 'aud', '--pattern', 'prefixed')
    expect(await out('acls', 'list', '--topic', 'audit')).toBe('')
    expect(JSON.parse(await out('acls', 'list', '--topic', 'audit', '--pattern', 'match', '--json'))).toEqual({
      acls: [
        { resourceType: 'TOPIC', name: 'aud', patternType: 'PREFIXED', principal: 'User:eve', host: '10.0.0.1', operation: 'DESCRIBE_CONFIGS', permission: 'DENY' },
      ],
    })
    expect(await box.run(['acls', 'remove', '--topic', 'aud'])).toMatchObject({ stdout: '', stderr: 'no rule is like that\n', code: 0 })
    expect(await out('acls', 'remove', '--topic', 'aud', '--pattern', 'prefixed')).toBe(
      'removed: denies User:eve describe-configs on topics beginning with aud from 10.0.0.1\n',
    )
  })

  test.each([
    [['add', '--topic', 'x', '--allow-principal', 'a', '--operation', 'raed'], "there is no operation 'raed'; did you mean 'read'?"],
    [['add', '--group', 'g', '--allow-principal', 'a', '--operation', 'write'], /^nobody can write a group; its operations are all, read, describe, delete/],
    [['add', '--topic', 'x'], /^say whom the rule is for/],
    [['add', '--allow-principal', 'a'], /^say what the rule is about/],
    [['add', '--topic', 'x', '--allow-principal', 'a', '--pattern', 'any'], /^a rule can't be of --pattern any/],
    [['add', '--topic', 'x', '--allow-principal', 'a', '--consumer'], /^--consumer needs --group/],
    [['remove'], /^say which rules go/],
    [['list', '--producer'], /^--producer does not go with --list/],
  ])('%j is a usage error', async (words, message) => {
    const { stdout, stderr, code } = await box.run(['acls', ...words])
    expect([stdout, code]).toEqual(['', 2])
    expect(stderr.slice('ktool: '.length, -1)).toMatch(message)
  })
})

describe('records', () => {
  test('what lies before a place goes, and no more', async () => {
    await box.run(['produce', '--topic', 'orders', '--partition', '0'], { input: 'a\nb\nc\nd\n' })
    expect(await out('records', 'delete', 'orders', '--before', '0=3,1=end', '--dry-run')).toBe(
      'TOPIC   PARTITION  WOULD GO  FROM\norders          0         3     0\norders          1         0     0\n',
    )
    expect(JSON.parse(await out('records', 'delete', 'orders:0', '--before', '3', '--json'))).toEqual({
      topics: [{ name: 'orders', partitions: [{ partition: 0, start: 3, before: 3, offsets: 3, error: null }] }],
    })
    expect(await out('consume', '--topic', 'orders', '--from-beginning', '--exit-at-end')).toBe('d\n')
    expect(await out('records', 'delete', 'orders', '--before', 'end')).toContain('orders          0        1          4\n')
  })

  test('of several topics, each with its result; several or a pattern need --yes in a script', async () => {
    for (const topic of ['gone-1', 'gone-2']) {
      await box.run(['topics', 'create', topic])
      await box.run(['produce', topic], { input: 'a\nb\n' })
    }
    for (const words of [['gone-1', 'gone-2'], ['--regex', 'gone-.*'], ['--regex', 'gone-1']]) {
      const { code, stderr } = await box.run(['records', 'delete', ...words, '--before', 'end'])
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^ktool: Delete \d records of topics? gone-.*: nobody is there to say yes/)])
    }
    expect(await out('records', 'delete', '--regex', 'gone-.*', '--before', '1', '--dry-run')).toBe(
      'TOPIC   PARTITION  WOULD GO  FROM\ngone-1          0         1     0\ngone-2          0         1     0\n',
    )
    const { stdout, stderr, code } = await box.run(['records', 'delete', 'gone-1', 'gone-3', 'gone-2', '--before', '1', '--yes'])
    expect([stdout, code]).toEqual(['TOPIC   PARTITION  DELETED  STARTS AT\ngone-1          0        1          1\ngone-2          0        1          1\n', 1])
    expect(stderr).toContain("ktool: topic 'gone-3' does not exist; did you mean")
    const { topics } = JSON.parse((await box.run(['records', 'delete', 'gone-2:0', 'gone-2', 'gone-3', '--before', 'end', '--yes', '--json'])).stdout) as { topics: object[] }
    expect(topics).toMatchObject([{ name: 'gone-2', partitions: [{ partition: 0, start: 2 }] }, { name: 'gone-3', error: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } }])
  })

  test.each([
    [['orders', '--before', '99'], 1, /does not exist yet: the end is \d; name the partition that is meant: orders:0, or --before 0=N,1=N by partition$/],
    [['orders:0', '--before', '99'], 1, /does not exist yet: the end is \d$/],
    [['ordrs', '--before', '1'], 1, "topic 'ordrs' does not exist; did you mean 'orders'?"],
    [['orders:7', '--before', 'end'], 1, 'orders has no partition 7; it has 2, from 0'],
    [['orders'], 2, /^--before is missing/],
    [['--before', '1'], 2, /^--topic is missing/],
    [['orders', '--before', '1:5'], 2, /^--before '1:5' is a range/],
  ])('%j: one clear line and exit code %d', async (words, code, message) => {
    const result = await box.run(['records', 'delete', ...words])
    expect([result.stdout, result.code]).toEqual(['', code])
    expect(result.stderr.slice('ktool: '.length, -1)).toMatch(message)
  })
})
