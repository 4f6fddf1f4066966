// Kafka Connect on our broker: file source, topic, file sink, with the broker and the worker killed in the middle. What is
// stopped orderly, or outlives the broker, gives equal files. A worker that is killed may repeat lines, as Connect says, and
// loses none; with exactly-once sources (distributed mode) the topic repeats none, and a sink that reads it gives an equal file.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../support/apache.ts'
import { kafkajs } from '../support/foreign-records.ts'
import { MortalBroker, openTransactions, SCALE } from '../support/mortal-broker.ts'
import { java, kcat, output, tryPeer } from '../support/peers.ts'
import { type Program, start, until } from '../support/program.ts'

const CLI = 'org.apache.kafka.connect.cli'
const MINUTE = 60_000
const PORTIONS = 4
const peer = tryPeer('Apache Kafka', java)
const isThere = peer !== undefined && tryPeer('kcat', kcat) !== undefined

/** Files, a broker, and one worker at a time. */
class Pipeline {
  readonly broker: MortalBroker
  readonly input: string
  worker: Program | undefined
  restPort = 0
  /** Of each portion: how much of the input had come out when the next thing happened. */
  readonly cuts: string[] = []
  readonly #directory: string
  #written = 0

  constructor(broker: MortalBroker, directory: string) {
    this.broker = broker
    this.#directory = directory
    this.input = this.file('input')
    writeFileSync(this.input, '')
  }

  static async prepare(): Promise<Pipeline> {
    const directory = mkdtempSync(join(tmpdir(), 'ktool-connect-'))
    const pipeline = new Pipeline(await MortalBroker.start(directory), directory)
    onTestFinished(async () => {
      await pipeline.worker?.stop('SIGKILL')
      await pipeline.broker.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    })
    pipeline.restPort = (await freePorts(1))[0]
    const admin = kafkajs(pipeline.broker.address).admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'lines', numPartitions: 1 }], waitForLeaders: true })
    await admin.disconnect()
    return pipeline
  }

  file(name: string): string {
    return join(this.#directory, name)
  }

  properties(name: string, settings: Readonly<Record<string, string>>): string {
    writeFileSync(this.file(name), Object.entries(settings).map(([key, value]) => `${key}=${value}\n`).join(''))
    return this.file(name)
  }

  work(mode: 'ConnectStandalone' | 'ConnectDistributed', settings: Readonly<Record<string, string>>, ...connectors: string[]): void {
    const worker = this.properties('worker.properties', {
      'bootstrap.servers': this.broker.address,
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'plugin.discovery': 'service_load',
      'offset.flush.interval.ms': '1000',
      'listeners': `http://127.0.0.1:${this.restPort}`,
      'producer.enable.idempotence': 'true', // or a retry over the death of a broker writes twice, also to Apache's
      'consumer.isolation.level': 'read_committed',
      ...settings,
    })
    this.worker = start([...(peer ?? (['java'] as const)), `${CLI}.${mode}`], [worker, ...connectors], { log: this.file('worker.log') })
  }

  /** The next part of the input; some of it has come out in `sink` when this returns. */
  async portion(sink: string): Promise<void> {
    const before = this.#size(sink)
    this.write()
    await this.until(`more of ${sink}`, () => this.#size(sink) > before)
    this.cuts.push(`${this.lines(sink)}/${this.#written}`)
  }

  write(): void {
    const line = (at: number) => `line ${at} ${'x'.repeat(at % 60)}\n`
    const count = SCALE.records / PORTIONS
    appendFileSync(this.input, Array.from({ length: count }, (_, at) => line(this.#written + at)).join(''))
    this.#written += count
  }

  lines(name: string): number {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8').split('\n').length - 1 : 0
  }

  #size(name: string): number {
    return existsSync(this.file(name)) ? statSync(this.file(name)).size : 0
  }

  async until(what: string, isDone: () => boolean | Promise<boolean>): Promise<void> {
    await until(what, this.worker === undefined ? [] : [this.worker], 3 * MINUTE, isDone)
  }

  /** Waits until the last line of the input has come out. */
  async arrived(sink: string): Promise<void> {
    const last = `\n${readFileSync(this.input, 'utf8').trimEnd().split('\n').at(-1) ?? ''}\n`
    let seen = 0 // no file counts as an empty one
    await this.until(`the last line in ${sink}`, () => {
      const size = this.#size(sink)
      if (size === seen) return false
      seen = size
      return readFileSync(this.file(sink), 'utf8').endsWith(last)
    })
  }

  /** How many lines were said again. Fails when without them the file would not be the input. */
  repeated(text: string): number {
    const seen = new Set<string>()
    const first = text.split('\n').slice(0, -1).filter((line) => seen.size < seen.add(line).size)
    expect(`${first.join('\n')}\n` === readFileSync(this.input, 'utf8'), 'each line, in order').toBe(true)
    return text.split('\n').length - 1 - first.length
  }

  topic(): string {
    const args = ['-C', '-b', this.broker.address, '-t', 'lines', '-o', 'beginning', '-e', '-q', '-X', 'isolation.level=read_committed']
    return output(kcat(), args)
  }

  read(name: string): string {
    return readFileSync(this.file(name), 'utf8')
  }
}

describe.skipIf(!isThere)('Kafka Connect', () => {
  test('standalone: equal files over the death of the broker and a restart of the worker', { timeout: 20 * MINUTE }, async () => {
    const pipeline = await Pipeline.prepare()
    const source = pipeline.properties('source', {
      'name': 'source', 'connector.class': 'FileStreamSource', 'tasks.max': '1', 'file': pipeline.input, 'topic': 'lines', 'batch.size': String(SCALE.records / 200),
    }) // prettier-ignore
    const sink = pipeline.properties('sink', {
      'name': 'sink', 'connector.class': 'FileStreamSink', 'tasks.max': '1', 'file': pipeline.file('output'), 'topics': 'lines',
    }) // prettier-ignore
    const offsets = { 'offset.storage.file.filename': pipeline.file('offsets') }
    const work = () => pipeline.work('ConnectStandalone', offsets, source, sink)
    work()
    await pipeline.portion('output')
    await pipeline.broker.kill()
    await pipeline.broker.start()
    await pipeline.arrived('output')
    await pipeline.portion('output')
    await pipeline.worker?.stop()
    work()
    await pipeline.portion('output')
    await pipeline.arrived('output')
    const equal = [pipeline.topic(), pipeline.read('output')].map((text) => pipeline.repeated(text))
    expect(equal, 'repeated in the topic, in the output').toEqual([0, 0])

    await pipeline.portion('output')
    await pipeline.worker?.stop('SIGKILL')
    work()
    await pipeline.arrived('output')
    await pipeline.worker?.stop()
    const repeated = [pipeline.topic(), pipeline.read('output')].map((text) => pipeline.repeated(text))
    console.log(`connect standalone: ${SCALE.records} lines; cut at ${pipeline.cuts.join(' ')}; repeated after kill -9 of the worker: ${repeated.join(' in the topic, ')} in the output`)
    pipeline.broker.expectHealthy()
  })

  test('distributed, exactly once: equal files over the death of broker and worker', { timeout: 20 * MINUTE }, async () => {
    const pipeline = await Pipeline.prepare()
    const topics = ['config', 'offset', 'status'].flatMap((name) => [
      [`${name}.storage.topic`, `connect-${name}`],
      [`${name}.storage.replication.factor`, '1'],
    ])
    const work = () =>
      pipeline.work('ConnectDistributed', {
        'group.id': 'connect', 'exactly.once.source.support': 'enabled', 'offset.storage.partitions': '4', 'status.storage.partitions': '4',
        'session.timeout.ms': '10000', 'heartbeat.interval.ms': '3000', 'scheduled.rebalance.max.delay.ms': '1000',
        ...Object.fromEntries(topics),
      }) // prettier-ignore
    const connect = async (name: string, config: Readonly<Record<string, string>>) => {
      await pipeline.until(`the connector ${name}`, () => put(pipeline.restPort, name, { 'tasks.max': '1', ...config }))
    }
    const sink = (name: string) => connect(name, { 'connector.class': 'FileStreamSink', 'file': pipeline.file(name), 'topics': 'lines' })
    work()
    await connect('source', { 'connector.class': 'FileStreamSource', 'file': pipeline.input, 'topic': 'lines', 'batch.size': String(SCALE.records / 400) })
    await sink('output')
    pipeline.write()
    const id = 'connect-source-0' // group, connector, task
    const phase = await pipeline.broker.killWhile(() => openTransactions(pipeline.broker.data).get(id))
    await pipeline.broker.start()
    await pipeline.arrived('output')
    expect([pipeline.topic(), pipeline.read('output')].map((text) => pipeline.repeated(text)), 'repeated').toEqual([0, 0])

    await pipeline.portion('output')
    await pipeline.worker?.stop('SIGKILL')
    work()
    await pipeline.portion('output')
    await pipeline.worker?.stop()
    work()
    await pipeline.portion('output')
    await pipeline.arrived('output')
    await sink('again')
    await pipeline.arrived('again')
    expect(pipeline.repeated(pipeline.topic()), 'repeated in the topic').toBe(0)
    expect(pipeline.read('again') === pipeline.read('input')).toBe(true)
    const repeated = pipeline.repeated(pipeline.read('output'))
    await pipeline.worker?.stop()
    console.log(`connect distributed: ${SCALE.records} lines; broker killed in ${phase}; cut at ${pipeline.cuts.join(' ')}; repeated after kill -9 of the worker: 0 in the topic, ${repeated} in the first sink`)
    pipeline.broker.expectHealthy()
  })
})

/** Whether the worker has taken a connector's configuration; not while it starts or rebalances. */
async function put(port: number, name: string, config: Readonly<Record<string, string>>): Promise<boolean> {
  const body = JSON.stringify(config)
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`http://127.0.0.1:${port}/connectors/${name}/config`, { method: 'PUT', headers, body }).catch(() => undefined)
  await answer?.arrayBuffer()
  return answer?.ok === true
}
