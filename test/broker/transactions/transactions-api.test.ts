// Transactions as raw requests see them: what each API answers in each state, by version. Where a code is asserted,
// Apache Kafka 4.3 was asked.

import { describe, expect, test, vi } from 'vitest'
import { DeleteTopics } from '../../../src/protocol/apis/delete-topics.ts'
import { DescribeProducers } from '../../../src/protocol/apis/describe-producers.ts'
import { FindCoordinator } from '../../../src/protocol/apis/find-coordinator.ts'
import { AddPartitionsToTxn } from '../../../src/protocol/apis/add-partitions-to-txn.ts'
import { InitProducerId } from '../../../src/protocol/apis/init-producer-id.ts'
import { ListTransactions } from '../../../src/protocol/apis/list-transactions.ts'
import { WriteTxnMarkers } from '../../../src/protocol/apis/write-txn-markers.ts'
import { errorName, KafkaError } from '../../../src/protocol/errors.ts'
import { testBroker } from '../../support/broker.ts'
import type { TestBrokerOptions } from '../../support/broker.ts'
import { GroupClient } from '../../support/group-client.ts'
import { NEW_PROTOCOL, OLD_PROTOCOL, TransactionClient, valuesIn } from '../../support/transaction-client.ts'

const STATE = '__transaction_state'

async function producerOn(options: TestBrokerOptions = {}, protocol = NEW_PROTOCOL) {
  const found = await testBroker({ topics: ['t:2', 'u'], ...options })
  const client = await found.connect()
  const producer = new TransactionClient(client, 'id', protocol)
  expect(await producer.init()).toBe('NONE')
  return { ...found, client, producer }
}

describe('the topic of transactions', () => {
  test('is made when a coordinator is looked for, compacted, and internal', async () => {
    const { broker, connect } = await testBroker()
    const client = await connect()
    const { coordinators } = await client.call(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['id'] })
    expect(coordinators[0]).toMatchObject({ errorCode: 0, nodeId: 1 })
    expect(broker.metadata.image.topic(STATE)?.partitions.size).toBe(4)
    expect(Object.fromEntries(broker.metadata.image.configs(2, STATE))).toEqual({
      'cleanup.policy': 'compact', 'compression.type': 'uncompressed', 'segment.bytes': '104857600',
      'unclean.leader.election.enable': 'false', 'min.insync.replicas': '1',
    }) // prettier-ignore
  })

  test('is not made by asking about transactions', async () => {
    const { broker, connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    const producer = new TransactionClient(client, 'id')
    expect((await producer.describe()).error).toBe('NOT_COORDINATOR')
    expect(await producer.end(true)).toBe('NOT_COORDINATOR')
    expect(await client.call(ListTransactions, 1, { stateFilters: [], producerIdFilters: [] })).toMatchObject({
      errorCode: 0, transactionStates: [],
    }) // prettier-ignore
    expect(broker.metadata.image.topic(STATE)).toBeUndefined()
  })
})

describe.each([
  ['the old protocol', OLD_PROTOCOL],
  ['the new protocol', NEW_PROTOCOL],
])('a transaction of %s', (_, protocol) => {
  const isOld = protocol === OLD_PROTOCOL

  test('shows its records when it commits, and never when it aborts', async () => {
    const { client, producer } = await producerOn({}, protocol)
    for (const [value, isCommit] of [['a', true], ['b', false], ['c', true]] as const) {
      if (isOld) expect(await producer.add('t', [0, 1])).toEqual(['NONE', 'NONE'])
      expect(await producer.send('t', [value])).toBe('NONE')
      expect(await producer.send('t', [`${value}1`], { partition: 1 })).toBe('NONE')
      expect(await valuesIn(client, 't')).not.toContain(value)
      expect(await producer.end(isCommit)).toBe('NONE')
      // At once: the markers are there when the answer is.
      expect((await valuesIn(client, 't')).includes(value)).toBe(isCommit)
    }
    expect(await valuesIn(client, 't')).toEqual(['a', 'c'])
    expect(await valuesIn(client, 't', 'committed', 1)).toEqual(['a1', 'c1'])
    expect(await valuesIn(client, 't', 'all')).toEqual(['a', 'b', 'c'])
    expect(producer.epoch).toBe(isOld ? 0 : 3)
  })

  test('has offsets count when it commits; until then they are unstable', async () => {
    const { client, producer } = await producerOn({}, protocol)
    const group = new GroupClient(client, 'g')
    const commit = async (offset: number) => {
      if (isOld) expect(await producer.addOffsets('g')).toBe('NONE')
      expect(await producer.commitOffset('g', 't', offset)).toBe('NONE')
    }
    await commit(5)
    expect(await group.committed('t', 9, true)).toMatchObject({ error: 'UNSTABLE_OFFSET_COMMIT' })
    expect(await producer.end(true)).toBe('NONE')
    expect(await group.committed('t', 9, true)).toMatchObject({ error: 'NONE', offset: 5 })
    await commit(9)
    expect(await producer.end(false)).toBe('NONE')
    expect(await group.committed('t', 9, true)).toMatchObject({ error: 'NONE', offset: 5 })
  })

  test('of a producer that is replaced is aborted, and the producer fenced', async () => {
    const { client, producer } = await producerOn({}, protocol)
    if (isOld) await producer.add('t')
    await producer.send('t', ['old'])
    const next = new TransactionClient(client, 'id', protocol)
    expect(await next.init()).toBe('CONCURRENT_TRANSACTIONS')
    expect(await next.init()).toBe('NONE')
    expect(next.producerId).toBe(producer.producerId)
    expect(next.epoch).toBe(2)
    expect(await producer.send('t', ['late'])).toBe('INVALID_PRODUCER_EPOCH')
    expect(await producer.end(true)).toBe('PRODUCER_FENCED')
    expect(await producer.end(true, 1)).toBe('INVALID_PRODUCER_EPOCH')
    if (isOld) await next.add('t')
    await next.send('t', ['new'])
    await next.end(true)
    expect(await valuesIn(client, 't')).toEqual(['new'])
  })

  test('outlives a topic that is deleted in it', async () => {
    const { client, producer } = await producerOn({}, protocol)
    for (const topic of ['t', 'u']) {
      if (isOld) await producer.add(topic)
      expect(await producer.send(topic, ['x'])).toBe('NONE')
    }
    await client.call(DeleteTopics, 4, { topicNames: ['u'], timeoutMs: 5000 })
    expect(await producer.end(true)).toBe('NONE')
    expect(await producer.phase()).toBe('CompleteCommit')
    expect(await valuesIn(client, 't')).toEqual(['x'])
  })
})

describe('InitProducerId', () => {
  test('checks what it is asked', async () => {
    const { connect } = await testBroker({ properties: { 'transaction.max.timeout.ms': '50000' } })
    const client = await connect()
    const producer = new TransactionClient(client, 'id')
    expect(await producer.init({ timeoutMs: 50_001 })).toBe('INVALID_TRANSACTION_TIMEOUT')
    expect(await producer.init({ timeoutMs: 0 })).toBe('INVALID_TRANSACTION_TIMEOUT')
    expect(await producer.init({ timeoutMs: 50_000 })).toBe('NONE')
    expect(await producer.init({ timeoutMs: 50_000, expected: { producerId: -1n, epoch: 3 } })).toBe('INVALID_REQUEST')
    expect(await producer.init({ timeoutMs: 50_000, expected: { producerId: 3n, epoch: -1 } })).toBe('INVALID_REQUEST')
    const empty = await client.call(InitProducerId, 5, { transactionalId: '', transactionTimeoutMs: 1000 })
    expect(errorName(empty.errorCode)).toBe('INVALID_REQUEST')
  })

  test('gives each caller the next epoch; one who says who it is may come again', async () => {
    const { producer } = await producerOn()
    const { producerId } = producer
    expect(producer.epoch).toBe(0)
    await producer.init()
    expect([producer.producerId, producer.epoch]).toEqual([producerId, 1])
    expect(await producer.init({ expected: { producerId, epoch: 1 } })).toBe('NONE')
    expect(producer.epoch).toBe(2)
    // A retry, whose answer was lost.
    expect(await producer.init({ expected: { producerId, epoch: 1 } })).toBe('NONE')
    expect(producer.epoch).toBe(2)
    expect(await producer.init({ expected: { producerId, epoch: 0 } })).toBe('PRODUCER_FENCED')
    expect(await producer.init({ expected: { producerId, epoch: 0 }, version: 3 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(await producer.init({ expected: { producerId: producerId + 7n, epoch: 2 } })).toBe('PRODUCER_FENCED')
  })
})

describe('AddPartitionsToTxn', () => {
  test('takes all partitions or none', async () => {
    const { producer } = await producerOn({}, OLD_PROTOCOL)
    expect(await producer.add('t', [0, 7])).toEqual(['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(await producer.phase()).toBe('Empty')
    expect(await producer.add(STATE)).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
    expect(await producer.add('t', [0, 1])).toEqual(['NONE', 'NONE'])
    expect(await producer.describe()).toMatchObject({ transactionState: 'Ongoing', topics: { t: [0, 1] } })
  })

  test('knows who may add', async () => {
    const { client, producer } = await producerOn({}, OLD_PROTOCOL)
    const other = new TransactionClient(client, 'nobody')
    expect(await other.add('t')).toEqual(['INVALID_PRODUCER_ID_MAPPING'])
    producer.epoch++
    expect(await producer.add('t')).toEqual(['PRODUCER_FENCED'])
    expect(await producer.add('t', [0], 1)).toEqual(['INVALID_PRODUCER_EPOCH'])
    producer.producerId++
    expect(await producer.add('t')).toEqual(['INVALID_PRODUCER_ID_MAPPING'])
    const empty = new TransactionClient(client, '')
    expect(await empty.add('t')).toEqual(['INVALID_REQUEST'])
  })

  test('between brokers: several transactions, and only a question', async () => {
    const { client, producer } = await producerOn()
    const ask = async (verifyOnly: boolean, partitions: readonly number[], version = 5) => {
      const transactions = [
        { transactionalId: 'id', ...producer.producer, verifyOnly, topics: [{ name: 't', partitions }] },
        { transactionalId: 'other', ...producer.producer, verifyOnly, topics: [{ name: 't', partitions: [0] }] },
      ]
      const answer = await client.call(AddPartitionsToTxn, version, { transactions } as never)
      expect(answer.errorCode).toBe(0)
      const [first, second] = answer.resultsByTransaction.map(({ topicResults }) =>
        topicResults[0].resultsByPartition.map(({ partitionErrorCode }) => errorName(partitionErrorCode)),
      )
      expect(second).toEqual(['INVALID_PRODUCER_ID_MAPPING'])
      return first
    }
    expect(await ask(true, [0])).toEqual(['TRANSACTION_ABORTABLE'])
    expect(await ask(false, [0], 4)).toEqual(['NONE'])
    expect(await ask(true, [0, 1])).toEqual(['NONE', 'TRANSACTION_ABORTABLE'])
  })
})

describe('Produce', () => {
  test('needs the transactional id', async () => {
    const { producer } = await producerOn()
    expect(await producer.send('t', ['x'], { transactionalId: null })).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  })

  test('of old clients needs the partition in the transaction', async () => {
    const { client, producer } = await producerOn({}, OLD_PROTOCOL)
    expect(await producer.send('t', ['x'], { version: 11 })).toBe('TRANSACTION_ABORTABLE')
    expect(await producer.send('t', ['x'], { version: 10 })).toBe('INVALID_TXN_STATE')
    await producer.add('t', [1])
    expect(await producer.send('t', ['x'])).toBe('TRANSACTION_ABORTABLE')
    expect(await producer.send('t', ['x'], { partition: 1 })).toBe('NONE')
    expect(await valuesIn(client, 't', 'all')).toEqual([])
    await producer.end(true)
    expect(await producer.send('t', ['y'], { partition: 1 })).toBe('TRANSACTION_ABORTABLE')
    const stranger = new TransactionClient(client, 'stranger', OLD_PROTOCOL)
    stranger.producerId = 77n
    stranger.epoch = 0
    expect(await stranger.send('t', ['x'])).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  test('of old clients is not checked where the broker is told not to', async () => {
    const properties = { 'transaction.partition.verification.enable': 'false' }
    const { client, producer } = await producerOn({ properties }, OLD_PROTOCOL)
    expect(await producer.send('t', ['x'])).toBe('NONE')
    expect(await valuesIn(client, 't', 'all')).toEqual(['x'])
  })

  test('of new clients adds the partition', async () => {
    const { producer } = await producerOn()
    expect(await producer.send('t', ['x'], { partition: 1 })).toBe('NONE')
    expect(await producer.describe()).toMatchObject({ transactionState: 'Ongoing', topics: { t: [1] } })
    await producer.end(true)
    producer.epoch--
    expect(await producer.send('t', ['late'], { partition: 1, sequence: 1 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(await producer.send('t', ['late'], { sequence: 0 })).toBe('INVALID_PRODUCER_EPOCH')
  })

  test.each([
    ['old', OLD_PROTOCOL, 'verify'],
    ['new', NEW_PROTOCOL, 'add'],
  ] as const)('of %s clients goes on with the lowest sequence that came (KIP-890)', async (_, protocol, ask) => {
    const { broker, client, producer } = await producerOn({}, protocol)
    if (protocol === OLD_PROTOCOL) await producer.add('t')
    // What the log knows of a producer may be gone, with its records; then it takes any sequence.
    const start = protocol === OLD_PROTOCOL ? 7 : 0
    vi.spyOn(broker.transactions, ask).mockRejectedValueOnce(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS'))
    expect(await producer.send('t', ['a'], { sequence: start })).toBe('NOT_ENOUGH_REPLICAS')
    expect(await producer.send('t', ['b'], { sequence: start + 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(await producer.send('t', ['a'], { sequence: start })).toBe('NONE')
    expect(await producer.send('t', ['b'], { sequence: start + 1 })).toBe('NONE')
    expect(await producer.end(true)).toBe('NONE')
    expect(await valuesIn(client, 't')).toEqual(['a', 'b'])
    // The next transaction begins where it is, with what came first for it.
    if (protocol === OLD_PROTOCOL) await producer.add('t')
    expect(await producer.send('t', ['c'], { sequence: protocol === OLD_PROTOCOL ? start + 2 : 0 })).toBe('NONE')
  })

  test('of new clients begins with sequence 0', async () => {
    const { client, producer } = await producerOn()
    expect(await producer.send('t', ['x'], { sequence: 3 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(await producer.send('t', ['x'], { sequence: 0 })).toBe('NONE')
    expect(await producer.send('t', ['x'], { sequence: 0 })).toBe('NONE')
    expect(await valuesIn(client, 't', 'all')).toEqual(['x'])
  })
})

describe('EndTxn', () => {
  test('of old clients', async () => {
    const { client, producer } = await producerOn({}, OLD_PROTOCOL)
    expect(await producer.end(true)).toBe('INVALID_TXN_STATE')
    expect(await producer.end(false)).toBe('INVALID_TXN_STATE')
    await producer.add('t')
    expect(await producer.end(true)).toBe('NONE')
    expect(await producer.end(true)).toBe('NONE')
    expect(await producer.end(false)).toBe('INVALID_TXN_STATE')
    producer.producerId++
    expect(await producer.end(true)).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await new TransactionClient(client, 'nobody').end(true)).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await new TransactionClient(client, '').end(true)).toBe('INVALID_REQUEST')
  })

  test('of new clients gives the next epoch, and knows a retry', async () => {
    const { producer } = await producerOn()
    const retry = async (isCommit: boolean) => {
      producer.epoch--
      const error = await producer.end(isCommit)
      if (error !== 'NONE') producer.epoch++
      return error
    }
    expect(await producer.end(true)).toBe('INVALID_TXN_STATE')
    expect(await producer.end(false)).toBe('NONE')
    expect(producer.epoch).toBe(1)
    await producer.send('t', ['x'])
    expect(await producer.end(true)).toBe('NONE')
    expect([await retry(true), producer.epoch]).toEqual(['NONE', 2])
    expect([await retry(false), producer.epoch]).toEqual(['INVALID_TXN_STATE', 2])
    expect(await producer.end(true)).toBe('INVALID_TXN_STATE')
    expect([await producer.end(false), producer.epoch]).toEqual(['NONE', 3])
    expect([await retry(false), producer.epoch]).toEqual(['NONE', 3])
    expect([await retry(true), producer.epoch]).toEqual(['INVALID_TXN_STATE', 3])
    await producer.init()
    expect([await retry(false), producer.epoch]).toEqual(['PRODUCER_FENCED', 4])
  })
})

describe('TxnOffsetCommit', () => {
  test('checks the member, the topic and the transaction', async () => {
    const { client, producer } = await producerOn({}, OLD_PROTOCOL)
    expect(await producer.commitOffset('g', 't', 1)).toBe('TRANSACTION_ABORTABLE')
    expect(await producer.commitOffset('g', 't', 1, { version: 3 })).toBe('INVALID_TXN_STATE')
    expect(await producer.addOffsets('g')).toBe('NONE')
    expect(await producer.commitOffset('g', 'nowhere', 1)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await producer.commitOffset('g', 't', 1, { partition: 9 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await producer.commitOffset('', 't', 1)).toBe('INVALID_GROUP_ID')
    expect(await producer.commitOffset('g', 't', 1, { metadata: 'x'.repeat(4097) })).toBe('OFFSET_METADATA_TOO_LARGE')
    expect(await producer.commitOffset('g', 't', 1, { generationId: 3, memberId: 'm' })).toBe('ILLEGAL_GENERATION')
    const member = new GroupClient(client, 'g')
    const { memberId, generationId } = await member.joinTwice()
    expect(await producer.commitOffset('g', 't', 1, { generationId, memberId: 'm' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await producer.commitOffset('g', 't', 1, { generationId: 9, memberId })).toBe('ILLEGAL_GENERATION')
    expect(await producer.commitOffset('g', 't', 1, { generationId, memberId })).toBe('NONE')
    expect(await producer.commitOffset('g', 't', 1, { version: 0 })).toBe('NONE')
    producer.epoch--
    expect(await producer.commitOffset('g', 't', 2)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await producer.addOffsets('g')).toBe('PRODUCER_FENCED')
    expect(await producer.addOffsets('g', 1)).toBe('INVALID_PRODUCER_EPOCH')
  })
})

describe('an administrator', () => {
  test('lists transactions by state, producer, age and pattern', async () => {
    const { client, producer } = await producerOn()
    await new TransactionClient(client, 'other').init()
    await producer.send('t', ['x'])
    const list = async (filters: object) => {
      const request = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null, ...filters }
      const answer = await client.call(ListTransactions, 2, request)
      expect(answer.unknownStateFilters).toEqual('stateFilters' in filters ? ['Nonsense'] : [])
      return answer.errorCode === 0 ? answer.transactionStates.map(({ transactionalId }) => transactionalId).sort() : errorName(answer.errorCode)
    }
    expect(await list({})).toEqual(['id', 'other'])
    expect(await list({ stateFilters: ['Ongoing', 'Nonsense'] })).toEqual(['id'])
    expect(await list({ producerIdFilters: [producer.producerId] })).toEqual(['id'])
    expect(await list({ durationFilter: 60_000 })).toEqual(['other']) // has none: its start is -1, as in Kafka
    expect(await list({ transactionalIdPattern: 'o.*' })).toEqual(['other'])
    expect(await list({ transactionalIdPattern: 'the' })).toEqual([])
    expect(await list({ transactionalIdPattern: '' })).toEqual(['id', 'other'])
    expect(await list({ transactionalIdPattern: '(?i)I[[:alpha:]]' })).toEqual(['id'])
    expect(await list({ transactionalIdPattern: '(' })).toBe('INVALID_REGULAR_EXPRESSION')
    // RE2's syntax, and no pattern takes for ever.
    expect(await list({ transactionalIdPattern: '(?=i)id' })).toBe('INVALID_REGULAR_EXPRESSION')
    expect(await list({ transactionalIdPattern: '(i|d|.*)*x' })).toEqual([])
    await new TransactionClient(client, 'zahlung-ü').init()
    expect(await list({ transactionalIdPattern: 'z.*-.' })).toEqual(['zahlung-ü'])
  })

  test('is not told of what nobody knows', async () => {
    const { client } = await producerOn()
    expect((await new TransactionClient(client, 'nobody').describe()).error).toBe('TRANSACTIONAL_ID_NOT_FOUND')
    expect((await new TransactionClient(client, '').describe()).error).toBe('INVALID_REQUEST')
  })

  test('finds a hanging transaction in a partition, and ends it', async () => {
    const properties = { 'transaction.partition.verification.enable': 'false' }
    const { client, producer } = await producerOn({ properties }, OLD_PROTOCOL)
    await producer.send('t', ['x'])
    const describe = async (topic: string, index: number) => {
      const { topics } = await client.call(DescribeProducers, 0, { topics: [{ name: topic, partitionIndexes: [index] }] })
      return { ...topics[0].partitions[0], error: errorName(topics[0].partitions[0].errorCode) }
    }
    expect(await describe('t', 0)).toMatchObject({
      error: 'NONE',
      activeProducers: [{ ...producer.producer, lastSequence: 0, coordinatorEpoch: -1, currentTxnStartOffset: 0 }],
    })
    expect((await describe('t', 9)).error).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect((await describe('nowhere', 0)).error).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect((await describe('a b', 0)).error).toBe('INVALID_TOPIC_EXCEPTION')
    const mark = async (topic: string, coordinatorEpoch: number, epoch = 0, transactionVersion = 0) => {
      const marker = { producerId: producer.producerId, producerEpoch: epoch, transactionResult: false, coordinatorEpoch, transactionVersion }
      const answer = await client.call(WriteTxnMarkers, 2, { markers: [{ ...marker, topics: [{ name: topic, partitionIndexes: [0] }] }] })
      return errorName(answer.markers[0].topics[0].partitions[0].errorCode)
    }
    expect(await mark('nowhere', 0)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await mark('t', 5, 0, 2)).toBe('INVALID_PRODUCER_EPOCH')
    expect(await mark('t', 5)).toBe('NONE')
    expect(await mark('t', 4)).toBe('TRANSACTION_COORDINATOR_FENCED')
    expect(await mark('t', 5, 0, 2)).toBe('NONE')
    expect(await describe('t', 0)).toMatchObject({ activeProducers: [{ coordinatorEpoch: 5, currentTxnStartOffset: -1 }] })
    expect(await valuesIn(client, 't')).toEqual([])
  })
})
