// The formatters of kafka-console-consumer by the names of their Java classes, of all releases.

import type { FaceIo } from '../../src/cli/apache/face.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { COORDINATOR_FORMATS } from '../../src/cli/formats/coordinator-json.ts'
import { type Deserializer, deserializerOf } from '../../src/cli/formats/deserializers.ts'
import { customFormat, type RecordFormat, textFormat } from '../../src/cli/formats/record-format.ts'

export const DEFAULT_FORMATTER = 'org.apache.kafka.tools.consumer.DefaultMessageFormatter'

// Until 0.8.2 kafka.consumer or kafka.tools, with the object's name in front; until 3.9 kafka.tools, or the coordinator's own.
const PACKAGES = /^(org\.apache\.kafka\.tools\.consumer\.(group\.share\.)?|kafka\.(tools|consumer)\.(ConsoleConsumer\$)?|kafka\.(coordinator|server)\.[\w.]*\$)/
const NAMES: ReadonlySet<string> = new Set(['DefaultMessageFormatter', 'LoggingMessageFormatter', 'NoOpMessageFormatter', ...Object.keys(COORDINATOR_FORMATS)])

export function isFormatter(className: string): boolean {
  return PACKAGES.test(className) && NAMES.has(className.replace(PACKAGES, ''))
}

/** `onError`: told of records that can't be printed; without it they end the printing. */
export function formatterOf(
  className: string,
  properties: ReadonlyMap<string, string>,
  io: FaceIo,
  onError: ((error: unknown) => void) | undefined,
): RecordFormat {
  const name = className.replace(PACKAGES, '')
  if (name === 'NoOpMessageFormatter') return customFormat(() => undefined)
  if (Object.hasOwn(COORDINATOR_FORMATS, name)) return customFormat(COORDINATOR_FORMATS[name], { onError })
  // LoggingMessageFormatter logs each record as well, at a level that the tools don't show.
  const deserializer = (field: string): Deserializer | undefined => configured(`${field}.deserializer`, properties, io)
  return textFormat(properties, { key: deserializer('key'), value: deserializer('value'), headers: deserializer('headers'), onError })
}

function configured(key: string, properties: ReadonlyMap<string, string>, io: FaceIo): Deserializer | undefined {
  const className = properties.get(key)
  if (className === undefined) return undefined
  const found = deserializerOf(className)
  if (found === undefined) {
    logLine(io, 'ERROR', `Unable to instantiate a deserializer from ${className}`, 'org.apache.kafka.tools.consumer.DefaultMessageFormatter')
    io.err(`java.lang.ClassNotFoundException: ${className}\n`)
  }
  // Text is printed as the bytes it is, which is quicker.
  return className.endsWith('.StringDeserializer') ? undefined : found
}
