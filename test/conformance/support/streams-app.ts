// A Kafka Streams application with two instances, its broker, and how both are killed while the group rebalances and while
// transactions are open.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { kafkajs } from './foreign-records.ts'
import { MortalBroker, openTransactions, SCALE } from './mortal-broker.ts'
import { kcat, output, type Peer } from './peers.ts'
import { type Program, start, until } from './program.ts'

const PARTITIONS = 4
const BROKER_KILLS = SCALE.kills > 3 ? 8 : 2 // beside the one in a rebalance
const MINUTE = 60_000

/** What an instance is run with for exactly-once, so that transactions are short and nothing waits long for the dead. */
export const EXACTLY_ONCE = [
  'processing.guarantee=exactly_once_v2', 'commit.interval.ms=200', 'max.poll.records=500',
  'consumer.session.timeout.ms=30000', 'consumer.heartbeat.interval.ms=2000', 'producer.transaction.timeout.ms=30000',
] // prettier-ignore

export interface StreamsProgram {
  /** Run with the name of a file of properties. */
  readonly peer: Peer
  readonly id: string
  readonly topics: readonly string[]
  /** The topic whose records are counted: SCALE.records of them. */
  readonly input: string
}

export class StreamsApp {
  readonly broker: MortalBroker
  readonly #program: StreamsProgram
  readonly #directory: string
  readonly #instances = new Set<Program>()
  readonly #settings: readonly string[]

  constructor(program: StreamsProgram, broker: MortalBroker, directory: string, settings: readonly string[]) {
    this.#program = program
    this.broker = broker
    this.#directory = directory
    this.#settings = settings
  }

  /** A broker with the topics. */
  static async prepare(program: StreamsProgram, settings: readonly string[]): Promise<StreamsApp> {
    const directory = mkdtempSync(join(tmpdir(), 'ktool-streams-'))
    const app = new StreamsApp(program, await MortalBroker.start(directory), directory, settings)
    onTestFinished(async () => {
      await app.stop('SIGKILL')
      await app.broker.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    })
    const topics = program.topics.map((topic) => ({ topic, numPartitions: PARTITIONS }))
    await app.#admin((admin) => admin.createTopics({ topics, waitForLeaders: true }))
    return app
  }

  write(topic: string, lines: readonly string[], ...more: string[]): void {
    const args = ['-P', '-b', this.broker.address, '-t', topic, '-X', 'enable.idempotence=true', '-X', 'sticky.partitioning.linger.ms=0', ...more]
    output(kcat(), args, { input: lines.map((line) => `${line}\n`).join('') })
  }

  async #admin<T>(use: (admin: ReturnType<ReturnType<typeof kafkajs>['admin']>) => Promise<T>): Promise<T> {
    const admin = kafkajs(this.broker.address).admin()
    await admin.connect()
    try {
      return await use(admin)
    } finally {
      await admin.disconnect()
    }
  }

  /** A process of its own with state of its own, which it keeps over its death. */
  instance(name: string): Program {
    const config = join(this.#directory, `${name}.properties`)
    const state = join(this.#directory, `state-${name}`)
    const lines = [`application.id=${this.#program.id}`, `bootstrap.servers=${this.broker.address}`, `state.dir=${state}`, ...this.#settings]
    writeFileSync(config, lines.join('\n'))
    const program = start(this.#program.peer, [config], { log: join(this.#directory, `${name}.log`) })
    this.#instances.add(program)
    return program
  }

  async kill(instance: Program): Promise<void> {
    this.#instances.delete(instance)
    await instance.stop('SIGKILL')
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await Promise.all([...this.#instances].map((instance) => instance.stop(signal)))
  }

  /** Waits until so many records of the input are processed and committed. */
  async processed(count: number): Promise<void> {
    const { id: groupId, input } = this.#program
    const committed = async () => {
      const topics = await this.#admin((admin) => admin.fetchOffsets({ groupId, topics: [input] }))
      return topics.flatMap(({ partitions }) => partitions).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
    }
    await until(`${count} processed`, [...this.#instances], 5 * MINUTE, async () => (await committed()) >= count)
  }

  async #groupState(): Promise<string> {
    const { groups } = await this.#admin((admin) => admin.describeGroups([this.#program.id]))
    return groups[0].state
  }

  /** The lines `key value` of committed transactions, by partition and offset. `more` for kcat. */
  lines(topic: string, ...more: string[]): string[] {
    const args = ['-C', '-b', this.broker.address, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k %s\n', ...more]
    return output(kcat(), [...args, '-X', 'isolation.level=read_committed']).split('\n').slice(0, -1)
  }

  /** Waits until the lines of a topic are enough, and gives them. */
  async results(topic: string, isEnough: (lines: readonly string[]) => boolean, ...more: string[]): Promise<string[]> {
    let found: string[] = []
    let askAt = 0
    await until(`enough lines of ${topic}`, [...this.#instances], 5 * MINUTE, () => {
      if (Date.now() < askAt) return false
      found = this.lines(topic, ...more)
      askAt = Date.now() + 2000
      return isEnough(found)
    })
    return found
  }

  /**
   * Runs the input through two instances, a part before each kill, so that there is always something to be done: the broker is
   * killed while the group is in PreparingRebalance, then while a transaction is open, again and again, and an instance is
   * killed. Says what was open each time.
   */
  async survive(lines: readonly string[]): Promise<string> {
    const { broker } = this
    const part = Math.ceil(lines.length / (BROKER_KILLS + 1))
    const feed = (at: number) => this.write(this.#program.input, lines.slice(at * part, (at + 1) * part))
    feed(0)
    let first = this.instance('a')
    await this.processed(1)
    // The first instance can't answer the rebalance that the second asks for, so that it stays open. It is frozen late, since a
    // loaded machine takes longer to start Java than a session lasts.
    const second = this.instance('b')
    const itsState = join(this.#directory, 'state-b', this.#program.id)
    await until('the state of the second instance', [second], 5 * MINUTE, () => existsSync(itsState))
    process.kill(first.pid, 'SIGSTOP')
    await expect.poll(() => this.#groupState(), { timeout: MINUTE, interval: 50 }).toBe('PreparingRebalance')
    await broker.kill()
    process.kill(first.pid, 'SIGCONT')
    await broker.start()

    const phases = new Map<string, number>()
    for (let kill = 1; kill <= BROKER_KILLS; kill++) {
      await this.processed(part * kill)
      feed(kill)
      const [phase] = await broker.killWhile(() => {
        const open = openTransactions(broker.data)
        return open.size > 0 ? [...open.values()] : undefined
      })
      phases.set(phase, (phases.get(phase) ?? 0) + 1)
      await broker.start()
      if (kill === BROKER_KILLS / 2) {
        await this.kill(first)
        first = this.instance('a')
      }
    }
    await this.processed(SCALE.records)
    const kills = [...phases].map(([phase, times]) => `${times} in ${phase}`).join(', ')
    return `1 in a rebalance, ${kills}; 1 of an instance`
  }
}
