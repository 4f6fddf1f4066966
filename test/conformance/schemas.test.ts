import { describe, expect, test } from 'vitest'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { array, int32, string } from '../../src/protocol/schema.ts'
import { readApacheMessages } from './schemas-apache.ts'
import type { ApacheMessage } from './schemas-apache.ts'
import schemas, { differences } from './schemas.ts'

test(schemas.title, async () => {
  const { passed, failed, skipped, lines } = await schemas.run()
  console.log(`${passed} messages agree, ${failed} do not, ${skipped} skipped`)
  for (const line of lines) console.log(line)
  expect(failed).toBe(0)
  expect(passed > 0 || skipped > 0).toBe(true)
})

// The comparison itself must be able to say no.
describe('a declaration that differs is found', () => {
  const apache = readApacheMessages()?.get('FetchRequest')
  const { fields } = Fetch.request
  const mistakes = {
    'a wrong version': { maxBytes: fields.maxBytes.since(5) },
    'a wrong default': { maxBytes: int32.or(1).ignorable() },
    'a lost ignorable': { maxBytes: int32.or(0x7fffffff) },
    'a wrong type': { maxWaitMs: string },
    'a wrong tag': { clusterId: string.nullable().or(null).ignorable().tagged(2, 12) },
    'a wrong nullability': { forgottenTopicsData: fields.forgottenTopicsData.nullable() },
    'a field inside an array': { topics: array({ topic: string.until(11).ignorable() }) },
  }
  for (const [what, changed] of Object.entries(mistakes)) {
    test.skipIf(apache === undefined)(what, () => {
      const declared = { ...Fetch.request, key: 1, fields: { ...fields, ...changed } }
      expect(differences(declared, apache as ApacheMessage)).not.toEqual([])
    })
  }
  test.skipIf(apache === undefined)('an order that differs', () => {
    const { maxWaitMs, minBytes, ...rest } = fields
    const declared = { ...Fetch.request, key: 1, fields: { minBytes, maxWaitMs, ...rest } }
    expect(differences(declared, apache as ApacheMessage)).not.toEqual([])
  })
})
