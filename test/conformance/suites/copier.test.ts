// Apache's TransactionalMessageCopier (consume, produce, offsets into the transaction, a third of the transactions aborted)
// on our broker, which is killed again and again while a transaction is open: what a reader of committed records gets from
// each partition of the output is the input, in order, once. With the newest Java client and with one of the first protocol.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { kafkajs } from '../support/foreign-records.ts'
import { MortalBroker, openTransactions, SCALE } from '../support/mortal-broker.ts'
import { java, kcat, oldJava, output, type Peer, tryPeer } from '../support/peers.ts'
import { start, until } from '../support/program.ts'

const PARTITIONS = 4
const TRANSACTION = 200 // records
const MINUTE = 60_000
const COPIER = 'org.apache.kafka.tools.TransactionalMessageCopier'
const hasKcat = tryPeer('kcat', kcat) !== undefined

const clients: { name: string; peer: Peer | undefined }[] = [
  { name: 'kafka-clients 4.3', peer: tryPeer('Apache Kafka', java) },
  { name: 'kafka-clients 3.9', peer: tryPeer("Apache Kafka's older tools", oldJava) },
]

describe.skipIf(!hasKcat)('the transactional copier', () => {
  test.each(clients.filter(({ peer }) => peer !== undefined))('with $name', { timeout: 30 * MINUTE }, async ({ name, peer }) => {
    const directory = mkdtempSync(join(tmpdir(), 'ktool-copier-'))
    const broker = await MortalBroker.start(directory)
    onTestFinished(async () => {
      await broker.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    })
    await createTopics(broker.address)
    const inputs = Array.from({ length: PARTITIONS }, (_, partition) => write(broker.address, partition))

    const began = Date.now()
    const copier = start(peer ?? ['java'], [
      COPIER, '--broker-list', broker.address, '--input-topic', 'in', '--input-partition', '-1', '--output-topic', 'out',
      '--consumer-group', 'copiers', '--transactional-id', 'copier', '--transaction-size', String(TRANSACTION),
      '--group-mode', '--use-group-metadata', '--enable-random-aborts',
    ]) // prettier-ignore
    onTestFinished(() => copier.stop('SIGKILL'))
    const copied = () => (JSON.parse(copier.lines.at(-1) ?? '{"totalProcessed":0}') as { totalProcessed: number }).totalProcessed
    const phases = new Map<string, number>()
    for (let kill = 1; kill <= SCALE.kills; kill++) {
      await until(`kill ${kill}`, [copier], 5 * MINUTE, () => copied() >= (SCALE.records / (SCALE.kills + 1)) * kill)
      const phase = await broker.killWhile(() => openTransactions(broker.data).get('copier'))
      phases.set(phase, (phases.get(phase) ?? 0) + 1)
      await broker.start()
    }
    await until('the end', [copier], 10 * MINUTE, () => copier.ended() !== undefined)
    const seconds = Math.round((Date.now() - began) / 1000)

    const outputs = inputs.map((_, partition) => read(broker.address, partition))
    expect(outputs.map(({ length }) => length)).toEqual(inputs.map(({ length }) => length))
    expect(outputs.every((text, partition) => text === inputs[partition])).toBe(true)
    // A reader of everything gets the aborted ones too: they were there to be kept from the other.
    const all = inputs.map((_, partition) => read(broker.address, partition, 'read_uncommitted'))
    expect(all.join('').length).toBeGreaterThan(inputs.join('').length)
    expect(openTransactions(broker.data)).toEqual(new Map())
    broker.expectHealthy()
    const kills = [...phases].map(([phase, count]) => `${count} in ${phase}`).join(', ')
    console.log(`copier, ${name}: ${SCALE.records} records in ${seconds} s; ${broker.kills} kills: ${kills}`)
  })
})

async function createTopics(address: string): Promise<void> {
  const admin = kafkajs(address).admin()
  await admin.connect()
  await admin.createTopics({ topics: ['in', 'out'].map((topic) => ({ topic, numPartitions: PARTITIONS })), waitForLeaders: true })
  await admin.disconnect()
}

/** Fills one partition with its share of the records; what a reader of it should get. */
function write(address: string, partition: number): string {
  const lines = Array.from({ length: SCALE.records / PARTITIONS }, (_, at) => `${at % 100}\t${partition}-${at}\n`).join('')
  output(kcat(), ['-P', '-b', address, '-t', 'in', '-p', String(partition), '-K', '\t', '-X', 'enable.idempotence=true'], { input: lines })
  return lines
}

function read(address: string, partition: number, isolation = 'read_committed'): string {
  const args = ['-C', '-b', address, '-t', 'out', '-p', String(partition), '-o', 'beginning', '-e', '-q', '-f', '%k\t%s\n']
  return output(kcat(), [...args, '-X', `isolation.level=${isolation}`, '-X', 'check.crcs=true'])
}
