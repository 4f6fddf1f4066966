// A record as one line of JSON, which envelope-parser.ts reads back to the same bytes. Text is copied and escaped, what is not
// UTF-8 is base64, and JSON, where it is asked for as JSON, stands there byte by byte as it is stored.

import { isUtf8 } from 'node:buffer'
import type { ByteOutput } from '../../kernels/byte-output.ts'
import { writeJsonString } from '../../kernels/json-escape.ts'
import { isSpace, valueEnd } from './json-scan.ts'
import { CursorFormat, type RecordFormat } from './record-format.ts'

/** `json`: what is JSON is spliced in, and says so; `string`: it is text like any other. */
export type JsonStyle = 'string' | 'json'

type Encoding = 'utf8' | 'base64' | 'json'

const NOTHING = Buffer.alloc(0)
const [LF, CR] = Buffer.from('\n\r')

export function envelopeFormat({ key = 'string', value = 'string' }: { key?: JsonStyle | undefined; value?: JsonStyle | undefined } = {}): RecordFormat {
  return new CursorFormat((out, { topic, partition, cursor, batch }) => {
    const kind = batch.header.isLogAppendTime ? 'LogAppendTime' : 'CreateTime'
    out.text(`{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${cursor.offset},`)
    out.text(`"timestamp":${cursor.timestamp},"timestampType":"${kind}","key":`)
    const keyEncoding = writeBytes(out, cursor.bytes, cursor.keyStart, cursor.keyEnd, key)
    out.text(',"value":')
    const valueEncoding = writeBytes(out, cursor.bytes, cursor.valueStart, cursor.valueEnd, value)
    out.text(',"headers":[')
    if (cursor.headerCount > 0) {
      cursor.rawHeaders().forEach((header, index) => {
        out.text(index > 0 ? ',{"key":' : '{"key":')
        const nameEncoding = writeBytes(out, header.key, 0, header.key.length, 'string')
        out.text(',"value":')
        const bytes = header.value ?? NOTHING
        const encoding = writeBytes(out, bytes, header.value === null ? -1 : 0, bytes.length, 'string')
        writeEncodings(out, nameEncoding, encoding)
        out.text('}')
      })
    }
    out.text(']')
    writeEncodings(out, keyEncoding, valueEncoding)
    out.text('}\n')
  })
}

function writeEncodings(out: ByteOutput, key: Encoding, value: Encoding): void {
  if (key !== 'utf8') out.text(`,"keyEncoding":"${key}"`)
  if (value !== 'utf8') out.text(`,"valueEncoding":"${value}"`)
}

/** `bytes[start, end)`, or null for a start of −1. */
function writeBytes(out: ByteOutput, bytes: Buffer, start: number, end: number, style: JsonStyle): Encoding {
  if (start < 0) {
    out.text('null')
    return 'utf8'
  }
  if (!isUtf8(bytes.subarray(start, end))) {
    out.text(`"${bytes.toString('base64', start, end)}"`)
    return 'base64'
  }
  if (style === 'json' && isLineOfJson(bytes, start, end)) {
    out.range(bytes, start, end)
    return 'json'
  }
  writeJsonString(out, bytes, start, end)
  return 'utf8'
}

/** JSON that can stand in a line as it is: white space around it, or a newline inside, would not come back. */
function isLineOfJson(bytes: Buffer, start: number, end: number): boolean {
  if (start === end || isSpace(bytes[start]) || isSpace(bytes[end - 1]) || valueEnd(bytes, start, end) !== end) return false
  const text = bytes.subarray(start, end)
  return !text.includes(LF) && !text.includes(CR)
}
