// What one node can't show: several brokers, racks, and moves that are under way.

import { expect, test } from 'vitest'
import { propose, throttledReplicas } from '../../../commands/kafka/kafka-reassign-partitions-plan.ts'

const orders = (partition: number, ...replicas: readonly number[]) => ({ topic: 'orders', partition, replicas })
const broker = (nodeId: number, rack: string | null = null) => ({ nodeId, rack })

test('a proposal spreads leaders over all brokers and replicas over racks', () => {
  const brokers = [broker(1, 'a'), broker(2, 'a'), broker(3, 'b'), broker(4, 'b')]
  const proposed = propose([orders(0, 9, 8), orders(1, 9, 8), orders(2, 9, 8), orders(3, 9, 8)], brokers, () => 0)
  expect(new Set(proposed.map(({ replicas }) => replicas[0]))).toEqual(new Set([1, 2, 3, 4]))
  for (const { replicas } of proposed) expect(replicas.some((id) => id <= 2) && replicas.some((id) => id > 2)).toBe(true)
})

test('a proposal needs as many brokers as there are replicas', () => {
  expect(() => propose([orders(0, 1, 2, 3)], [broker(1), broker(2)])).toThrow(
    'The target replication factor of 3 cannot be reached because only 2 broker(s) are registered or some brokers have all their log directories cordoned.',
  )
  expect(() => propose([orders(0, 1)], [])).toThrow('All brokers are currently fenced')
})

test('who sends is throttled as a leader, who takes as a follower, by the sources of the move under way', () => {
  const underWay = [{ topic: 'orders', partition: 1, replicas: [1, 2, 3], adding: [3], removing: [1] }]
  const { byTopic, brokers } = throttledReplicas(underWay, [orders(0, 2, 4), orders(1, 2, 5)], [orders(0, 1, 2), orders(1, 1, 2, 3)])
  expect(byTopic.get('orders')).toEqual({ leaders: '0:1,0:2,1:1,1:2', followers: '0:4,1:5' })
  expect(brokers).toEqual([1, 2, 4, 5])
})
