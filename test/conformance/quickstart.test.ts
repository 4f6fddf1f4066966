// A directory that kafka-storage of ktool has formatted, in turns under Apache Kafka and under kafka-server-start of ktool, and
// the same with one that Apache's own tool has formatted. What one left the other has.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { freePorts, startApache } from './support/apache.ts'
import { ktool, ktoolEnv } from './support/broker.ts'
import { kafkaTool, output, tryPeer } from './support/peers.ts'

const hasApache = tryPeer('Apache Kafka', () => kafkaTool('kafka-storage')) !== undefined
const home = mkdtempSync(join(tmpdir(), 'ktool-quickstart-'))
const env = ktoolEnv(home)
const CLUSTER = 'MkU3OEVBNTcwNTJENDM2Qg'

afterAll(() => rmSync(home, { recursive: true, force: true }))

function face(words: string, input = ''): string {
  const [name = '', ...args] = words.split(' ')
  const { stdout, stderr, status } = spawnSync(join(home, 'bin', `${name}.sh`), args, { env, input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${words}: ${status}\n${stdout}${stderr}`)
  return stdout
}

/** Starts our server on `config` and resolves when it says so. */
async function startOurs(config: string): Promise<ChildProcess> {
  const child = spawn(join(home, 'bin/kafka-server-start.sh'), [config], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('Kafka Server started')) resolve()
    })
    child.once('exit', () => reject(new Error(`the server ended: ${text}`)))
  })
  return child
}

describe.skipIf(!hasApache).each(['ktool', 'Apache'] as const)('a directory formatted by %s', (formatter) => {
  test('is served by both in turns', async () => {
    const [node, main] = ktool()
    spawnSync(node, [main, 'faces', '--dir', join(home, 'bin')], { env })
    const directory = join(home, formatter)
    mkdirSync(directory)
    const [port = 0, controller = 0] = await freePorts(2)
    const config = join(directory, 'quickstart.properties')
    writeFileSync(
      config,
      [
        'process.roles=broker,controller', 'node.id=1', `controller.quorum.bootstrap.servers=localhost:${controller}`,
        `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`, 'inter.broker.listener.name=PLAINTEXT',
        'controller.listener.names=CONTROLLER', `log.dirs=${join(directory, 'data')}`, 'offsets.topic.replication.factor=1',
      ].join('\n'), // prettier-ignore
    )
    const format = ['format', '--standalone', '-t', CLUSTER, '-c', config]
    if (formatter === 'Apache') output(kafkaTool('kafka-storage'), format)
    else face(`kafka-storage ${format.join(' ')}`)
    expect(readFileSync(join(directory, 'data/meta.properties'), 'utf8')).toMatch(
      /^#\n#\w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ \d{4}\nnode\.id=1\ndirectory\.id=\S{22}\nversion=1\ncluster\.id=MkU3OEVBNTcwNTJENDM2Qg\n$/,
    )
    // The quorum is the one in the log; the later line wins over startApache's own.
    const dynamic = ['controller.quorum.voters=', 'controller.quorum.bootstrap.servers=localhost:1']
    const at = `--bootstrap-server 127.0.0.1:${port}`
    const read = (count: number): string => face(`kafka-console-consumer --topic events --from-beginning --max-messages ${count} ${at}`)

    const startsFirst = formatter === 'ktool' ? 'Apache' : 'ktool'
    if (startsFirst === 'Apache') {
      const apache = await startApache({ directory, port, isFormatted: true, properties: dynamic })
      face(`kafka-topics --create --topic events ${at}`)
      face(`kafka-console-producer --topic events ${at}`, 'from Apache\n')
      await apache.stop()
    } else {
      const ours = await startOurs(config)
      face(`kafka-topics --create --topic events ${at}`)
      face(`kafka-console-producer --topic events ${at}`, 'from Apache\n')
      const gone = once(ours, 'exit')
      face('kafka-server-stop --node-id=1')
      await gone
    }
    const ours = await startOurs(config)
    expect(read(1)).toBe('from Apache\n')
    face(`kafka-console-producer --topic events ${at}`, 'from ktool\n')
    const gone = once(ours, 'exit')
    face('kafka-server-stop')
    await gone

    const again = await startApache({ directory, port, isFormatted: true, properties: dynamic })
    try {
      expect(read(2)).toBe('from Apache\nfrom ktool\n')
      expect(face(`kafka-topics --describe --topic events ${at}`)).toContain('min.insync.replicas=1')
      expect(face(`kafka-cluster cluster-id ${at}`)).toBe(`Cluster ID: ${CLUSTER}\n`)
    } finally {
      await again.stop()
    }
  }, 300_000)
})
