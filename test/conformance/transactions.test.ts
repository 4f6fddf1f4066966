// Transactions beside Apache's: the same raw requests answered the same, records in the state log of the same shape, and
// foreign transactional clients against our daemon, also when it is killed in between.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startApache } from './support/apache.ts'
import { ktoolEnv, startBroker } from './support/broker.ts'
import { kafkaTool, tryPeer } from './support/peers.ts'
import { transactionAnswers } from './support/transaction-answers.ts'

const hasApache = tryPeer('Apache Kafka', () => kafkaTool('kafka-topics')) !== undefined

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ktool-transactions-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function ourBroker(directory: string, ...args: string[]) {
  const broker = await startBroker(['--data-dir', join(directory, 'data'), ...args], ktoolEnv(directory))
  onTestFinished(() => broker.stop('SIGKILL'))
  return broker
}

async function apacheBroker(directory: string, ...properties: string[]) {
  const broker = await startApache({ directory, properties: ['transaction.state.log.num.partitions=4', ...properties] })
  onTestFinished(() => broker.stop())
  return broker
}

test.skipIf(!hasApache)('the same requests get the same answers', async () => {
  const ours = await ourBroker(temporaryDirectory())
  const answers = await transactionAnswers(ours.address)
  await ours.stop()
  const apache = await apacheBroker(temporaryDirectory())
  expect(answers).toEqual(await transactionAnswers(apache.address))
  await apache.stop()
})
