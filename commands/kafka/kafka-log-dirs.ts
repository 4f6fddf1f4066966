// kafka-log-dirs (LogDirsCommand of Apache Kafka 4.3). The keys of its JSON come in this order here, in a hash map's there.

import { describeCluster, describeLogDirs, type LogDirectory } from '../../src/client/admin.ts'
import { type Face, FaceExit, type FaceIo, printTrace } from '../../src/cli/apache/face.ts'
import { awaited, executionException, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { checkRequired, DEFAULT_OPTIONS, integer, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import { loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'The server(s) to use for bootstrapping', help: 'REQUIRED: the broker to ask first, HOST:PORT.' },
  'command-config': { arg: 'required', describedAs: 'Admin client property file', help: 'A file of client properties.' },
  describe: { help: 'REQUIRED: show what lies in the log directories.' },
  'topic-list': { arg: 'required', describedAs: 'Topic list', default: '', help: 'Only these topics: t1,t2,t3.' },
  'broker-list': { arg: 'required', describedAs: 'Broker list', default: '', help: 'Only these brokers: 0,1,2.' },
} as const

export const face: Face = async (argv, io) => {
  try {
    await run(argv, io)
    return 0
  } catch (error) {
    if (error instanceof FaceExit) throw error
    printTrace(io, error)
    return 1
  }
}

async function run(argv: readonly string[], io: FaceIo): Promise<void> {
  const options = parseJopt(OPTIONS, argv)
  maybeHelp(options, argv, 'This tool helps to query log directory usage on the specified brokers.')
  checkRequired(options, 'bootstrap-server', 'describe')
  const properties = await loadProperties(options.value('command-config'))
  const bootstrapServer = options.value('bootstrap-server')
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'log-dirs-tool', kind: 'KafkaAdminClient' })
  try {
    const topics = new Set(words(options.value('topic-list')))
    const { brokers } = await awaited('listNodes', describeCluster(cluster))
    const existing = new Set(brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b))
    const wanted = new Set(words(options.value('broker-list')).map(brokerId).sort((a, b) => a - b))
    const absent = [...wanted].filter((id) => !existing.has(id))
    if (absent.length > 0) {
      const there = [...existing].join(',')
      throw new FaceExit(1, { err: `ERROR: The given brokers do not exist from --broker-list: ${absent.join(',')}. Current existent brokers: ${there}\n` })
    }
    const asked = [...(wanted.size === 0 ? existing : wanted)]
    io.out('Querying brokers for log directories information\n')
    const answers = await awaited('describeLogDirs', describeLogDirs(cluster, asked))
    const described = Array.from(answers, ([broker, result]) => {
      if (!result.ok) throw executionException(result.error)
      return { broker, logDirs: result.value.map((directory) => printable(directory, topics)) }
    })
    io.out(`Received log directory information from brokers ${asked.join(',')}\n`)
    io.out(`${JSON.stringify({ brokers: described, version: 1 })}\n`)
  } finally {
    await cluster.close()
  }
}

function words(list: string | undefined): string[] {
  return (list ?? '').split(',').filter((word) => word !== '')
}

function brokerId(text: string): number {
  const id = integer(text, 2n ** 31n)
  if (id === undefined) throw new JavaError('java.lang.NumberFormatException', `For input string: "${text}"`)
  return Number(id)
}

/** `topics` empty: all. */
function printable({ path, error, replicas }: LogDirectory, topics: ReadonlySet<string>) {
  const partitions = replicas
    .filter(({ topic }) => topics.size === 0 || topics.has(topic))
    .map(({ topic, partition, sizeBytes, offsetLag, isFuture }) => ({ partition: `${topic}-${partition}`, size: sizeBytes, offsetLag, isFuture }))
  return { partitions, error: error === undefined ? null : toJava(error).className, logDir: path }
}
