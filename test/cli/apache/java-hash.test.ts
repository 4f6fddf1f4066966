import { expect, test } from 'vitest'
import { inHashOrder, partitionHash, stringHash } from '../../../src/cli/apache/java-hash.ts'

test('hash codes are those of String and TopicPartition', () => {
  expect(stringHash('')).toBe(0)
  expect(stringHash('orders')).toBe(-1008770331)
  expect(stringHash('Aa')).toBe(stringHash('BB'))
})

test('things come as a HashMap of Java has them', () => {
  // As kafka-consumer-groups 4.3 prints a plan for a topic of 20 partitions.
  const places = Array.from({ length: 20 }, (_, partition) => ({ topic: 'wide', partition }))
  const order = inHashOrder(places, partitionHash).map(({ partition }) => partition)
  expect(order).toEqual([0, 1, 2, 3, 4, 13, 14, 15, 16, 17, 18, 19, 5, 6, 7, 8, 9, 10, 11, 12])
  expect(inHashOrder(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'], stringHash)).toEqual(['SASL_SSL', 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT'])
  expect(inHashOrder(['live', 'planned', 'readers', 'modern', 'shared'], stringHash)).toEqual(['shared', 'modern', 'readers', 'planned', 'live'])
})

test('what shares a place stays in order', () => {
  expect(inHashOrder(['BB', 'Aa'], stringHash)).toEqual(['BB', 'Aa'])
})
