// franz-go's tests of its broker in Go (pkg/kfake), which are tests of Kafka's behaviour, on brokers of ours: each test
// starts one. Two suites: kafka_tests (Kafka's client integration tests, derived) and kfake (all others).
// The copy of their module is changed before it is compiled: each method of their cluster asks kfake/ktool.go first.

import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { ktool, ktoolEnv } from '../support/broker.ts'
import { output } from '../support/peers.ts'
import { complaintsIn, type Place, type Results, testSuite } from '../support/suite.ts'
import { franzGo, GO_ENV, runGoTests } from './franz-go.ts'

const VERSION = 'v0.0.0-20260918054303-01f206a7e32c'
const CLIENT_VERSION = 'v1.22.2'
const MINUTE = 60_000
const OURS = new URL('kfake/ktool.go', import.meta.url).pathname

const HERE = new URL(import.meta.url).pathname
const VERSION_OF_CHANGE = [HERE, OURS].reduce((hash, file) => hash.update(readFileSync(file)), createHash('sha256')).digest('hex').slice(0, 12)

/** Methods of their cluster that a broker in another process can answer, as statements; every other one is a hook. */
const ANSWERED: Readonly<Record<string, string>> = {
  ListenAddrs: 'return c.ktool.listenAddrs()',
  Close: 'c.ktool.close(); return',
  TopicInfo: 'return c.ktool.topicInfo(topic)',
  TopicIDInfo: 'return c.ktool.topicIDInfo(id)',
  PartitionInfo: 'return c.ktool.partitionInfo(topic, partition)',
  PartitionInfos: 'return c.ktool.partitionInfos(topic)',
  GroupInfo: 'return c.ktool.groupInfo(group)',
  SetGroupConfigs: 'c.ktool.setGroupConfigs(group, configs); return',
  LeaderFor: 'return c.ktool.leaderFor(topic, partition)',
  CoordinatorFor: 'return c.ktool.coordinatorFor(key)',
  CreateTopic: 'return c.ktool.createTopic(topic, partitions, configs)',
  DeleteTopic: 'return c.ktool.deleteTopic(topic)',
  DeleteRecords: 'return c.ktool.deleteRecords(topic, partition, offset)',
}
/** What a test reads that only a broker of theirs has: its fields, its files, its file system in memory. */
const INSIDE = new RegExp(
  [
    String.raw`\bc\d?\.(?:data|pids|groups|cfg|fs|bs|storageDir|pushBatch|trimLeft|persist\w+|readBatch\w+|rebuildSegments|compact)\b`,
    String.raw`\bnewMemFS\b|snapshot\.json|groups\.log|pids\.log|session_state|"partitions"|\.sasls\b`,
  ].join('|'),
)
/** Share groups (KIP-932) are not part of this broker. */
const SHARE_GROUPS = /Share/

/** Made of the others. */
const LEFT_ALONE = new Set(['WaitGroupStable', 'WaitGroupInfo'])

function change(module: string): void {
  for (const file of readdirSync(module, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.go'))) {
    const path = join(module, file)
    const text = readFileSync(path, 'utf8')
    if (file === 'synthetic_test.go' || file === 'stream_compress_test.go') continue // benchmarks, and canned answers
    if (file.endsWith('_test.go')) writeFileSync(path, withoutInsiders(text).replaceAll(/(?<!func )\bNewCluster\(/g, 'NewKtoolCluster(t, '))
    else writeFileSync(path, withoutHooks(text).replace(/^\tCluster struct \{$/m, '$&\n\t\tktool *ktoolCluster'))
  }
  cpSync(OURS, join(module, 'ktool.go'))
  // Their module is tested beside its client's newest state, not with the one it names.
  output(['go'], ['get', `github.com/twmb/franz-go@${CLIENT_VERSION}`], { cwd: module, env: GO_ENV })
}

/** Tests that use a broker of theirs but by its clients are skipped, and say so. */
function withoutInsiders(text: string): string {
  return text.replaceAll(/^func Test\w+\(t \*testing\.T\) \{\n(?:.*\n)*?\}$/gm, (whole: string) => {
    const reason = SHARE_GROUPS.test(whole) ? 'share groups' : INSIDE.test(whole) ? 'the inside of the broker' : undefined
    return reason === undefined ? whole : whole.replace('{', `{\n\tktoolSkip(t, "${reason}")`)
  })
}

/** Exported methods, and `admin`, through which tests reach what is inside. */
function withoutHooks(text: string): string {
  return text.replaceAll(/^func \(c \*Cluster\) ([A-Z]\w*|admin)\(.*\{$/gm, (line, name: string) => {
    if (LEFT_ALONE.has(name)) return line
    return `${line}\n\tif c.ktool != nil {\n\t\t${ANSWERED[name] ?? `c.ktool.hook("${name}")`}\n\t}`
  })
}

for (const [name, path] of [['kfake', ''], ['kafka_tests', 'kafka_tests']]) {
  testSuite({
    name,
    home: () => franzGo('github.com/twmb/franz-go/pkg/kfake', VERSION, path, { version: VERSION_OF_CHANGE, apply: change }),
    limitMs: 20 * MINUTE,
    run,
  })
}

async function run(home: string, place: Place): Promise<Results> {
  const logs = join(place.directory, 'brokers')
  await mkdir(logs, { recursive: true })
  const command = [...ktool(), 'broker', 'run'].join('\n')
  const given = { KTOOL_KFAKE_ADDRESS: place.address, ...(place.hasBroker ? {} : { KTOOL_KFAKE_NOBODY: '1' }) }
  const isGiven = !place.hasBroker || process.env.KTOOL_SUITE_ADDRESS !== undefined
  const env = { ...ktoolEnv(place.directory), ...(isGiven ? given : { KTOOL_KFAKE_COMMAND: command }), KTOOL_KFAKE_LOGS: logs }
  const results = await runGoTests(home, place, env, 90_000, 'each by itself')
  // A test that wants a hook even in one of its parts is none of those that this suite is about.
  const wantsHook = (name: string) => readFileSync(join(place.directory, `${name}.log`), 'utf8').includes('needs a hook: ')
  const judged = new Map([...results].map(([name, outcome]) => [name, wantsHook(name) ? 'skipped' : outcome]))
  const said = readdirSync(logs).map((file) => readFileSync(join(logs, file), 'utf8'))
  const peak = Math.max(...said.flatMap((text) => [...text.matchAll(/^peak (\d+) kB$/gm)].map(([, kilobytes]) => Number(kilobytes))))
  if (!isGiven) console.log(`${said.length} brokers, the largest with ${Math.round(peak / 1024)} MB`)
  expect(complaintsIn(said.join('')), "in the brokers' logs").toEqual([])
  return judged
}
