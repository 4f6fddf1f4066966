// --add-config and --delete-config, as in Kafka: asked of kafka-configs 4.3.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAddConfig, parseDeleteConfig } from '../../src/cli/verbs/configs.ts'
import { parseReplicaAssignment, parseTopicConfigs } from '../../src/cli/verbs/topics.ts'

test.each([
  ['a=1', { a: '1' }],
  ['a=1,b=2', { a: '1', b: '2' }],
  ['cleanup.policy=[compact,delete],a=1', { 'cleanup.policy': 'compact,delete', a: '1' }],
  [' a = 1 , b=2', { a: '1', b: '2' }],
  ['a=', { a: '' }],
  ['a=1,,b=2,', { a: '1', b: '2' }],
])('%j', (text, expected) => {
  expect(Object.fromEntries(parseAddConfig(text))).toEqual(expected)
})

test.each(['a', '=1', 'a=[1,2', '', ',,', 'a b=1'])('%j is a usage error', (text) => {
  expect(() => parseAddConfig(text)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error)
})

test('any values come back, whatever commas they have', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'b', ',', '.', '1', ':'), maxLength: 10 })
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z.]{1,8}$/), value, { minKeys: 1 }), (pairs) => {
      const text = Object.entries(pairs).map(([name, text]) => `${name}=[${text}]`).join(',')
      expect(Object.fromEntries(parseAddConfig(text))).toEqual({ ...pairs })
    }),
  )
})

test('lists of names, settings and replicas', () => {
  expect(parseDeleteConfig(' a, b,,')).toEqual(['a', 'b'])
  expect(Object.fromEntries(parseTopicConfigs(['a=b=c', 'd = ']))).toEqual({ a: 'b=c', d: '' })
  expect(parseReplicaAssignment('1:2,3')).toEqual([[1, 2], [3]])
  expect(() => parseReplicaAssignment('1:x')).toThrow(/takes broker ids/)
})
