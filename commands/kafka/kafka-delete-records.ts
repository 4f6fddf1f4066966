// kafka-delete-records (DeleteRecordsCommand of Apache Kafka 4.3).

import { deleteRecords, type DeleteRecordsQuestion } from '../../src/client/admin.ts'
import { type Face, FaceExit, type FaceIo, printTrace } from '../../src/cli/apache/face.ts'
import { readJavaFile } from '../../src/cli/apache/file-text.ts'
import { executionException, JavaError } from '../../src/cli/apache/java-errors.ts'
import { asArray, asObject, field, toInt, toLong, toText, tryParseJson } from '../../src/cli/apache/java-json.ts'
import { checkRequired, DEFAULT_OPTIONS, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import { untilThere } from '../../src/cli/apache/missing-partitions.ts'
import { loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'
import { repeated } from '../../src/cli/apache/repeated.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'server(s) to use for bootstrapping', help: 'REQUIRED: the broker to ask first, HOST:PORT.' },
  'offset-json-file': {
    arg: 'required',
    describedAs: 'Offset json file path',
    help: 'REQUIRED: offsets, before which records go: {"partitions": [{"topic": "foo", "partition": 1, "offset": 1}], "version": 1}. -1 is the end.',
  },
  'command-config': { arg: 'required', describedAs: 'command config property file path', help: 'A file of client properties.' },
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
  maybeHelp(options, argv, 'This tool helps to delete records of the given partitions down to the specified offset.')
  checkRequired(options, 'bootstrap-server', 'offset-json-file')
  const properties = await loadProperties(options.value('command-config'))
  const bootstrapServer = options.value('bootstrap-server')
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
  try {
    const wanted = offsetsIn(await readJavaFile(options.value('offset-json-file') ?? ''))
    io.out('Executing records delete operation\n')
    const asked = untilThere(cluster, 'deleteRecords(api=METADATA)', wanted, (some) => deleteRecords(cluster, some))
    io.out('Records delete operation completed:\n')
    const results = await asked.catch((error: unknown) => wanted.map((partition) => ({ ...partition, result: { ok: false as const, error } })))
    for (const { topic, partition, result } of results) {
      const outcome = result.ok ? `low_watermark: ${result.value.lowWatermark}` : `error: ${executionException(result.error, 'deleteRecords').message}`
      io.out(`partition: ${topic}-${partition}\t${outcome}\n`)
    }
  } finally {
    await cluster.close()
  }
}

function offsetsIn(text: string): DeleteRecordsQuestion[] {
  const json = tryParseJson(text)
  if (json === undefined) throw operationError('The input string is not a valid JSON')
  const fields = asObject(json)
  const given = fields.get('version')
  const version = given === undefined ? 1 : toInt(given)
  if (version !== 1) throw operationError(`Not supported version field value ${version}`)
  const partitions = fields.get('partitions')
  if (partitions === undefined) throw operationError('Missing partitions field')
  const wanted = asArray(partitions).map((item) => {
    const fields = asObject(item)
    const topic = toText(field(fields, 'topic'))
    const partition = toInt(field(fields, 'partition'))
    return { topic, partition, offset: toLong(field(fields, 'offset')) }
  })
  const twice = repeated(wanted.map(({ topic, partition }) => `${topic}-${partition}`), (name) => name)
  if (twice.length > 0) {
    const message = `Offset json file contains duplicate topic partitions: ${twice.join(',')}`
    throw new JavaError('org.apache.kafka.tools.AdminCommandFailedException', message)
  }
  return wanted
}

function operationError(message: string): JavaError {
  return new JavaError('org.apache.kafka.tools.AdminOperationException', message)
}
