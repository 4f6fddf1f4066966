// Java's .properties files, as Kafka's tools take them with --command-config and the like.

import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
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

/** The file's bytes; `key` is the property that named it. */
export async function readConfigFile(path: string, key: string | null): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = READ_ERRORS[code ?? ''] ?? (error as Error).message
    throw new ConfigError(key, `${key === null ? '' : `${key}: `}can't read ${path}: ${why}`, {
      cause: error,
    })
  }
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** `path` is for error texts. */
export async function parseProperties(text: string, path: string): Promise<Map<string, string>> {
  // A CommonJS module: bundled, all it exports is the default.
  const { default: dotProperties } = await import('dot-properties')
  const properties = new Map<string, string>()
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
