// kafka-server-start: Apache's script and kafka.Kafka in front of the daemon. What is wrong with the words, the configuration
// or the directory is said as there, before anything is written; a directory that nobody formatted is not used.

import { dirname, join, relative } from 'node:path'
import { runDaemon } from './broker/daemon.ts'
import { parseBrokerConfig } from './broker/config/broker-configs.ts'
import { ConfigError } from './broker/config/config-error.ts'
import { type Face, FaceExit, type FaceIo, runFace, traceOf } from './cli/apache/face.ts'
import { illegalArgument, JavaError, runtimeException } from './cli/apache/java-errors.ts'
import { DEFAULT_OPTIONS, parseJopt, usageOf } from './cli/apache/jopt.ts'
import { KAFKA_VERSION } from './cli/apache/kafka-version.ts'
import { logLine } from './cli/apache/log4j.ts'
import { brokerSettings } from './cli/broker-flags.ts'
import { startDetached } from './cli/local-broker.ts'
import { foreignMetadata } from './cli/offline/metadata-nodes.ts'
import { checkDirectories } from './cli/offline/meta-properties-files.ts'
import { otherNodes, readServerProperties, serverConfig } from './cli/offline/server-config.ts'

const OPTIONS = {
  override: { arg: 'required', help: 'A property that wins over the one in the file: key=value.' },
  version: { help: DEFAULT_OPTIONS.version.help },
} as const

const PURPOSE = 'USAGE: java [options] kafka.Kafka server.properties [--override property=value]*'

/** `script`: the path it was called by. Sets process.exitCode when the broker has stopped, or did not start. */
export async function serverStart(script: string, argv: readonly string[]): Promise<void> {
  const io: FaceIo = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    stdin: process.stdin,
    stdout: process.stdout,
    env: process.env,
  }
  process.exitCode = await runFace(face(script), argv, io)
}

function face(script: string): Face {
  return async (argv, io) => {
    if (argv.length === 0) {
      throw new FaceExit(1, { out: `USAGE: ${typed(script)} [-daemon] server.properties [--override property=value]*\n` })
    }
    if (argv[0] === '-daemon') return await inBackground(script, argv.slice(1), io)
    try {
      return await run(argv, io)
    } catch (error) {
      if (error instanceof FaceExit) throw error
      // Kafka's server logs to its standard output.
      logLine({ ...io, err: (text) => io.out(text) }, 'ERROR', 'Exiting Kafka due to fatal exception', 'kafka.Kafka$')
      io.out(traceOf(error))
      return 1
    }
  }
}

/** As it was probably typed. */
function typed(script: string): string {
  const short = relative(process.cwd(), script)
  return short.startsWith('..') ? script : short
}

async function inBackground(script: string, argv: readonly string[], io: FaceIo): Promise<number> {
  const logs = io.env.LOG_DIR ?? join(dirname(script), '..', 'logs')
  await startDetached([script, ...argv], io.env, join(logs, 'kafkaServer.out'))
  return 0
}

async function run(argv: readonly string[], io: FaceIo): Promise<number> {
  const properties = await propertiesOf(argv)
  const config = serverConfig(properties)
  const refuse = (why: string | undefined): void => {
    if (why !== undefined) throw runtimeException(`This broker runs alone: ${why}. Nothing was written.`)
  }
  refuse(otherNodes(config))
  const { length } = config.logDirs
  if (length > 1) throw runtimeException(`This broker has one log directory, and log.dirs names ${length}. Nothing was written.`)
  await checkDirectories(config)
  refuse(await foreignMetadata(config.metadataLogDir, config.nodeId))
  const property = [...properties].map(([name, value]) => `${name}=${value}`)
  const settings = await brokerSettings({ property }, config.metadataLogDir)
  try {
    parseBrokerConfig(settings.properties)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new JavaError('org.apache.kafka.common.config.ConfigException', error.message, { cause: error })
  }
  const onReady = (): void => {
    logLine({ ...io, err: (text) => io.out(text) }, 'INFO', `[KafkaRaftServer nodeId=${config.nodeId}] Kafka Server started`, 'kafka.server.KafkaRaftServer')
  }
  return await runDaemon({ ...settings, isServer: true, onReady })
}

async function propertiesOf(argv: readonly string[]): Promise<Map<string, string>> {
  const words = argv.slice(1)
  // Looked for anywhere, before anything is parsed.
  if (argv.length === 0 || argv.includes('--help')) throw usageOf(OPTIONS, PURPOSE)
  if (argv.includes('--version')) throw new FaceExit(0, { out: `${KAFKA_VERSION}\n` })
  const properties = await readServerProperties(argv[0])
  const options = parseJopt(OPTIONS, words)
  if (options.rest.length > 0) throw options.usage(`Found non argument parameters: ${options.rest.join(',')}`)
  for (const text of options.all('override')) {
    const at = text.indexOf('=')
    if (at === 0 || text === '') throw illegalArgument(`Invalid command line properties: ${text}`)
    properties.set(at < 0 ? text : text.slice(0, at), at < 0 ? '' : text.slice(at + 1).trim())
  }
  return properties
}
