// Java's .properties files, as Kafka's tools take them with --command-config and the like.

import { isUtf8 } from 'node:buffer'
import { readConfigFile } from './config-file.ts'
import { ConfigError } from './errors.ts'

const MAX_BYTES = 1024 * 1024

/** Later lines win over earlier ones, as in Java. Throws ConfigError that names the path. */
export async function readPropertiesFile(path: string): Promise<Map<string, string>> {
  const bytes = await readConfigFile(path, null)
  if (bytes.length > MAX_BYTES)
    throw new ConfigError(null, `${path} has ${bytes.length} bytes: not a properties file`)
  // Java reads ISO 8859-1 always; what is valid UTF-8 is hardly meant as that.
  return parseProperties(isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1'), path)
}

const COMMENTS = /^[ \t\f]*[#!].*$/gm
const MALFORMED_ESCAPE = /(?<!\\)(?:\\\\)*\\u(?![\dA-Fa-f]{4})/

/** `path` is for error texts. Throws ConfigError, also for what Java refuses. */
export async function parseProperties(text: string, path: string): Promise<Map<string, string>> {
  // A CommonJS module: bundled, all it exports is the default.
  const { default: dotProperties } = await import('dot-properties')
  const properties = new Map<string, string>()
  // The parser would read C:\users as C:users.
  if (MALFORMED_ESCAPE.test(text.replace(COMMENTS, ''))) throw new ConfigError(null, `${path}: Malformed \\uxxxx encoding.`)
  try {
    for (const line of dotProperties.parseLines(text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n'))) {
      if (Array.isArray(line)) properties.set(line[0], line[1])
    }
  } catch (error) {
    throw new ConfigError(null, `${path}: ${(error as Error).message}`, { cause: error })
  }
  return properties
}

/** The text of a properties file that has these. */
export async function formatProperties(properties: ReadonlyMap<string, string>): Promise<string> {
  const { default: dotProperties } = await import('dot-properties')
  return `${dotProperties.stringify(Object.fromEntries(properties), { lineWidth: null })}\n`
}
