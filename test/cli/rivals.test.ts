// Defects seen in other command lines for Kafka, each with a test of its own, at the built bin and a broker.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main, Sandbox } from './sandbox.ts'

interface Envelope {
  readonly partition: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly { readonly key: string; readonly value: string | null }[]
}

const ktool = new Sandbox()
let topics = 0

beforeAll(() => ktool.broker())
afterAll(() => ktool.close())

async function topicWith(input: string, flags: readonly string[] = [], partitions = 3): Promise<string> {
  const topic = `rivals-${topics++}`
  await ktool.run(['topics', '--create', '--topic', topic, '--partitions', String(partitions)])
  const { code, stderr } = await ktool.run(['produce', '--topic', topic, ...flags], { input })
  if (code !== 0) throw new Error(stderr)
  return topic
}

const consume = (topic: string, ...flags: string[]) => ktool.run(['consume', '--topic', topic, '--offset', ':end', ...flags])

async function envelopes(topic: string): Promise<Envelope[]> {
  const { stdout } = await consume(topic, '--json')
  return stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Envelope) // prettier-ignore
}

describe('what others got wrong', () => {
  it('a group read with -n commits what was printed and leaves the group', async () => {
    const topic = await topicWith('a\nb\nc\n', [], 1)
    const read = () => ktool.run(['consume', '--topic', topic, '--group', 'counted', '--from-beginning', '--max-messages', '2', '--exit-at-end'])
    expect((await read()).stdout).toBe('a\nb\n')
    expect((await ktool.run(['groups', '--describe', '--group', 'counted', '--state'])).stdout).toContain('Empty')
    expect((await read()).stdout).toBe('c\n')
  })

  it('the partition that a record names is where it goes', async () => {
    const topic = await topicWith('2 a\n0 b\n1 c\n', ['--format', '%p %v\\n'])
    expect((await envelopes(topic)).map(({ partition, value }) => `${partition}${value ?? ''}`).sort()).toEqual(['0b', '1c', '2a'])
    const other = await topicWith('{"value":"x","partition":2}\n', ['--input', 'json', '--partition-from', 'record'])
    expect(await envelopes(other)).toMatchObject([{ partition: 2, value: 'x' }])
  })

  it('errors leave stdout alone, and @-30m:@now is a range', async () => {
    expect(await ktool.run(['consume', '--topic', 'not-there', '--json'])).toMatchObject({ stdout: '', code: 1 })
    const topic = await topicWith('a\n')
    expect(await ktool.run(['consume', '--topic', topic, '--offset', '@-30m:@now'])).toMatchObject({ stdout: 'a\n', code: 0 })
  })

  it('headers are a list of objects, with duplicates, in order, null and empty apart', async () => {
    const headers = [{ key: 'a', value: '2' }, { key: 'b', value: null }, { key: 'a', value: '' }] // prettier-ignore
    const topic = await topicWith(`${JSON.stringify({ value: 'v', headers })}\n`, ['--input', 'json'])
    expect(await envelopes(topic)).toMatchObject([{ headers }])
  })

  it('records without a key have none, and blank lines and the word null are values', async () => {
    const topic = await topicWith('\n  \nnull\n\n', [], 1)
    expect((await envelopes(topic)).map(({ key, value }) => [key, value])).toEqual([[null, ''], [null, '  '], [null, 'null'], [null, '']]) // prettier-ignore
  })

  it('a 64-bit integer goes through untouched', async () => {
    const value = '{"id":9223372036854775807,"f":1.10,"e":1E400}'
    const topic = await topicWith(`${value}\n`)
    const { stdout } = await consume(topic, '--json', '--value', 'json')
    expect(stdout).toContain(`"value":${value},`)
    expect((await consume(await topicWith(stdout, ['--input', 'json']))).stdout).toBe(`${value}\n`)
  })

  it('a key that is nowhere does not keep a reader waiting, nor does an empty topic or partition', async () => {
    const topic = await topicWith('only\n')
    expect((await consume(topic)).stdout).toBe('only\n')
    expect(await consume(await topicWith(''))).toMatchObject({ stdout: '', code: 0 })
  })

  it('a line of 200 KB is one record', async () => {
    const line = 'x'.repeat(200_000)
    expect((await consume(await topicWith(`${line}\n`))).stdout).toBe(`${line}\n`)
  })

  it('a bad line of JSON is named and never sent as it stands', async () => {
    const topic = `rivals-${topics++}`
    await ktool.run(['topics', '--create', '--topic', topic])
    const { code, stderr } = await ktool.run(['produce', '--topic', topic, '--input', 'json'], { input: '{"value":"a"}\nnot json\n{"value":"b"}\n' })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^ktool: 1 record was acknowledged, and reading stopped: line 2 is no record: no JSON/)])
    expect((await consume(topic)).stdout).toBe('a\n')
  })

  it('a wrong time is an error, never now', async () => {
    const topic = await topicWith('a\n')
    expect(await ktool.run(['consume', '--topic', topic, '--offset', '@yesterdayy'])).toMatchObject({ stdout: '', code: 2 })
    const input = '{"value":"a","timestamp":"2026"}\n'
    expect(await ktool.run(['produce', '--topic', topic, '--input', 'json', '--timestamp-from', 'record'], { input })).toMatchObject({ code: 1 })
  })

  it('ten digits are seconds, as the documentation of others says of nine', async () => {
    const topic = await topicWith('{"value":"old","timestamp":1000000000000}\n{"value":"new","timestamp":1600000000000}\n', ['--input', 'json', '--timestamp-from', 'record'], 1)
    expect((await ktool.run(['consume', '--topic', topic, '--offset', '@1500000000', '--exit-at-end'])).stdout).toBe('new\n')
  })

  it('of several topics to delete one that is not there makes the exit code 1, and the others go', async () => {
    const topic = await topicWith('a\n')
    const { code, stdout, stderr } = await ktool.run(['topics', 'delete', topic, 'not-there', '--yes'])
    expect([code, stdout, stderr.includes('not-there')]).toEqual([1, `deleted topic ${topic}\n`, true])
    expect((await ktool.run(['topics', 'list'])).stdout.split('\n')).not.toContain(topic)
    expect((await ktool.run(['topics', 'delete', 'not-there', '--if-exists'])).code).toBe(0)
  })

  it('Ctrl-C ends a producer when all that it has read is acknowledged', async () => {
    const topic = await topicWith('', [], 1)
    const child = spawn(process.execPath, [main, 'produce', topic, '-v'], { env: ktool.env, stdio: ['pipe', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdin.write('line\n'.repeat(20_000)) // and it goes on: no end of the input
    while ((await consume(topic)).stdout === '') continue
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([130, null])
    const stored = (await consume(topic)).stdout.split('\n').length - 1
    expect(stderr).toContain(`${stored} records acknowledged`)
  })

  it('a topic name is that topic, and no pattern', async () => {
    const topic = await topicWith('a\n')
    expect(await ktool.run(['consume', '--topic', topic.replace('-', '.'), '--exit-at-end', '--from-beginning'])).toMatchObject({ stdout: '', code: 1 })
  })
})

describe('any bytes', () => {
  type Bytes = Buffer | null
  type Fields = readonly [key: Bytes, value: Bytes, headers: readonly (readonly [Buffer, Bytes])[]]
  interface Field {
    readonly key: string
    readonly value: string | null
    readonly keyEncoding?: string
    readonly valueEncoding?: string
  }

  const likely = ['', 'null', '""', 'ä', '-0', '1.10', '1E400', '9223372036854775807', '{"id":-9223372036854775808,"id":1}', ' [1]', '[1,\n2]', '\u2028', '\0']
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array)),
    fc.string({ unit: 'binary', maxLength: 30 }).map((text) => Buffer.from(text)),
    fc.constantFrom(...likely).map((text) => Buffer.from(text)),
  )
  const name = fc.oneof(bytes, fc.constantFrom('a', 'b').map((text) => Buffer.from(text)))
  const record = fc.tuple(fc.option(bytes), fc.option(bytes), fc.array(fc.tuple(name, fc.option(bytes)), { maxLength: 4 }))

  const field = (what: string, value: Bytes) => (value === null ? { [what]: null } : { [what]: value.toString('base64'), [`${what}Encoding`]: 'base64' })
  const line = ([key, value, headers]: Fields) =>
    JSON.stringify({ ...field('key', key), ...field('value', value), headers: headers.map(([name, content]) => ({ ...field('key', name), ...field('value', content) })) })
  const decode = (text: string | null, encoding?: string): Bytes => (text === null ? null : Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8'))

  async function fieldsIn(topic: string): Promise<Fields[]> {
    return (await envelopes(topic)).map((each) => {
      const { key, value, keyEncoding, valueEncoding } = each as unknown as Field
      const headers = (each.headers as readonly Field[]).map((one) => [decode(one.key, one.keyEncoding) ?? Buffer.alloc(0), decode(one.value, one.valueEncoding)] as const)
      return [decode(key, keyEncoding), decode(value, valueEncoding), headers]
    })
  }

  it('go in by one envelope and come out by another, and that one goes in again', async () => {
    const given: readonly Fields[] = fc.sample(record, { numRuns: 1000, seed: 5 })
    const first = await topicWith(`${given.map(line).join('\n')}\n`, ['--input', 'json'], 1)
    const expected = given.map(line)
    expect((await fieldsIn(first)).map(line)).toEqual(expected)
    const spliced = (await consume(first, '--json', '--key', 'json', '--value', 'json')).stdout
    expect(spliced).toContain('"value":{"id":-9223372036854775808,"id":1},')
    for (const text of [(await consume(first, '--json')).stdout, spliced]) {
      const again = await topicWith(text, ['--input', 'json', '--partition-from', 'record', '--timestamp-from', 'record'], 1)
      expect((await fieldsIn(again)).map(line)).toEqual(expected)
    }
  }, 60_000)

  it('that are a line survive the plain path, but for the ends of lines', async () => {
    const line = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array.filter((byte) => byte !== 10 && byte !== 13)))
    const input = Buffer.concat(fc.sample(line, { numRuns: 500, seed: 7 }).flatMap((each) => [each, Buffer.from('\n')]))
    const topic = `rivals-${topics++}`
    await ktool.run(['topics', '--create', '--topic', topic])
    const printed = await ktool.shell(`echo ${input.toString('base64')} | base64 -d | ktool produce --topic ${topic} && ktool consume --topic ${topic} -o :end | base64 -w0`)
    expect(Buffer.from(printed.stdout, 'base64')).toEqual(input)
  })
})
