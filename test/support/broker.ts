// A broker in this process for a test: on a free port, on a directory of its own, gone when the test is over.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createLogger } from '../../src/base/logger.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../src/broker/broker.ts'
import { createMissingTopics } from '../../src/broker/startup-topics.ts'
import { RawClient } from './raw-client.ts'

export interface TestBroker {
  readonly broker: Broker
  readonly port: number
  /** What it logged. */
  readonly lines: string[]
  /** A new connection, closed with the test. */
  readonly connect: () => Promise<RawClient>
  readonly topicId: (name: string) => string
}

export type TestBrokerOptions = Omit<BrokerOptions, 'properties' | 'logger'> & {
  /** Kafka's names; listeners and log.dirs have defaults. */
  readonly properties?: Readonly<Record<string, string>>
  /** NAME or NAME:PARTITIONS */
  readonly topics?: readonly string[]
}

/** A directory that goes with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ktool-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export async function testBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { properties = {}, topics = [], ...rest } = options
  const lines: string[] = []
  const directory = properties['log.dirs'] ?? (options.disk === undefined ? temporaryDirectory() : '/data')
  const broker = await startBroker({
    ...rest,
    properties: new Map(Object.entries({ listeners: 'PLAINTEXT://127.0.0.1:0', ...properties, 'log.dirs': directory })),
    logger: createLogger((line) => lines.push(line), () => 0, 'debug'),
  })
  onTestFinished(() => broker.stop().catch(() => undefined))
  await createMissingTopics(
    broker,
    topics.map((topic) => {
      const [name, partitions = ''] = topic.split(':')
      return { name, partitions: partitions === '' ? undefined : Number(partitions) }
    }),
  )
  const [{ port }] = broker.listeners
  return {
    broker,
    port,
    lines,
    async connect() {
      const client = await RawClient.open(port)
      onTestFinished(() => client.close())
      return client
    },
    topicId: (name) => broker.metadata.image.topic(name)?.id ?? '',
  }
}
