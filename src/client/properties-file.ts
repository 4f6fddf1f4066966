// Java's .properties files, as Kafka's tools take them with --command-config and the like.

import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { ConfigError } from './errors.ts'

const MAX_BYTES = 1024 * 1024
/** Of a key store or a certificate, too. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** Later lines win over earlier ones, as in Java. Throws ConfigError that names the path. */
export async function readPropertiesFile(path: string): Promise<Map<string, string>> {
  const bytes = await readConfigFile(path, null)
  if (bytes.length > MAX_BYTES)
    throw new ConfigError(null, `${path} has ${bytes.length} bytes: not a properties file`)
  // Java reads ISO 8859-1 always; what is valid UTF-8 is hardly meant as that.
  return parseProperties(isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1'), path)
}

/** The file's bytes, 16 MiB at most; `key` is the property that named it. Reads what has no size, such as a pipe. */
export async function readConfigFile(path: string, key: string | null): Promise<Buffer> {
  try {
    return await readWhole(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = READ_ERRORS[code ?? ''] ?? (error as Error).message
    throw new ConfigError(key, `${key === null ? '' : `${key}: `}can't read ${path}: ${why}`, {
      cause: error,
    })
  }
}

/** The same with Node's own errors. */
export async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    let bytes = Buffer.allocUnsafe(64 * 1024)
    for (let size = 0; ; ) {
      const { bytesRead } = await file.read(bytes, size, bytes.length - size, null)
      if (bytesRead === 0) return bytes.subarray(0, size)
      size += bytesRead
      if (size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`)
      if (size === bytes.length) bytes = Buffer.concat([bytes], 2 * size)
    }
  } finally {
    await file.close()
  }
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
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
