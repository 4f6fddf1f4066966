// The quickstart of Kafka's documentation, as it is printed there but for the ports, from a folder that `ktool faces` made:
// kafka-storage, kafka-server-start and kafka-server-stop, and what they refuse.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
const home = sandbox.directory
/** What Kafka 4.3 brings as config/server.properties, its comments aside. */
const PROPERTIES = `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=${join(home, 'kraft-combined-logs')}
num.partitions=1
num.recovery.threads.per.data.dir=2
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`
const servers: ChildProcess[] = []

beforeAll(async () => {
  mkdirSync(join(home, 'config'))
  writeFileSync(join(home, 'config/server.properties'), PROPERTIES)
  await sandbox.run(['faces', '--dir', join(home, 'bin')])
})

afterAll(() => {
  for (const server of servers) server.kill('SIGKILL')
  sandbox.close()
})

/** A line of the documentation, in the folder that has bin/ and config/. */
const shell = (line: string) => sandbox.shell(`cd ${home}; ${line}`)

/** Starts the server in the foreground; resolves at the line that scripts wait for. */
async function startServer(words: string): Promise<ChildProcess> {
  const child = spawn('bash', ['-c', `exec bin/kafka-server-start.sh ${words}`], { cwd: home, env: sandbox.env, stdio: ['ignore', 'pipe', 'pipe'] })
  servers.push(child)
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (/\[KafkaRaftServer nodeId=1\] Kafka Server started/.test(text)) resolve()
    })
    child.once('exit', () => reject(new Error(`the server ended: ${text}`)))
  })
  return child
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('the quickstart runs as printed', async () => {
  const port = await freePort()
  const unformatted = await shell('bin/kafka-server-start.sh config/server.properties')
  expect(unformatted.code).toBe(1)
  expect(unformatted.stdout).toContain(`No \`meta.properties\` found in ${home}/kraft-combined-logs (have you run \`kafka-storage.sh\` to format the directory?)`)
  expect(existsSync(join(home, 'kraft-combined-logs'))).toBe(false)

  const formatted = await shell(
    'KAFKA_CLUSTER_ID="$(bin/kafka-storage.sh random-uuid)"; bin/kafka-storage.sh format --standalone -t $KAFKA_CLUSTER_ID -c config/server.properties; echo $KAFKA_CLUSTER_ID',
  )
  const [bootstrap, formatting, clusterId] = formatted.stdout.split('\n')
  expect(bootstrap).toMatch(/^Bootstrap metadata: BootstrapMetadata\(records=\[/)
  expect(formatting).toBe(`Formatting dynamic metadata voter directory ${home}/kraft-combined-logs with metadata.version 4.3-IV0.`)
  expect(readFileSync(join(home, 'kraft-combined-logs/meta.properties'), 'utf8')).toContain(`cluster.id=${clusterId}\n`)

  const at = `localhost:${port}`
  const listeners = `--override listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://:9093 --override advertised.listeners=PLAINTEXT://${at}`
  const server = await startServer(`config/server.properties ${listeners}`)
  const created = await shell(`bin/kafka-topics.sh --create --topic quickstart-events --bootstrap-server ${at}`)
  expect(created).toMatchObject({ stdout: 'Created topic quickstart-events.\n', stderr: '', code: 0 })
  const described = await shell(`bin/kafka-topics.sh --describe --topic quickstart-events --bootstrap-server ${at}`)
  expect(described.stdout).toMatch(/^Topic: quickstart-events\tTopicId: \S{22}\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: min.insync.replicas=1,segment.bytes=1073741824\n/)
  const produced = await shell(`printf 'This is my first event\\nThis is my second event\\n' | bin/kafka-console-producer.sh --topic quickstart-events --bootstrap-server ${at}`)
  expect(produced.code).toBe(0)
  const consumed = await shell(`bin/kafka-console-consumer.sh --topic quickstart-events --from-beginning --max-messages 2 --bootstrap-server ${at}`)
  expect(consumed).toMatchObject({ stdout: 'This is my first event\nThis is my second event\n', code: 0 })

  expect((await shell('bin/kafka-server-stop.sh --node-id=2 --process-role=broker')).stdout).toMatch(/^When both node-id and process-role are provided/)
  expect(server.exitCode).toBeNull()
  const other = await sandbox.broker('--ephemeral')
  const gone = once(server, 'exit')
  expect(await shell('bin/kafka-server-stop.sh')).toMatchObject({ stdout: '', code: 0 })
  await gone
  expect(await shell('bin/kafka-server-stop.sh')).toMatchObject({ stdout: 'No kafka server to stop\n', code: 1 })
  expect((await sandbox.run(['broker', 'stop', '-b', other])).code).toBe(0) // which somebody else has started

  const dumped = await shell('bin/kafka-dump-log.sh --print-data-log --files kraft-combined-logs/quickstart-events-0/00000000000000000000.log')
  expect(dumped.stdout).toMatch(/payload: This is my first event\n/)
}, 60_000)

test('-daemon leaves the server in the background, with its output in logs/kafkaServer.out', async () => {
  const port = await freePort()
  writeFileSync(join(home, 'config/daemon.properties'), PROPERTIES.replace('kraft-combined-logs', 'daemon-logs').replaceAll(':9092', `:${port}`))
  expect((await shell('bin/kafka-storage.sh format -s -t MkU3OEVBNTcwNTJENDM2Qg -c config/daemon.properties')).code).toBe(0)
  expect(await shell('bin/kafka-server-start.sh -daemon config/daemon.properties')).toMatchObject({ stdout: '', stderr: '', code: 0 })
  const started = await shell('until grep -q "Kafka Server started" logs/kafkaServer.out; do sleep 0.05; done; bin/kafka-server-stop.sh --process-role=broker,controller')
  expect(started.code).toBe(0)
}, 60_000)

test('kafka-server-start says what is wrong with its words', async () => {
  const usage = 'USAGE: java [options] kafka.Kafka server.properties [--override property=value]*\n'
  expect(await shell('bin/kafka-server-start.sh')).toMatchObject({ stdout: 'USAGE: bin/kafka-server-start.sh [-daemon] server.properties [--override property=value]*\n', code: 1 })
  expect(await shell('bin/kafka-server-start.sh --version')).toMatchObject({ stdout: '4.3.0\n', code: 0 })
  const help = await shell('bin/kafka-server-start.sh config/server.properties --help')
  expect(help.stderr.startsWith(usage)).toBe(true)
  expect(help.code).toBe(1)
  const stray = await shell('bin/kafka-server-start.sh config/server.properties one two')
  expect(stray.stderr).toMatch(/^Found non argument parameters: one,two\n/)
  expect(stray.code).toBe(1)
  const absent = await shell('bin/kafka-server-start.sh config/absent.properties')
  expect(absent.stdout).toMatch(/ERROR Exiting Kafka due to fatal exception \(kafka\.Kafka\$\)\njava\.nio\.file\.NoSuchFileException: config\/absent\.properties\n$/)
  expect(absent.code).toBe(1)
})

test('nothing is written for a configuration or a metadata log that names another node', async () => {
  const voters = PROPERTIES.replace(/controller\.quorum\.bootstrap.*/, 'controller.quorum.voters=1@localhost:9093,2@localhost:9095').replace('kraft-combined-logs', 'voters-logs')
  writeFileSync(join(home, 'config/voters.properties'), voters)
  const refused = await shell('bin/kafka-storage.sh format -t MkU3OEVBNTcwNTJENDM2Qg -c config/voters.properties')
  expect(refused).toMatchObject({ stderr: "ktool's broker runs alone: controller.quorum.voters names node 2. Nothing was written.\n", code: 1 })
  expect((await shell('bin/kafka-server-start.sh config/voters.properties')).stdout).toContain('controller.quorum.voters names node 2')
  expect(existsSync(join(home, 'voters-logs'))).toBe(false)

  // A directory of node 1 whose configuration is given another id: the log in it names node 1.
  const own = PROPERTIES.replace('kraft-combined-logs', 'other-logs')
  writeFileSync(join(home, 'config/own.properties'), own)
  writeFileSync(join(home, 'config/other.properties'), own.replace('node.id=1', 'node.id=5'))
  await shell('bin/kafka-storage.sh format -s -t MkU3OEVBNTcwNTJENDM2Qg -c config/own.properties; rm other-logs/meta.properties')
  const before = readdirSync(join(home, 'other-logs')).sort()
  const foreign = await shell('bin/kafka-storage.sh format -s -t MkU3OEVBNTcwNTJENDM2Qg -c config/other.properties')
  expect(foreign.stderr).toMatch(/names node 1\. Nothing was written\.\n$/)
  expect(readdirSync(join(home, 'other-logs')).sort()).toEqual(before)
})

test('several log directories are formatted, and no server is started on them', async () => {
  const dirs = `${join(home, 'first-logs')},${join(home, 'second-logs')}`
  writeFileSync(join(home, 'config/dirs.properties'), PROPERTIES.replace(/log\.dirs=.*/, `log.dirs=${dirs}`))
  expect((await shell('bin/kafka-storage.sh format -s -t MkU3OEVBNTcwNTJENDM2Qg -c config/dirs.properties')).code).toBe(0)
  expect(readdirSync(join(home, 'second-logs'))).toContain('meta.properties')
  const refused = await shell('bin/kafka-server-start.sh config/dirs.properties')
  expect(refused.stdout).toMatch(/\njava\.lang\.RuntimeException: This broker has one log directory, and log\.dirs names 2\. Nothing was written\.\n$/)
  expect(refused.code).toBe(1)
})

test('what the broker cannot do is said in the words of its configuration', async () => {
  const lines = PROPERTIES.replace('kraft-combined-logs', 'odd-logs')
  writeFileSync(join(home, 'config/odd.properties'), lines)
  await shell('bin/kafka-storage.sh format -s -t MkU3OEVBNTcwNTJENDM2Qg -c config/odd.properties')
  writeFileSync(join(home, 'config/odd.properties'), `${lines}message.max.bytes=-1\n`)
  const refused = await shell('bin/kafka-server-start.sh config/odd.properties')
  expect(refused.stdout).toMatch(/\norg\.apache\.kafka\.common\.config\.ConfigException: Invalid value -1 for configuration message\.max\.bytes: /)
  expect(refused.code).toBe(1)
})
