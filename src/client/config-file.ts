// Files that a configuration names, and those of configurations themselves: read whole, up to a bound, whatever they are.

import { open } from 'node:fs/promises'
import { ConfigError } from './errors.ts'

/** Of a key store or a certificate, too. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

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
