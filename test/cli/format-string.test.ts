import { describe, expect, it } from 'vitest'
import { formatString, kcatFormat } from '../../src/cli/formats/format-string.ts'
import type { RecordFormat } from '../../src/cli/formats/record-format.ts'
import { ByteOutput } from '../../src/kernels/byte-output.ts'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'

const TIME = Date.UTC(2026, 2, 1, 9, 5, 7, 80)
const header = (key: string, value: string | null) => ({ key, value: value === null ? null : Buffer.from(value) })

function print(format: RecordFormat, key: Buffer | string | null = 'key', value: Buffer | string | null = 'val', headers = [header('a', '1'), header('b', null), header('a', '2')]): Buffer {
  const builder = new BatchBuilder(1 << 20)
  const bytes = (field: Buffer | string | null) => (typeof field === 'string' ? Buffer.from(field) : field)
  builder.append(bytes(key), bytes(value), headers, TIME)
  const batch = builder.finish({ codec: 'gzip', baseOffset: 300, producerId: 9n, producerEpoch: 2, baseSequence: 0, isTransactional: true, leaderEpoch: 4 })
  const head = readBatchHeader(batch, 0)
  const ends = { logStart: 100, lastStable: 200, highWatermark: 400 }
  const fetched = { topic: 'top', partition: 17, bytes: batch, from: 0, until: Infinity, next: 301, aborted: [], codecs: new Set<never>(), ends }
  const out = new ByteOutput()
  format.start({ header: head, records: recordsOf(batch, 0, head, 1 << 20) }, fetched)
  format.print(out, Infinity)
  return Buffer.from(out.bytes.subarray(0, out.at))
}

describe("franz-go's verbs", () => {
  it.each([
    ['%t/%p/%o %k=%v\\n', 'top/17/300 key=val\n'], ['%T %K %V %H', '3 3 3 3'], ['%h{%k=%v }', 'a=1 b= a=2 '], ['%h{%K%k%V{hex8}%v,}', '1a011,1b00,1a012,'],
    ['%e %x %y %i %[ %| %]', '4 9 2 1 100 200 400'], ['%d', String(TIME)], ['%d{hex64}', TIME.toString(16).padStart(16, '0')],
    ['%d{strftime[%F %T %j %a %b %e %I%p %Z]}', '2026-03-01 09:05:07 060 Sun Mar  1 09AM UTC'], ['%d{strftime##%G-W%V-%u %U %W %y%%##}', '2026-W09-7 09 08 26%'],
    ['%d{go[2006-01-02T15:04:05.000Z07:00]}', '2026-03-01T09:05:07.080Z'], ['%d{go##Mon, _2 Jan 2006 3:04PM .999 -0700##}', 'Sun,  1 Mar 2026 9:05AM .08 +0000'],
    ['%d{iso}', '2026-03-01T09:05:07.080Z'], ['%a{compression} %a{compression;number} %a{timestamp-type} %a{transactional-bit;bool} %a{control-bit}', 'gzip 1 0 true 0'],
    ['%k{hex} %v{base64} %v{base64raw} %t{hex}', '6b6579 dmFs dmFs 746f70'], ['%v{json} %k{trunc:2}', '"val" ke'], ['%h{a} %h{b} %h{c}.', '2  .'],
    ['%p{hex} %p{hex32} %p{hex4} %p{bool} %p{ascii} %p{number} %p{}', '11 00000011 1 true 17 17 17'], ['%%%{%}\\t\\r\\\\\\x41', '%{}\t\r\\A'],
    ['%D %A', '0 0'], ['%k{unpack[>b<hx]}', '10731077'], ['%v{unpack{{c.$}}}', 'va%!$(not end-of-input)'], ['%v{unpack(<q)}', '%!(have 3 bytes, need 8)'], ['ü', 'ü'],
  ])('%s', (layout, text) => {
    expect(print(formatString(layout)).toString()).toBe(text)
  }) // prettier-ignore

  it('write numbers as bytes', () => {
    expect(print(formatString('%o{big64}%o{big32}%o{big16}%o{big8}%o{little64}%o{little32}%o{little16}%o{byte}')).toString('hex')).toBe(
      '000000000000012c' + '0000012c' + '012c' + '2c' + '2c01000000000000' + '2c010000' + '2c01' + '2c',
    )
  })

  it('print nothing for null, and bytes as they are', () => {
    expect(print(formatString('[%k|%v|%K|%V|%h{%k}|%v{json}]'), null, null, []).toString()).toBe('[||0|0||null]')
    const odd = Buffer.from([0xff, 0, 10])
    expect(print(formatString('%v'), null, odd)).toEqual(odd)
  })

  it.each(['%q', '%', '%h', '%h{}', '%h{%p}', '%v{hex', '%v{octal}', '%p{strftime[%F]}', '%a', '%a{x}', '%a{compression;x}', '%d{go}', '%d{strftime[%Q]}', '\\q', '\\x4', '%v{unpack[z]}', '%v{unpack[sb]}'])('%s is a usage error', (layout) => {
    expect(() => formatString(layout)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error)
  })

  it("name what kcat's verbs are called here", () => {
    expect(() => formatString('%s\\n')).toThrow(expect.objectContaining({ hint: "kcat's %s is %v here; or give the string to --kcat-format" }) as Error)
  })
})

describe("kcat's verbs", () => {
  it.each([
    ['%t [%p] at %o: %k %K %s %S %T %h %%\\n', `top [17] at 300: key 3 val 3 ${TIME} a=1,b=NULL,a=2 %\n`],
    ['%R%s', '\0\0\0\x03val'], ['a\\tb\\x41', 'a\tbA'],
  ])('%s', (layout, text) => {
    expect(print(kcatFormat(layout)).toString()).toBe(text)
  }) // prettier-ignore

  it('have -1 for the length of null', () => {
    expect(print(kcatFormat('%k|%K|%s|%S|%h|%R'), null, null, []).toString('latin1')).toBe('|-1||-1||\xff\xff\xff\xff')
  })

  it.each(['%v', '%', '%q'])('%s is a usage error', (layout) => {
    expect(() => kcatFormat(layout)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error)
  })
})
