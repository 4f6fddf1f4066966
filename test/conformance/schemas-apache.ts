// Apache's own message schemas, read from the jars of the installed peer: JSON with // comments, one file per message.
// Nothing of it is copied into the project.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { kafkaLibs } from './support/peers.ts'

export interface ApacheField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly ignorable?: boolean
  readonly entityType?: string
  readonly fields?: readonly ApacheField[]
}

export interface ApacheMessage {
  readonly name: string
  readonly type: string
  readonly apiKey?: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly ApacheField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly ApacheField[] }[]
}

type ApacheFile = Omit<ApacheMessage, 'fields'> & Partial<Pick<ApacheMessage, 'fields'>>

const JARS = ['clients', 'metadata', 'group-coordinator', 'transaction-coordinator', 'share-coordinator', 'storage']

/** What a test says that was told to do without Apache; undefined when it must not. */
export const whySkipped = process.env.KTOOL_SKIP_PEERS === '1' ? 'skipped: KTOOL_SKIP_PEERS is 1' : undefined

/** By name. Fetches the jars when they are not there, and throws when they cannot be had. */
export function readApacheMessages(): Map<string, ApacheMessage> {
  const libs = kafkaLibs()
  const messages = new Map<string, ApacheMessage>()
  for (const artifact of JARS) {
    const jar = readdirSync(libs).find((file) => file.startsWith(`kafka-${artifact}-4.3`))
    if (jar === undefined) throw new Error(`no jar of kafka-${artifact} in ${libs}`)
    const files = unzip(readFileSync(join(libs, jar)), /^(?:common\/)?(message|metadata)\/[^/]+\.json$/)
    for (const text of files.values()) {
      // Requests that 4.0 removed keep a file without fields.
      const { fields = [], ...rest } = JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as ApacheFile
      messages.set(rest.name, { ...rest, fields: fields.map(withVersions) })
    }
  }
  return messages
}

/** A field that says only in which versions it is tagged exists in these, as for Apache's generator. */
function withVersions(field: ApacheField): ApacheField {
  const { versions = field.taggedVersions } = field as Partial<ApacheField>
  return { ...field, versions: versions ?? 'none' }
}

/** The texts of a zip archive's entries whose names match. No archive here needs zip64. */
function unzip(archive: Buffer, wanted: RegExp): Map<string, string> {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  const files = new Map<string, string>()
  let at = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset))
    const name = archive.toString('utf8', at + 46, at + 46 + nameSize)
    if (wanted.test(name)) {
      const local = archive.readUInt32LE(at + 42)
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      const packed = archive.subarray(start, start + archive.readUInt32LE(at + 20))
      const isDeflated = archive.readUInt16LE(at + 10) === 8
      files.set(name, (isDeflated ? inflateRawSync(packed) : packed).toString('utf8'))
    }
    at += 46 + nameSize + extraSize + commentSize
  }
  return files
}
