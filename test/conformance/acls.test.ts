// Access control as Apache's own tools see it: kafka-acls against ours and against Apache Kafka, equal word for word; its
// console tools refused and allowed on both with the same messages; and rules that go with the directory to Apache and back.
//
// First without logins: everybody is User:ANONYMOUS, Apache's broker included, so what has no rule is free for all
// (allow.everyone.if.no.acl.found), and the first rule about a topic closes it. Then with users of SASL PLAIN.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ApacheBroker, freePorts, startApache } from './support/apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkaTool, output, tryPeer } from './support/peers.ts'
import { expectSame, play, type Step } from './support/transcript.ts'

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-acls')) !== undefined
const AUTHORIZER = 'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer'
const PROPERTIES = [AUTHORIZER, 'allow.everyone.if.no.acl.found=true']
const SETTLE_MS = 200
const directory = mkdtempSync(join(tmpdir(), 'ktool-acls-'))
let ours: OurBroker | undefined
let theirs: ApacheBroker | undefined

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function startOurs(data: string, properties = PROPERTIES): Promise<OurBroker> {
  return startBroker(['--data-dir', data, ...properties.flatMap((line) => ['--property', line])], ktoolEnv(directory))
}

async function stopBoth(): Promise<void> {
  await ours?.stop()
  await theirs?.stop()
}

function tool(name: Parameters<typeof kafkaTool>[0], args: string, input?: string): Step {
  const at = ['--bootstrap-server', 'ADDRESS', ...(name === 'kafka-console-producer' ? ['--request-timeout-ms', '5000'] : [])]
  return { name: `${name} ${args}`, peer: kafkaTool(name), args: [...at, ...args.split(' ')], input, mask: told }
}

const acls = (args: string) => tool('kafka-acls', args)
const produce = (topic: string) => tool('kafka-console-producer', `--topic ${topic}`, 'hello\n')
const consume = (topic: string, group: string) => {
  return tool('kafka-console-consumer', `--topic ${topic} --group ${group} --from-beginning --max-messages 1 --timeout-ms 20000`)
}

// Java's producer says so when it is closed before it has a producer id, or not.
const PERHAPS = /^.*(while aborting transaction when during closing|Transactional method invoked on a non-transactional).*\n/gm

/** Each line once, in no order: rules come out of hash maps (a space stands before the first), and warnings as often as a client tries. */
function told(text: string): string {
  const same = text
    .replaceAll(PERHAPS, '')
    .replaceAll(/correlation id \d+/g, 'correlation id N')
    .replaceAll(/-[0-9a-f-]{36}/g, '-ID')
    .replaceAll(/^ (?=\t)/gm, '')
    .replaceAll(/Request Request\(.*?\) needs/g, 'Request needs')
  return [...new Set(same.split('\n').map((line) => line.trimEnd()))].sort().join('\n')
}

function same(...steps: Step[]): void {
  expectSame(play(steps, ours?.address ?? ''), play(steps, theirs?.address ?? '', SETTLE_MS))
}

describe.skipIf(!isThere)('the same on both, without logins', () => {
  beforeAll(async () => {
    ours = await startOurs(join(directory, 'ours'))
    theirs = await startApache({ directory: join(directory, 'apache'), properties: PROPERTIES })
  })
  afterAll(stopBoth)

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
      // Apache's broker is ANONYMOUS, too: without this the denial at the end would fence it.
      acls('--add --allow-principal User:ANONYMOUS --operation All --cluster'),
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

describe.skipIf(!isThere)('the same on both, for users', () => {
  const [oursAt, theirsAt] = ['ours', 'theirs'].map((name) => ({ name, address: '' }))
  beforeAll(async () => {
    const [ourPort, theirPort] = await freePorts(2)
    const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
    const properties = [
      AUTHORIZER,
      'super.users=User:root;User:ANONYMOUS',
      'sasl.enabled.mechanisms=PLAIN',
      `listener.name.sasl_plaintext.plain.sasl.jaas.config=${login} user_root="r" user_ann="a" user_bob="b";`,
    ]
    for (const user of ['root', 'ann', 'bob']) {
      const jaas = `${login} username="${user}" password="${user[0]}";`
      const lines = ['security.protocol=SASL_PLAINTEXT', 'sasl.mechanism=PLAIN', `sasl.jaas.config=${jaas}`]
      writeFileSync(join(directory, `${user}.properties`), lines.join('\n'))
    }
    const listeners = `listeners=PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:${ourPort}`
    ours = await startOurs(join(directory, 'ours-users'), [...properties, listeners])
    theirs = await startApache({ directory: join(directory, 'apache-users'), listeners: { SASL_PLAINTEXT: theirPort }, properties })
    oursAt.address = `127.0.0.1:${ourPort}`
    theirsAt.address = `127.0.0.1:${theirPort}`
  })
  afterAll(stopBoth)

  const as = (user: string, { name, args, ...step }: Step): Step => {
    return { ...step, name: `${user}: ${name}`, args: [...args, '--command-config', join(directory, `${user}.properties`)] }
  }
  const users = (...steps: Step[]) => expectSame(play(steps, oursAt.address), play(steps, theirsAt.address, SETTLE_MS))

  test('what one may do, the other may not', () => {
    users(
      as('root', tool('kafka-topics', '--create --topic mine')),
      as('ann', produce('mine')),
      as('ann', acls('--list')),
      as('ann', tool('kafka-topics', '--create --topic hers')),
      as('root', acls('--add --allow-principal User:ann --operation All --topic mi --resource-pattern-type prefixed')),
      as('root', acls('--add --allow-principal User:* --deny-principal User:bob --operation Read --group *')),
      as('ann', produce('mine')),
      as('ann', consume('mine', 'hers')),
      as('ann', tool('kafka-topics', '--create --topic mixed')),
      as('ann', tool('kafka-topics', '--describe --topic mine')),
      as('bob', tool('kafka-topics', '--list')),
      as('bob', consume('mine', 'his')),
      as('root', acls('--add --allow-principal User:bob --operation Read --topic mine')),
      as('bob', consume('mine', 'his')),
      as('bob', tool('kafka-configs', '--alter --entity-type topics --entity-name mine --add-config retention.ms=1')),
      as('ann', tool('kafka-topics', '--delete --topic mixed')),
      as('root', acls('--list')),
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
