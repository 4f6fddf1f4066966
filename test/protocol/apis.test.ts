import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { messageArbitrary } from './arbitraries.ts'
import { allApis, allMessages, allVersions } from './declarations.ts'

describe('what is encoded comes back', () => {
  test.each(allVersions)('$title', ({ message, version }) => {
    const codec = message.codec(version)
    fc.assert(
      fc.property(messageArbitrary(message, version), ({ given, expected }) => {
        const bytes = codec.encodeAll(given)
        const decoded = codec.decodeAll(bytes)
        expect(decoded).toEqual(expected)
        expect(Object.keys(decoded)).toEqual(Object.keys(message.fields))
        expect(codec.encodeAll(decoded).equals(bytes)).toBe(true)
      }),
      { numRuns: 25 },
    )
  })
})

test('no two declarations share a name or an API key', () => {
  const names = allMessages.map(({ name }) => name)
  const keys = allApis.map(({ key }) => key)
  expect(new Set(names).size).toBe(names.length)
  expect(new Set(keys).size).toBe(keys.length)
  expect(keys).toContain(Fetch.key)
})

test('a version outside the declared ones is refused', () => {
  for (const message of allMessages) {
    const [first, last] = message.versions
    expect(() => message.codec(first - 1)).toThrow(ProtocolError)
    expect(() => message.codec(last + 1)).toThrow(ProtocolError)
  }
})

describe('fields that a version lacks', () => {
  const request = { topics: null, includeTopicAuthorizedOperations: false, includeClusterAuthorizedOperations: false }

  test('are refused when they say something and may not be dropped', () => {
    const codec = Metadata.request.codec(3)
    expect(() => codec.encodeAll({ ...request, allowAutoTopicCreation: false })).toThrow(/allowAutoTopicCreation/)
    expect(() => codec.encodeAll({ ...request, allowAutoTopicCreation: true })).not.toThrow()
  })

  test('are dropped when Apache drops them', () => {
    const codec = Metadata.request.codec(9)
    const topics = [{ topicId: 'Zm9vYmFyZm9vYmFyZm9vYg', name: 'orders' }]
    const [topic] = codec.decodeAll(codec.encodeAll({ ...request, topics })).topics ?? []
    expect(topic).toEqual({ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 'orders' })
  })

  test('null is refused where the version has none', () => {
    expect(() => Metadata.request.codec(0).encodeAll(request)).toThrow(/topics is null/)
    const nameless = [{ topicId: 'Zm9vYmFyZm9vYmFyZm9vYg', name: null }]
    expect(() => Metadata.request.codec(9).encodeAll({ ...request, topics: nameless })).toThrow(/name is null/)
    expect(Metadata.request.codec(1).decodeAll(Buffer.from('ffffffff', 'hex')).topics).toBeNull()
    expect(() => Metadata.request.codec(0).decodeAll(Buffer.from('ffffffff', 'hex'))).toThrow(ProtocolError)
  })
})
