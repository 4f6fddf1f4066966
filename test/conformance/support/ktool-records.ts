// ktool itself as writer and reader of the records: text lines in, JSON lines out.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ktool, ktoolEnv } from './broker.ts'
import { ALL_CODECS, framedReader, type Reader, type Writer } from './foreign-records.ts'
import { output, outputBytes } from './peers.ts'
import { type ConformanceRecord, lineRecordAt } from './records.ts'

const NULL = '~' // stands for null in a line
const HEADERS = 'origin:lines,empty:'

let home: string | undefined

function env(): NodeJS.ProcessEnv {
  if (home === undefined) {
    const made = (home = mkdtempSync(join(tmpdir(), 'ktool-home-')))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  return ktoolEnv(home)
}

export function ktoolWriter(): Writer {
  const properties = ['parse.key=true', 'parse.headers=true', `null.marker=${NULL}`]
  const reading = properties.flatMap((property) => ['--property', property])
  return {
    name: 'ktool',
    codecs: ALL_CODECS,
    recordAt: lineRecordAt,
    write: (address, topic, codec, count) => {
      const lines = Array.from({ length: count }, (_, index) => {
        const { key, value } = lineRecordAt(index)
        return `${HEADERS}\t${key?.toString() ?? NULL}\t${value?.toString() ?? NULL}\n`
      })
      const args = ['produce', '-b', address, '--topic', topic, '--partition', '0', '--compression-type', codec, ...reading]
      output(ktool(), args, { input: lines.join(''), env: env() })
    },
  }
}

export function ktoolReader(): Reader {
  return framedReader('ktool', readWithKtool)
}

interface JsonRecord {
  offset: number
  timestamp: number
  key: string | null
  keyEncoding?: 'base64'
  value: string | null
  valueEncoding?: 'base64'
  headers: { key: string; value: string | null; valueEncoding?: 'base64' }[]
}

function* readWithKtool(address: string, topic: string): Generator<readonly [number, ConformanceRecord]> {
  const args = ['consume', '-b', address, '--topic', topic, '--partition', '0', '--from-beginning', '--exit-at-end', '--json']
  const bytes = outputBytes(ktool(), args, { env: env() })
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at)
    const { offset, timestamp, key, keyEncoding, value, valueEncoding, headers } = JSON.parse(bytes.toString('utf8', at, end)) as JsonRecord
    at = end + 1
    const named = headers.map((header) => [header.key, field(header.value, header.valueEncoding)] as const)
    yield [offset, { key: field(key, keyEncoding), value: field(value, valueEncoding), headers: named, timestamp }]
  }
}

function field(text: string | null, encoding: 'base64' | 'utf8' = 'utf8'): Buffer | null {
  return text === null ? null : Buffer.from(text, encoding)
}
