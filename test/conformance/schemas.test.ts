import { describe, expect, test } from 'vitest'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { array, int32, string } from '../../src/protocol/schema.ts'
import { readApacheMessages, whySkipped } from './schemas-apache.ts'
import schemas, { differences } from './schemas.ts'

test.skipIf(whySkipped !== undefined)(schemas.title, async () => {
  const { passed, failed, lines } = await schemas.run()
  console.log([`${passed} messages agree, ${failed} do not`, ...lines].join('\n'))
  expect(failed).toBe(0)
  expect(passed).toBeGreaterThan(70)
})

if (whySkipped !== undefined) console.log(whySkipped)

// The comparison itself must be able to say no.
describe.skipIf(whySkipped !== undefined)('a declaration that differs is found', () => {
  const apache = whySkipped === undefined ? readApacheMessages().get('FetchRequest') : undefined
  const { fields } = Fetch.request
  const forgotten = fields.forgottenTopicsData.settings.element?.settings.fields
  const mistakes = {
    'a wrong version': { maxBytes: fields.maxBytes.since(5) },
    'a wrong default': { maxBytes: int32.or(1).ignorable() },
    'a lost ignorable': { maxBytes: int32.or(0x7fffffff) },
    'a wrong type': { maxWaitMs: string },
    'a wrong tag': { clusterId: string.nullable().or(null).ignorable().tagged(2, 12) },
    'a wrong nullability': { forgottenTopicsData: fields.forgottenTopicsData.nullable() },
    'a field inside an array': { forgottenTopicsData: array({ ...forgotten, topic: string.until(11).ignorable() }).since(7) },
  }
  for (const [what, changed] of Object.entries(mistakes)) {
    test(what, () => {
      const declared = { ...Fetch.request, key: 1, fields: { ...fields, ...changed } }
      expect(differences(Fetch.request, apache)).toEqual([])
      expect(differences(declared, apache)).not.toEqual([])
    })
  }
  test('an order that differs', () => {
    const { maxWaitMs, minBytes, ...rest } = fields
    const declared = { ...Fetch.request, key: 1, fields: { minBytes, maxWaitMs, ...rest } }
    expect(differences(declared, apache)).not.toEqual([])
  })
})
