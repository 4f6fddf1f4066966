// Access control as Apache's own tools see it: kafka-acls against ours and against Apache Kafka, equal word for word; its
// console tools refused and allowed on both with the same messages; and rules that go with the directory to Apache and back.
//
// All listeners are PLAINTEXT here, so that everybody is User:ANONYMOUS, Apache's broker included: what has no rule is
// free for all (allow.everyone.if.no.acl.found), and the first rule about a topic closes it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ApacheBroker, startApache } from './support/apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkaTool, output, tryPeer } from './support/peers.ts'
import { expectSame, play, type Step } from './support/transcript.ts'

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-acls')) !== undefined
const PROPERTIES = [
  'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found=true',
]
const SETTLE_MS = 200
const directory = mkdtempSync(join(tmpdir(), 'ktool-acls-'))
let ours: OurBroker | undefined
let theirs: ApacheBroker | undefined

beforeAll(async () => {
  if (!isThere) return
  ours = await startOurs(join(directory, 'ours'))
  theirs = await startApache({ directory: join(directory, 'apache'), properties: PROPERTIES })
})

afterAll(async () => {
  await ours?.stop()
  await theirs?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function startOurs(data: string): Promise<OurBroker> {
  return startBroker(['--data-dir', data, ...PROPERTIES.flatMap((line) => ['--property', line])], ktoolEnv(directory))
}

function tool(name: Parameters<typeof kafkaTool>[0], args: string, input?: string): Step {
  const given = args === '' ? [] : args.split(' ')
  const at = name === 'kafka-console-producer' ? ['--bootstrap-server', 'ADDRESS', '--request-timeout-ms', '5000'] : ['--bootstrap-server', 'ADDRESS']
  return { name: `${name} ${args}`, peer: kafkaTool(name), args: [...at, ...given], input, mask: told }
}

const acls = (args: string) => tool('kafka-acls', args)
const produce = (topic: string) => tool('kafka-console-producer', `--topic ${topic}`, 'hello\n')
const consume = (topic: string, group: string) => {
  return tool('kafka-console-consumer', `--topic ${topic} --group ${group} --from-beginning --max-messages 1 --timeout-ms 20000`)
}

/** Each line once, in no order: rules come out of hash maps, and warnings as often as a client tries. */
function told(text: string): string {
  const same = text
    .replaceAll(/correlation id \d+/g, 'correlation id N')
    .replaceAll(/-[0-9a-f-]{36}/g, '-ID')
    .replaceAll(/Request Request\(.*?\) needs/g, 'Request needs')
  return [...new Set(same.split('\n').map((line) => line.trimEnd()))].sort().join('\n')
}

function same(...steps: Step[]): void {
  expectSame(play(steps, ours?.address ?? ''), play(steps, theirs?.address ?? '', SETTLE_MS))
}

describe.skipIf(!isThere)('the same on both', () => {
  test('rules come and go', () => {
    same(
      acls('--list'),
      acls('--add --allow-principal User:ANONYMOUS --operation All --cluster'),
      acls('--add --allow-principal User:ann --producer --topic mine --idempotent'),
      acls('--add --allow-principal User:ann --allow-host 10.0.0.1 --consumer --topic mine --group team'),
      acls('--add --allow-principal User:ann --producer --transactional-id tx --topic mi --resource-pattern-type prefixed'),
      acls('--add --deny-principal User:bob --deny-host 10.0.0.2 --operation Read --operation Describe --topic * --group team'),
      acls('--add --allow-principal User:ann --operation Read --topic mine'),
      acls('--add --allow-principal ann --operation Read --topic mine'),
      acls('--list --topic mine'),
      acls('--list --topic mine --resource-pattern-type match'),
      acls('--list --topic mi --resource-pattern-type prefixed'),
      acls('--list --principal User:bob'),
      acls('--remove --force --consumer --topic mine --group team --allow-principal User:ann --allow-host 10.0.0.1'),
      acls('--remove --force --topic mine --resource-pattern-type any'),
      acls('--remove --force --topic nothing'),
      acls('--list'),
    )
  })

  test('tools are refused, and let in', () => {
    same(
      tool('kafka-topics', '--create --topic secret'),
      tool('kafka-topics', '--create --topic open'),
      acls('--add --allow-principal User:ann --producer --topic secret'),
      acls('--add --allow-principal User:ann --consumer --topic secret --group readers'),
      produce('secret'),
      consume('secret', 'readers'),
      tool('kafka-topics', '--list'),
      tool('kafka-topics', '--describe --topic secret'),
      tool('kafka-topics', '--delete --topic secret'),
      tool('kafka-configs', '--alter --entity-type topics --entity-name secret --add-config retention.ms=1000'),
      tool('kafka-get-offsets', '--topic secret'),
      acls('--add --allow-principal User:ANONYMOUS --producer --topic secret'),
      produce('secret'),
      consume('secret', 'readers'),
      acls('--add --allow-principal User:ANONYMOUS --consumer --topic secret --group readers'),
      consume('secret', 'readers'),
      tool('kafka-consumer-groups', '--describe --group readers --offsets'),
      tool('kafka-consumer-groups', '--delete --group readers'),
      acls('--add --deny-principal User:ANONYMOUS --deny-host 127.0.0.1 --operation Read --topic sec --resource-pattern-type prefixed'),
      consume('secret', 'readers'),
      tool('kafka-topics', '--list'),
      acls('--add --deny-principal User:ANONYMOUS --operation Describe --cluster'),
      tool('kafka-log-dirs', '--describe'),
      acls('--list'),
    )
  })
})

test.skipIf(!isThere)('rules go with the directory to Apache Kafka, and back', async () => {
  const home = mkdtempSync(join(tmpdir(), 'ktool-acls-moved-'))
  let life: { readonly address: string; stop(signal?: NodeJS.Signals): Promise<void> } | undefined
  onTestFinished(async () => {
    await life?.stop('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  })
  const list = () => told(output(kafkaTool('kafka-acls'), ['--bootstrap-server', life?.address ?? '', '--list']))
  const change = (...args: string[]) => output(kafkaTool('kafka-acls'), ['--bootstrap-server', life?.address ?? '', ...args])

  life = await startOurs(join(home, 'data'))
  change('--add', '--allow-principal', 'User:ANONYMOUS', '--operation', 'All', '--cluster')
  change('--add', '--allow-principal', 'User:ann', '--producer', '--topic', 'orders')
  change('--add', '--deny-principal', 'User:bob', '--operation', 'Read', '--topic', 'ord', '--resource-pattern-type', 'prefixed')
  const made = list()
  expect(made).toContain('principal=User:bob, host=*, operation=READ, permissionType=DENY')
  await life.stop()

  life = await startApache({ directory: home, properties: PROPERTIES })
  expect(list()).toBe(made)
  change('--remove', '--force', '--topic', 'ord', '--resource-pattern-type', 'prefixed')
  change('--add', '--allow-principal', 'User:cid', '--operation', 'Read', '--group', 'team')
  const changed = list()
  expect(changed).not.toContain('User:bob')
  await life.stop()

  life = await startOurs(join(home, 'data'))
  expect(list()).toBe(changed)
})
