// What a broker answers to transactional requests in each state, as lines to compare: errors by name, epochs, phases.

import { AddPartitionsToTxn } from '../../../src/protocol/apis/add-partitions-to-txn.ts'
import { CreateTopics } from '../../../src/protocol/apis/create-topics.ts'
import { DescribeProducers } from '../../../src/protocol/apis/describe-producers.ts'
import { DescribeTransactions } from '../../../src/protocol/apis/describe-transactions.ts'
import { FindCoordinator } from '../../../src/protocol/apis/find-coordinator.ts'
import { ListTransactions } from '../../../src/protocol/apis/list-transactions.ts'
import { Produce } from '../../../src/protocol/apis/produce.ts'
import { WriteTxnMarkers } from '../../../src/protocol/apis/write-txn-markers.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../../src/protocol/reader.ts'
import { GroupClient } from '../../support/group-client.ts'
import { batchOf, RawClient } from '../../support/raw-client.ts'
import { NEW_PROTOCOL, OLD_PROTOCOL, TransactionClient, valuesIn } from '../../support/transaction-client.ts'

export async function transactionAnswers(address: string): Promise<string[]> {
  const [host, port] = address.split(':')
  const client = await RawClient.open(Number(port), host)
  const lines: string[] = []
  const note = (what: string, answer: unknown) => lines.push(`${what}: ${JSON.stringify(answer, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`)
  try {
    await prepare(client)
    await initialize(client, note)
    await oldProtocol(client, note)
    await newProtocol(client, note)
    await betweenBrokers(client, note)
    await offsets(client, note)
    await administration(client, note)
  } finally {
    client.close()
  }
  return lines
}

type Note = (what: string, answer: unknown) => void

async function prepare(client: RawClient): Promise<void> {
  const topic = (name: string) => ({ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] })
  await client.call(CreateTopics, 7, { topics: [topic('t'), topic('u')], timeoutMs: 10_000, validateOnly: false })
  for (const [keyType, key] of [[0, 'g'], [1, 'id']] as const) {
    for (;;) {
      const { coordinators } = await client.call(FindCoordinator, 4, { keyType, coordinatorKeys: [key] })
      if (coordinators[0].errorCode === 0) break
      await pause()
    }
  }
  const warm = new TransactionClient(client, 'warm')
  for (const retry of ['NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS']) while ((await warm.init()) === retry) await pause()
}

/** Apache answers before the markers are written. */
async function settle(producer: TransactionClient): Promise<string> {
  for (;;) {
    const phase = await producer.phase()
    if (!phase.startsWith('Prepare')) return phase
    await pause()
  }
}

async function begin(client: RawClient, id: string, versions = NEW_PROTOCOL): Promise<TransactionClient> {
  const producer = new TransactionClient(client, id, versions)
  while ((await producer.init()) !== 'NONE') await pause()
  return producer
}

async function initialize(client: RawClient, note: Note): Promise<void> {
  const empty = new TransactionClient(client, '')
  note('init of the empty id', await empty.init())
  const producer = new TransactionClient(client, 'init')
  note('timeout 0', await producer.init({ timeoutMs: 0 }))
  note('timeout too long', await producer.init({ timeoutMs: 900_001 }))
  note('epoch without id', await producer.init({ expected: { producerId: -1n, epoch: 1 } }))
  note('id without epoch', await producer.init({ expected: { producerId: 1n, epoch: -1 } }))
  note('a new id that claims to be somebody', await producer.init({ expected: { producerId: 9999n, epoch: 5 } }))
  note('its epoch', producer.epoch)
  const { producerId } = producer
  for (const epoch of [0, 0, 1, 0, 5]) {
    note(`init as epoch ${epoch}`, [await producer.init({ expected: { producerId, epoch } }), producer.epoch])
  }
  note('init as another', await producer.init({ expected: { producerId: producerId + 1000n, epoch: 2 } }))
  note('the same of old', await producer.init({ expected: { producerId: producerId + 1000n, epoch: 2 }, version: 3 }))
  note('anonymous', [await producer.init(), producer.epoch])
  note('described', { ...(await producer.describe()), producerId: 0, transactionStartTimeMs: 0 })
}

async function oldProtocol(client: RawClient, note: Note): Promise<void> {
  const producer = await begin(client, 'old', OLD_PROTOCOL)
  note('old: commit of nothing', await producer.end(true))
  note('old: abort of nothing', await producer.end(false))
  for (const version of [9, 11]) note(`old: send ${version} without adding`, await producer.send('t', ['x'], { version }))
  note('old: add', await producer.add('t', [0]))
  note('old: add again', await producer.add('t', [0, 1]))
  note('old: add some that are not there', await producer.add('t', [0, 7]))
  note('old: add of no topic', await producer.add('nowhere', [0]))
  note('old: add of an internal topic', await producer.add('__transaction_state', [0]))
  note('old: send', await producer.send('t', ['a']))
  note('old: send elsewhere', await producer.send('u', ['a']))
  note('old: offsets without adding', await producer.commitOffset('g', 't', 1))
  note('old: offsets without adding, version 3', await producer.commitOffset('g', 't', 1, { version: 3 }))
  note('old: init over it', await new TransactionClient(client, 'old').init())
  note('old: phase', await settle(producer))
  note('old: send when fenced', await producer.send('t', ['late']))
  note('old: send elsewhere when fenced', await producer.send('u', ['late']))
  for (const version of [0, 1, 2, 4]) note(`old: end ${version} when fenced`, await producer.end(true, version))
  for (const version of [0, 1, 2, 3]) note(`old: add ${version} when fenced`, await producer.add('t', [0], version))
  for (const version of [0, 1, 2, 4]) note(`old: add offsets ${version} when fenced`, await producer.addOffsets('g', version))
  note('old: offsets when fenced', await producer.commitOffset('g', 't', 1))
  const next = await begin(client, 'old', OLD_PROTOCOL)
  note('old: epoch after fencing', next.epoch)
  await next.add('t', [0])
  note('old: new send', await next.send('t', ['b']))
  note('old: commit', await next.end(true))
  note('old: phase', await settle(next))
  note('old: commit again', await next.end(true))
  note('old: abort after it', await next.end(false))
  note('old: send after it', await next.send('t', ['c']))
  note('old: send again what was sent', await next.send('t', ['b'], { sequence: 0 }))
  await next.add('t', [0])
  note('old: abort', await next.end(false))
  note('old: phase', await settle(next))
  note('old: commit after it', await next.end(true))
  note('old: end by the new protocol', [await next.end(false, 5), next.epoch])
  await settle(next)
  const stranger = new TransactionClient(client, 'stranger', OLD_PROTOCOL)
  stranger.producerId = next.producerId
  stranger.epoch = 0
  note('stranger: add', await stranger.add('t'))
  note('stranger: send', await stranger.send('u', ['x']))
  note('stranger: end', await stranger.end(true))
  note('stranger: add offsets', await stranger.addOffsets('g'))
  note('stranger: offsets', await stranger.commitOffset('g', 't', 1))
  note('no id: add', await new TransactionClient(client, '').add('t'))
  note('no id: end', await new TransactionClient(client, '').end(true))
  note('old: values', await valuesIn(client, 't'))
}

async function newProtocol(client: RawClient, note: Note): Promise<void> {
  const producer = await begin(client, 'new')
  const retry = async (isCommit: boolean) => {
    producer.epoch--
    const error = await producer.end(isCommit)
    if (error !== 'NONE') producer.epoch++
    await settle(producer)
    return [error, producer.epoch]
  }
  const end = async (isCommit: boolean) => {
    const error = await producer.end(isCommit)
    return [error, producer.epoch, await settle(producer)]
  }
  note('new: commit of nothing', await end(true))
  note('new: abort of nothing', await end(false))
  note('new: its start', (await producer.describe()).transactionStartTimeMs > 0)
  note('new: sequence 3 of nobody', await producer.send('u', ['x'], { sequence: 3 }))
  note('new: sequence 0', await producer.send('u', ['x'], { sequence: 0 }))
  note('new: sequence 0 again', await producer.send('u', ['x'], { sequence: 0 }))
  note('new: no transactional id', await producer.send('u', ['x'], { transactionalId: null }))
  note('new: another transactional id', await producer.send('t', ['x'], { transactionalId: 'other', partition: 1 }))
  note('new: offsets', await producer.commitOffset('g', 't', 1))
  note('new: described', { ...(await producer.describe()), producerId: 0, transactionStartTimeMs: 0, topics: Object.keys((await producer.describe()).topics).sort() })
  note('new: end of old', await producer.end(true, 4))
  await settle(producer)
  note('new: epoch after it', (await producer.describe()).producerEpoch)
  await producer.send('u', ['y'])
  note('new: commit', await end(true))
  note('new: commit again', await retry(true))
  note('new: abort instead', await retry(false))
  note('new: commit of nothing', await end(true))
  note('new: abort of nothing', await end(false))
  note('new: abort again', await retry(false))
  note('new: commit instead', await retry(true))
  await producer.init()
  note('new: retry after init', await retry(false))
  await producer.send('u', ['z'])
  const late = new TransactionClient(client, 'new')
  Object.assign(late, { producerId: producer.producerId, epoch: producer.epoch })
  note('new: abort', await end(false))
  note('new: late send', await late.send('u', ['late'], { sequence: 1 }))
  note('new: late send elsewhere', await late.send('t', ['late'], { sequence: 0, partition: 1 }))
  note('new: late offsets', await late.commitOffset('g', 't', 1))
  const [one, other] = [await begin(client, 'one'), await begin(client, 'other')]
  note('new: two producers in a request', await twoProducers(client, one, other))
  note('new: values', await valuesIn(client, 'u'))
}

async function twoProducers(client: RawClient, one: TransactionClient, other: TransactionClient): Promise<string[]> {
  const partitionData = [one, other].map(({ producer }, index) => ({
    index,
    records: batchOf(['x'], { ...producer, baseSequence: 0, isTransactional: true }),
  }))
  const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData }]
  const { responses } = await client.call(Produce, 12, { transactionalId: 'one', acks: -1, timeoutMs: 5000, topicData })
  return responses[0].partitionResponses.map(({ errorCode }) => errorName(errorCode))
}

async function betweenBrokers(client: RawClient, note: Note): Promise<void> {
  const producer = await begin(client, 'brokers')
  for (const [verifyOnly, topic, partitions] of [
    [true, 't', [0]], [false, 't', [0]], [true, 't', [0, 1]], [true, 'nowhere', [0]], [false, '__consumer_offsets', [0]],
  ] as const) {
    const transactions = [{ transactionalId: 'brokers', ...producer.producer, verifyOnly, topics: [{ name: topic, partitions }] }]
    const answer = await client.call(AddPartitionsToTxn, 5, { transactions } as never)
    const codes = answer.resultsByTransaction[0].topicResults[0].resultsByPartition
    const sorted = [...codes].sort((a, b) => a.partitionIndex - b.partitionIndex)
    note(`brokers: ${verifyOnly ? 'verify' : 'add'} ${topic} ${partitions.join()}`, sorted.map(({ partitionErrorCode }) => errorName(partitionErrorCode)))
  }
  await producer.end(false)
  await settle(producer)
}

async function offsets(client: RawClient, note: Note): Promise<void> {
  const producer = await begin(client, 'offsets')
  const group = new GroupClient(client, 'g')
  const { memberId, generationId } = await group.joinTwice()
  note('offsets: of no topic', await producer.commitOffset('g', 'nowhere', 1))
  note('offsets: of no partition', await producer.commitOffset('g', 't', 1, { partition: 9 }))
  note('offsets: of no group', await producer.commitOffset('', 't', 1))
  note('offsets: metadata', await producer.commitOffset('g', 't', 1, { metadata: 'x'.repeat(4097) }))
  note('offsets: stranger', await producer.commitOffset('g', 't', 1, { generationId, memberId: 'm' }))
  note('offsets: generation', await producer.commitOffset('g', 't', 1, { generationId: 9, memberId }))
  note('offsets: no such group', await producer.commitOffset('nobody', 't', 1, { generationId: 3, memberId: 'm' }))
  note('offsets: member', await producer.commitOffset('g', 't', 5, { generationId, memberId }))
  note('offsets: outsider', await producer.commitOffset('g', 't', 6))
  note('offsets: version 0', await producer.commitOffset('g', 't', 7, { version: 0 }))
  note('offsets: stable', { ...(await group.committed('t', 9, true)), metadata: '' })
  note('offsets: any', { ...(await group.committed('t')), metadata: '' })
  note('offsets: commit', await producer.end(true))
  await settle(producer)
  note('offsets: stable', { ...(await group.committed('t', 9, true)), metadata: '' })
  note('offsets: add for no group', await producer.addOffsets(''))
  await producer.end(false)
  await settle(producer)
}

async function administration(client: RawClient, note: Note): Promise<void> {
  const producer = await begin(client, 'admin')
  note('describe nobody', await new TransactionClient(client, 'nobody').describe())
  note('describe the empty id', await new TransactionClient(client, '').describe())
  const { transactionStates } = await client.call(DescribeTransactions, 0, { transactionalIds: [] })
  note('describe none', transactionStates)
  const list = async (filters: object) => {
    const request = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null, ...filters }
    const answer = await client.call(ListTransactions, 2, request)
    const ids = answer.transactionStates.map(({ transactionalId, transactionState }) => `${transactionalId} ${transactionState}`)
    return [errorName(answer.errorCode), answer.unknownStateFilters, ids.sort()]
  }
  await producer.send('t', ['x'], { partition: 1 })
  note('list all', await list({}))
  note('list by state', await list({ stateFilters: ['Ongoing', 'Empty'] }))
  note('list by a state that is not', await list({ stateFilters: ['ongoing'] }))
  note('list by states', await list({ stateFilters: ['Dead', 'PrepareEpochFence', 'Nonsense', 'CompleteAbort'] }))
  note('list by age', await list({ durationFilter: 3_600_000 }))
  note('list by pattern', await list({ transactionalIdPattern: 'o.*' }))
  note('list by a part', await list({ transactionalIdPattern: 'l' }))
  note('list by nothing', await list({ transactionalIdPattern: '' }))
  note('list by what is no pattern', await list({ transactionalIdPattern: '(' }))
  const producers = async (name: string, index: number) => {
    const { topics } = await client.call(DescribeProducers, 0, { topics: [{ name, partitionIndexes: [index] }] })
    const { errorCode, errorMessage, activeProducers } = topics[0].partitions[0]
    const found = activeProducers.filter(({ producerId }) => producerId === producer.producerId)
    return [errorName(errorCode), errorMessage, found.map((one) => ({ ...one, producerId: 0, lastTimestamp: 0, currentTxnStartOffset: one.currentTxnStartOffset >= 0 }))]
  }
  for (const [name, index] of [['t', 1], ['t', 9], ['nowhere', 0], ['a b', 0], ['', 0]] as const) {
    note(`producers of ${name}-${index}`, await producers(name, index))
  }
  const mark = async (name: string, epoch: number, coordinatorEpoch: number, transactionVersion: number, index = 1) => {
    const marker = { producerId: producer.producerId, producerEpoch: epoch, transactionResult: false, coordinatorEpoch, transactionVersion }
    const { markers } = await client.call(WriteTxnMarkers, 2, { markers: [{ ...marker, topics: [{ name, partitionIndexes: [index] }] }] })
    return markers.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode))))
  }
  note('mark no topic', await mark('nowhere', 0, 0, 0))
  note('mark no partition', await mark('t', 0, 0, 0, 9))
  note('mark with the epoch of the records', await mark('t', 0, 5, 2))
  note('mark', await mark('t', 0, 5, 0))
  note('mark with an old coordinator', await mark('t', 0, 4, 0))
  note('mark again', await mark('t', 0, 5, 2))
  note('mark with a new epoch', await mark('t', 3, 5, 2))
  note('mark with an old epoch', await mark('t', 2, 5, 0))
  note('mark offsets', await mark('__consumer_offsets', 3, 5, 0))
  note('producers after', await producers('t', 1))
  note('send after', await producer.send('t', ['y'], { partition: 1 }))
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30))
}
