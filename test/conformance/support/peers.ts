// The foreign programs that the conformance tests run: fetched when first needed, with pinned versions, into
// $KTOOL_PEERS (~/.cache/ktool-peers). What cannot be had is said loudly, and the tests that need it are skipped.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const KAFKA_VERSION = '4.3.0'
/** The last release whose clients know only the first protocol of transactions. */
const OLD_KAFKA_VERSION = '3.9.1'
const CONFLUENT_VERSION = '2.16.1'
const LOG4J_VERSION = '2.25.4'

/** Where all that is fetched lies. */
export const PEERS = process.env.KTOOL_PEERS ?? join(homedir(), '.cache/ktool-peers')
const SOURCES = new URL('..', import.meta.url).pathname

/** A way to run one foreign program: the command and its first arguments. */
export type Peer = readonly [command: string, ...args: string[]]

/** What `get` gives; undefined, and a notice that nobody overlooks, when the peer cannot be had. */
export function tryPeer<T>(name: string, get: () => T): T | undefined {
  try {
    return get()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    process.stderr.write(`\n******** NOT RUN: ${name} cannot be had ********\n${why}\n\n`)
    return undefined
  }
}

const ARTIFACTS = [
  'kafka_2.13', 'kafka-tools', 'kafka-shell', 'connect-runtime', 'connect-file', 'connect-json', 'kafka-streams', 'kafka-streams-examples',
] // prettier-ignore

/** Directory of Apache Kafka's jars. */
export function kafkaLibs(): string {
  const log4j = dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', LOG4J_VERSION)
  return jars(`kafka-${KAFKA_VERSION}`, ARTIFACTS, KAFKA_VERSION, log4j)
}

/** `artifacts` of Apache Kafka with all they need, by Maven, and anew when one is missing from what was fetched before. */
function jars(name: string, artifacts: readonly string[], version: string, others = ''): string {
  const home = join(PEERS, name)
  const libs = join(home, 'libs')
  const isThere = () => artifacts.every((artifact) => existsSync(join(libs, `${artifact}-${version}.jar`)))
  if (!existsSync(join(home, 'installed')) || !isThere()) {
    mkdirSync(home, { recursive: true })
    const kafka = artifacts.map((artifact) => dependency('org.apache.kafka', artifact, version))
    writeFileSync(join(home, 'pom.xml'), pom(kafka.join('') + others))
    must('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=libs'], { cwd: home })
    writeFileSync(join(home, 'installed'), '')
  }
  return libs
}

function pom(dependencies: string): string {
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>ktool.peer</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${dependencies}</dependencies>`,
    '</project>',
  ].join('\n')
}

function dependency(group: string, artifact: string, version: string): string {
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
}

/** Java with Kafka on its class path, its log (warnings on) on stderr. */
export function java(): Peer {
  const libs = kafkaLibs()
  const logging = join(libs, '../log4j2.yaml')
  if (!existsSync(logging)) {
    const appender = '{ name: STDERR, target: SYSTEM_ERR, PatternLayout: { pattern: "[%d] %p %m (%c)%n" } }'
    const root = '{ level: WARN, AppenderRef: [ { ref: STDERR } ] }'
    writeFileSync(logging, `Configuration:\n  Appenders:\n    Console: ${appender}\n  Loggers:\n    Root: ${root}\n`)
  }
  return ['java', '-Xmx512M', '-XX:+UseSerialGC', '-cp', `${libs}/*`, `-Dlog4j2.configurationFile=${logging}`]
}

/** Java with the tools of an older Kafka on its class path. */
export function oldJava(): Peer {
  const libs = jars(`kafka-${OLD_KAFKA_VERSION}`, ['kafka-tools'], OLD_KAFKA_VERSION)
  return ['java', '-Xmx512M', '-XX:+UseSerialGC', '-cp', `${libs}/*`]
}

/** One of the Java programs beside the tests. */
export function javaProgram(name: string): Peer {
  return [...java(), join(SOURCES, 'java', `${name}.java`)]
}

const KAFKA_TOOLS = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-acls': 'org.apache.kafka.tools.AclCommand',
  'kafka-storage': 'kafka.tools.StorageTool',
  'kafka-transactions': 'org.apache.kafka.tools.TransactionsCommand',
  'kafka-client-metrics': 'org.apache.kafka.tools.ClientMetricsCommand',
  'kafka-cluster': 'org.apache.kafka.tools.ClusterTool',
  'kafka-metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-consumer-perf-test': 'org.apache.kafka.tools.ConsumerPerformance',
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-server-start': 'kafka.Kafka',
} as const

/** One of Apache's tools by its name. */
export type KafkaTool = keyof typeof KAFKA_TOOLS

export function kafkaTool(name: KafkaTool): Peer {
  return [...java(), '-XX:TieredStopAtLevel=1', KAFKA_TOOLS[name]]
}

/** Its main class, for `kafkaTools`. */
export function classOfTool(name: KafkaTool): string {
  return KAFKA_TOOLS[name]
}

/** java/Tools.java, compiled once for each state of its source: many of Apache's tools in one JVM. */
export function kafkaTools(): Peer {
  const source = join(SOURCES, 'java', 'Tools.java')
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex')
  const home = join(PEERS, `tools-${KAFKA_VERSION}-${hash.slice(0, 12)}`)
  install(home, (directory) => must('javac', ['-d', directory, '-cp', `${kafkaLibs()}/*`, source]))
  const [command, ...args] = java()
  const withTools = args.map((arg, index) => (args[index - 1] === '-cp' ? `${home}:${arg}` : arg))
  return [command, '-XX:TieredStopAtLevel=1', '-Dfile.encoding=UTF-8', ...withTools, 'Tools']
}

export interface ToolCommand {
  /** Its main class. */
  readonly name: string
  readonly args: readonly string[]
  readonly input?: string | undefined
  readonly timeoutMs: number
}

/** A command for `kafkaTools`, in a line. */
export function toolLine({ name, args, input = '', timeoutMs }: ToolCommand): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return [timeoutMs, name, base64(input), ...args.map(base64)].join('\t') + '\n'
}

/** What `kafkaTools` answered in a line; an exit code of -2 says that the time was up. */
export function toolAnswer(line: string): { readonly exit: number; readonly stdout: Buffer; readonly stderr: Buffer } {
  const [exit, stdout = '', stderr = ''] = line.split(' ')
  return { exit: Number(exit), stdout: Buffer.from(stdout, 'base64'), stderr: Buffer.from(stderr, 'base64') }
}

export function kcat(): Peer {
  if (spawnSync('kcat', ['-V']).status !== 0) must('apt-get', ['install', '-y', '-q', 'kcat'])
  return ['kcat']
}

/** Python with confluent-kafka, in an environment of its own, running one of the programs beside the tests. */
export function pythonProgram(name: string): Peer {
  const home = join(PEERS, `confluent-kafka-${CONFLUENT_VERSION}`)
  install(home, (directory) => {
    must('python3', ['-m', 'venv', directory])
    must(join(directory, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', `confluent-kafka==${CONFLUENT_VERSION}`])
  })
  return [join(home, 'bin/python'), join(SOURCES, 'python', `${name}.py`)]
}

/** The Go program beside the tests, which uses franz-go: compiled once for each state of its source. */
export function goProgram(): Peer {
  const source = join(SOURCES, 'go')
  const hash = createHash('sha256')
  for (const file of readdirSync(source).sort()) hash.update(file).update(readFileSync(join(source, file)))
  const home = join(PEERS, `franz-go-${hash.digest('hex').slice(0, 12)}`)
  install(home, (directory) => {
    cpSync(source, directory, { recursive: true })
    must('go', ['build', '-o', 'records', '.'], { cwd: directory, env: { ...process.env, GOTOOLCHAIN: 'local' } })
  })
  return [join(home, 'records')]
}

/** Fills a directory in one step: what was cut short is never taken for done. A Python environment cannot be moved. */
export function install(home: string, fill: (directory: string) => void): void {
  if (existsSync(join(home, 'installed'))) return
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  fill(home)
  writeFileSync(join(home, 'installing'), '')
  renameSync(join(home, 'installing'), join(home, 'installed'))
}

export interface RunOptions {
  readonly input?: string | Buffer
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly timeoutMs?: number
}

/** Runs a program to its end. Output up to 1 GiB. */
export function run([command, ...first]: Peer, args: readonly string[], options: RunOptions = {}): SpawnSyncReturns<Buffer> {
  const { timeoutMs = 300_000, ...rest } = options
  return spawnSync(command, [...first, ...args], { maxBuffer: 1 << 30, timeout: timeoutMs, ...rest })
}

/** Runs a program that must succeed, and gives its standard output. */
export function output(peer: Peer, args: readonly string[], options: RunOptions = {}): string {
  return outputBytes(peer, args, options).toString()
}

export function outputBytes(peer: Peer, args: readonly string[], options: RunOptions = {}): Buffer {
  const result = run(peer, args, options)
  if (result.status !== 0) {
    const what = result.error?.message ?? result.signal ?? `exit ${result.status}`
    const said = `${result.stdout.toString().slice(-2000)}\n${result.stderr.toString().slice(-4000)}`
    throw new Error(`${peer[0]} … ${args.join(' ')}: ${what}\n${said}`)
  }
  return result.stdout
}

export function must(command: string, args: readonly string[], options: RunOptions = {}): void {
  output([command], args, { timeoutMs: 600_000, ...options })
}
