import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
const file = (name: string) => join(sandbox.directory, name)
let address = ''

beforeAll(async () => {
  for (const tool of ['producer', 'consumer']) symlinkSync(main, file(`kafka-console-${tool}`))
  address = await sandbox.broker()
}, 30_000)
afterAll(() => sandbox.close())

/** A line of bash in which `produce` and `consume` are the faces, on the broker. */
function shell(line: string) {
  const face = (tool: string) => `'${process.execPath}' '${file(`kafka-console-${tool}`)}' --bootstrap-server ${address} "$@"`
  return sandbox.shell(`cd '${sandbox.directory}'; produce() { ${face('producer')}; }; consume() { ${face('consumer')}; }; ${line}`)
}

describe('kafka-console-producer and kafka-console-consumer', () => {
  it('bring every line through, whatever its bytes, as Java cuts lines', { timeout: 60_000 }, async () => {
    const byte = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 255 }) }, { weight: 1, arbitrary: fc.constantFrom(10, 13) })
    const input = fc.array(byte, { minLength: 1, maxLength: 20_000 }).map((bytes) => Buffer.from(bytes))
    let turn = 0
    await fc.assert(
      fc.asyncProperty(input, async (bytes) => {
        const lines = bytes.toString('latin1').split(/\r\n|\r|\n/)
        if (lines.at(-1) === '') lines.pop()
        writeFileSync(file('in'), bytes)
        const topic = `round-${turn++}`
        const { code, stderr } = await shell(`produce --topic ${topic} < in && consume --topic ${topic} --partition 0 --from-beginning --max-messages ${lines.length} > out`)
        expect({ code, stderr }).toEqual({ code: 0, stderr: `Processed a total of ${lines.length} messages\n` })
        expect(readFileSync(file('out'), 'latin1')).toBe(lines.map((line) => `${line}\n`).join(''))
      }),
      { numRuns: 3 },
    )
  })

  it('wait for a topic, and read what comes', async () => {
    const { stdout, code } = await shell(
      'consume --topic later --max-messages 1 --from-beginning & ' +
        `until '${process.execPath}' '${main}' topics list -b ${address} | grep -q later; do :; done; echo here | produce --topic later; wait $!`,
    )
    expect({ stdout, code }).toEqual({ stdout: 'here\n', code: 0 })
  })

  it('read topics by a pattern as a member of a group, each record once', async () => {
    const consume = (count: number) => `consume --group patterns --include 'p-.*' --from-beginning --max-messages ${count}`
    const { stdout, code } = await shell(`echo 1 | produce --topic p-1; echo 2 | produce --topic p-2; ${consume(2)} | sort; echo 3 | produce --topic p-1; ${consume(1)}`)
    expect({ stdout, code }).toEqual({ stdout: '1\n2\n3\n', code: 0 })
  })

  it('says so when nobody reads its output any more', async () => {
    const { stdout, stderr } = await shell('seq 300000 | produce --topic many; { consume --topic many --from-beginning; echo "-> $?" >&2; } | head -n 1')
    expect(stdout).toBe('1\n')
    expect(stderr).toMatch(/\nUnable to write to standard out, closing consumer\.\nProcessed a total of \d+ messages\n-> 0\n$/)
  })

  it.each([['INT', 130], ['TERM', 143]])('ends at SIG%s with its summary and exit code', async (signal, expected) => {
    const { stderr, code } = await shell(
      `echo x | produce --topic ended-${signal}; '${process.execPath}' kafka-console-consumer --bootstrap-server ${address} --topic ended-${signal} --from-beginning --enable-systest-events > ${signal} & ` +
        `until grep -q x ${signal}; do sleep 0.05; done; kill -${signal} $!; wait $!`,
    )
    expect(stderr).toMatch(/\nProcessed a total of 1 messages\n$/)
    expect(readFileSync(file(signal), 'utf8')).toBe('x\nshutdown_complete\n')
    expect(code).toBe(expected)
  }) // prettier-ignore

  it('prompts where somebody types, and only there', async () => {
    const line = `'${process.execPath}' '${file('kafka-console-producer')}' --bootstrap-server ${address} --topic typed`
    const typed = await sandbox.terminal(line, { at: '>', keys: 'one\r\x04' })
    expect(typed.stdout).toMatch(/^>(one\r\n)?>/)
    const { stdout } = await shell('echo two | produce --topic typed')
    expect(stdout).toBe('')
  })

  it('go on after a line that can\'t be sent, and stop at one that can\'t be cut', async () => {
    const broken = await shell("printf 'a:1\\nb\\nc:3\\n' | produce --topic cut --reader-property parse.key=true --reader-property key.separator=:")
    expect(broken).toMatchObject({ code: 1, stderr: "org.apache.kafka.common.KafkaException: No key separator found on line number 2: 'b'\n" })
    const late = await shell("{ head -c 2000000 /dev/zero | tr '\\0' x; echo; echo fits; } | produce --topic late; consume --topic late --from-beginning --max-messages 1")
    expect(late.stderr).toMatch(/ERROR Error when sending message to topic late with key: null, value: 2000000 bytes with error: /)
    expect(late.stdout).toBe('fits\n')
  })
})
