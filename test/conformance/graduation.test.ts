// Graduation: our broker is stopped, Apache Kafka is started on the very same directory; every topic, config and record is
// there, and it takes more. Then back to ours, the same; and once more Apache. Five topics, a codec each; after a clean
// stop, after kill -9, and from a metadata snapshot of ours whose log has lost its beginning.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startApache } from './support/apache.ts'
import { ktoolEnv, startBroker } from './support/broker.ts'
import { ALL_CODECS } from './support/foreign-records.ts'
import { kafkaTool, kcat, output, tryPeer } from './support/peers.ts'

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-topics')) !== undefined && tryPeer('kcat', kcat) !== undefined
const TOPICS = ALL_CODECS.map((codec) => `graduate-${codec}`)
const PARTITIONS = 2
const ROUND = 500 // records a topic gets in each life

interface Life {
  readonly name: string
  readonly address: string
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** All that a user could see of the cluster, records with their offsets and timestamps. */
function everything(address: string): Record<string, string> {
  const server = ['--bootstrap-server', address]
  const seen: Record<string, string> = {
    topics: sorted(output(kafkaTool('kafka-topics'), [...server, '--describe'])),
    configs: sorted(output(kafkaTool('kafka-configs'), [...server, '--describe', '--entity-type', 'topics'])),
    brokerDefaults: sorted(output(kafkaTool('kafka-configs'), [...server, '--describe', '--entity-type', 'brokers', '--entity-default'])),
  }
  for (const topic of TOPICS) {
    const format = '%p %o %T %k=%s %h\n'
    seen[topic] = sorted(output(kcat(), ['-C', '-b', address, '-t', topic, '-e', '-q', '-f', format, '-X', 'check.crcs=true']))
  }
  return seen
}

function sorted(text: string): string {
  return text.split('\n').sort().join('\n')
}

function write(address: string, round: number): void {
  for (const [index, topic] of TOPICS.entries()) {
    const lines = Array.from({ length: ROUND }, (_, n) => `key ${n % 50}\tround ${round} value ${n}\n`).join('')
    const args = ['-P', '-b', address, '-t', topic, '-z', ALL_CODECS[index], '-K', '\t', '-H', `round=${round}`, '-X', 'enable.idempotence=true']
    output(kcat(), args, { input: lines })
  }
}

function createTopics(address: string): void {
  const server = ['--bootstrap-server', address]
  for (const topic of TOPICS) {
    output(kafkaTool('kafka-topics'), [...server, '--create', '--topic', topic, '--partitions', String(PARTITIONS), '--config', 'retention.ms=86400000'])
  }
  const alter = ['--alter', '--entity-type', 'topics', '--entity-name', TOPICS[0], '--add-config', 'segment.bytes=1048576,cleanup.policy=[compact,delete]']
  output(kafkaTool('kafka-configs'), [...server, ...alter])
  output(kafkaTool('kafka-configs'), [...server, '--alter', '--entity-type', 'brokers', '--entity-default', '--add-config', 'log.cleaner.threads=2'])
}

const scenarios: { name: string; signal: NodeJS.Signals; args: string[] }[] = [
  { name: 'after a clean stop', signal: 'SIGTERM', args: [] },
  { name: 'after kill -9', signal: 'SIGKILL', args: [] },
  { name: 'from a snapshot', signal: 'SIGTERM', args: ['--property', 'metadata.log.max.record.bytes.between.snapshots=1000'] },
]

describe.skipIf(!isThere)('Apache Kafka goes on where our broker stopped, and back', () => {
  test.each(scenarios)('$name', async ({ signal, args }) => {
    const directory = mkdtempSync(join(tmpdir(), 'ktool-graduation-'))
    let life: Life | undefined
    onTestFinished(async () => {
      await life?.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    })
    const data = join(directory, 'data')
    const ours = async (): Promise<Life> => {
      return { name: 'ours', ...(await startBroker(['--data-dir', data, ...args], ktoolEnv(directory))) }
    }
    const apache = async (): Promise<Life> => ({ name: 'Apache', ...(await startApache({ directory })) })

    life = await ours()
    createTopics(life.address)
    write(life.address, 0)
    for (const [round, next] of [apache, ours, apache].entries()) {
      const before = everything(life.address)
      expect(before[TOPICS[0]].split('\n').filter((line) => line !== '').length).toBe(ROUND * (round + 1))
      await life.stop(life.name === 'ours' ? signal : 'SIGTERM')
      if (round === 0 && args.length > 0) {
        const names = readdirSync(join(data, '__cluster_metadata-0'))
        expect(names.filter((name) => name.endsWith('.checkpoint')).length).toBe(1)
      }
      life = await next()
      expect({ life: life.name, ...everything(life.address) }).toEqual({ life: life.name, ...before })
      write(life.address, round + 1)
      const log = join(directory, 'server.log')
      if (life.name === 'Apache') expect(readFileSync(log, 'utf8')).not.toMatch(/ ERROR /)
    }
    await life.stop('SIGTERM')
  })
})
