// Apache Kafka itself, one node in KRaft mode on ports of its own: the judge of behaviour.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { java, kafkaTool, output } from './peers.ts'

// A broker among other tests on two cores may take long to start.
const START_MS = 180_000

export interface ApacheBroker {
  /** HOST:PORT of the plaintext listener. */
  readonly address: string
  readonly directory: string
  readonly pid: number
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface ApacheOptions {
  /** Where its files are, or will be. */
  readonly directory: string
  /** Of the plaintext listener; without it one that is free. */
  readonly port?: number
  /** More listeners: NAME to the port, with the lines of configuration they need in `properties`. */
  readonly listeners?: Readonly<Record<string, number>>
  readonly properties?: readonly string[]
  /** Arguments for `kafka-storage format`, such as --add-scram. */
  readonly formatArguments?: readonly string[]
  /** `properties` name a log.dirs that is there already. */
  readonly isFormatted?: boolean
}

/** Formats the directory if it is new, starts a node on it and waits until it answers. */
export async function startApache(options: ApacheOptions): Promise<ApacheBroker> {
  const { directory, listeners = {}, properties = [], formatArguments = [] } = options
  const [freePort, controllerPort] = await freePorts(2)
  const port = options.port ?? freePort
  mkdirSync(directory, { recursive: true })
  const config = join(directory, 'server.properties')
  const named = Object.entries(listeners).map(([name, at]) => `${name}://127.0.0.1:${at}`)
  const plain = `PLAINTEXT://127.0.0.1:${port}`
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `listeners=${[plain, ...named, `CONTROLLER://127.0.0.1:${controllerPort}`].join(',')}`,
    `advertised.listeners=${[plain, ...named].join(',')}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `log.dirs=${join(directory, 'data')}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    ...properties,
  ]
  writeFileSync(config, lines.join('\n') + '\n')
  if (options.isFormatted !== true && !existsSync(join(directory, 'data/meta.properties'))) {
    output(kafkaTool('kafka-storage'), ['format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', config, ...formatArguments])
  }
  const [command, ...args] = java()
  const log = openSync(join(directory, 'server.log'), 'w')
  const child = spawn(command, [...args, 'kafka.Kafka', config], { stdio: ['ignore', log, log] })
  await answers(child, port, join(directory, 'server.log'))
  return { address: `127.0.0.1:${port}`, directory, pid: child.pid ?? -1, stop: (signal) => stop(child, signal) }
}

async function answers(child: ChildProcess, port: number, log: string): Promise<void> {
  const deadline = Date.now() + START_MS
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`Apache Kafka ended at once:\n${readFileSync(log, 'utf8').slice(-3000)}`)
    if (Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`Apache Kafka does not answer:\n${readFileSync(log, 'utf8').slice(-3000)}`)
    }
    await delay(100)
  }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  await exit
  clearTimeout(late)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    ports.push(address.port)
  }
  for (const server of servers) server.close()
  return ports
}
