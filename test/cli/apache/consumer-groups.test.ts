// What the faces of groups and offsets say before they ask a broker; the rest is in test/conformance/tools.

import { expect, test } from 'vitest'
import { face as consumerGroups } from '../../../commands/kafka/kafka-consumer-groups.ts'
import { face as getOffsets } from '../../../commands/kafka/kafka-get-offsets.ts'
import { face as groups } from '../../../commands/kafka/kafka-groups.ts'
import { type Face, type FaceIo, runFace } from '../../../src/cli/apache/face.ts'

async function run(face: Face, ...argv: readonly string[]) {
  const said = { stdout: '', stderr: '' }
  const io = { out: (text: string) => void (said.stdout += text), err: (text: string) => void (said.stderr += text), env: {} } as unknown as FaceIo
  const code = await runFace(face, argv, io)
  return { code, stdout: said.stdout, first: said.stderr.split('\n')[0] }
}

const SERVER = ['--bootstrap-server', '127.0.0.1:1']

test.each([
  ['orders.*', 'valid'],
  ['or[ders', 'invalid: missing closing ]'],
  ['(?=ahead)', 'invalid: invalid or unsupported Perl syntax'],
  ['\\1', 'invalid: invalid escape sequence'],
])('--validate-regex %s', async (regex, opinion) => {
  expect(await run(consumerGroups, '--validate-regex', regex)).toEqual({ code: 0, stdout: `The regular expression \`${regex}\` is ${opinion}.\n`, first: '' })
})

test.each([
  [['--list'], 'Missing required argument "[bootstrap-server]"'],
  [[...SERVER, '--list', '--describe'], 'Option [describe] takes one of these options: [group], [all-groups]'],
  [[...SERVER, '--reset-offsets', '--group', 'g', '--dry-run', '--to-latest', '--to-earliest'], `Option "[to-earliest]" can't be used with option "[to-latest]"`],
  [[...SERVER, '--list', '--members'], 'Exception in thread "main" joptsimple.UnavailableOptionException: Option(s) [members] are unavailable given other options on the command line'],
  [['--zookeeper', 'far.example.com:2181', '--list'], 'Exception in thread "main" java.lang.IllegalArgumentException: --zookeeper far.example.com:2181: Kafka has no ZooKeeper any more; name a broker with --bootstrap-server HOST:PORT'],
])('kafka-consumer-groups %j', async (argv, first) => {
  expect(await run(consumerGroups, ...argv)).toEqual({ code: 1, stdout: '', first })
})

test('a failure behind the checks is printed, and the exit code stays 0', async () => {
  const { code, stdout } = await run(consumerGroups, ...SERVER, '--list', '--timeout', 'soon')
  expect([code, stdout]).toEqual([0, "\nError: Executing consumer group command failed due to Cannot parse argument 'soon' of option timeout\n"])
})

test.each([
  [['--topic', 'orders'], 'Missing required argument "[bootstrap-server]"'],
  [['--broker-list', 'nonsense'], 'Please provide valid host:port like host1:9091,host2:9092'],
  [[...SERVER, '--topic', 'orders', '--topic-partitions', 'orders:0'], 'Error occurred: --topic-partitions cannot be used with --topic or --partitions'],
  [[...SERVER, '--topic-partitions', 'orders:x'], 'Error occurred: org.apache.kafka.tools.TerseException: Invalid rule specification: orders:x'],
])('kafka-get-offsets %j', async (argv, first) => {
  expect(await run(getOffsets, ...argv)).toEqual({ code: 1, stdout: '', first })
})

test.each([
  [[], 'Missing required option(s) [bootstrap-server]'],
  [SERVER, 'Command must include exactly one action: --list.'],
  [[...SERVER, '--list', '--group-type', 'x'], '--group-type must be a valid group type.'],
])('kafka-groups %j', async (argv, first) => {
  expect(await run(groups, ...argv)).toEqual({ code: 1, stdout: '', first })
})
