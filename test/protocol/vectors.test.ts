// Bytes that others wrote. vectors/<api>-v<version>-<client>.json hold a request that a foreign client sent to Apache
// Kafka 4.3 and the broker's answer (taken with test/conformance/capture-vectors.mjs); metadata-records.json and
// control-records.json hold records of its metadata log and snapshots, with what kafka-dump-log says of them;
// coordinator-records.json is read by coordinator-records.test.ts.
// Each must decode to the last byte and encode to the very same bytes again.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encodeRequestFrame, encodeResponseFrame } from '../../src/protocol/frames.ts'
import { decodeResponsePayload, readRequestHeader, skipHeaderTags } from '../../src/protocol/frames.ts'
import { Reader } from '../../src/protocol/reader.ts'
import * as control from '../../src/protocol/records/control.ts'
import { METADATA_RECORDS } from '../../src/protocol/records/metadata-schemas.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/protocol/records/metadata.ts'
import type { MetadataRecordName } from '../../src/protocol/records/metadata.ts'
import type { Fields, Message } from '../../src/protocol/schema.ts'
import { asJson } from './as-json.ts'
import { allApis } from './declarations.ts'

interface Vector {
  readonly api: string
  readonly version: number
  readonly client: string
  readonly request: string
  readonly response: string
}

const folder = new URL('vectors/', import.meta.url)
const load = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
const files = readdirSync(folder).filter((file) => /-v\d+-[\w-]+\.json$/.test(file))
const apis = new Map(allApis.map((api) => [api.name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase(), api]))

/** Bytes that clients send too many, which Apache's broker passes over: librdkafka 2.16 ends one request twice. */
const SURPLUS = new Map([['alter-user-scram-credentials-v0-confluent-kafka.json', 1]])

function decode(file: string) {
  const vector = load(file) as Vector
  const api = apis.get(vector.api)
  if (api === undefined) throw new Error(`${vector.api} is not declared`)
  const requestBytes = Buffer.from(vector.request, 'hex')
  const responseBytes = Buffer.from(vector.response, 'hex')
  const from = new Reader(requestBytes)
  const header = readRequestHeader(from)
  if (vector.version >= api.flexible) skipHeaderTags(from)
  const request = api.request.codec(vector.version).decode(from)
  const response = decodeResponsePayload(api, vector.version, responseBytes.subarray(4))
  return { ...vector, api, header, request, response, requestBytes, responseBytes, left: from.remaining }
}

test('there are vectors for every API', () => {
  const seen = new Set(files.map((file) => file.replace(/-v\d+-.*/, '')))
  expect([...apis.keys()].filter((api) => !seen.has(api))).toEqual([])
})

describe('foreign requests and answers', () => {
  test.each(files)('%s', (file) => {
    const { api, version, header, request, response, requestBytes, responseBytes, left } = decode(file)
    expect(header).toMatchObject({ apiKey: api.key, apiVersion: version })
    expect(left).toBe(SURPLUS.get(file) ?? 0)
    const meant = requestBytes.subarray(0, requestBytes.length - left)
    expect(unframed(encodeRequestFrame(api, version, header, request))).toBe(meant.toString('hex'))
    const answer = encodeResponseFrame(api, version, header.correlationId, response)
    expect(unframed(answer)).toBe(responseBytes.toString('hex'))
  })
})

// Round trips alone would pass if two fields of one type were swapped: these say what the clients meant.
describe('what they say', () => {
  const metadataVersion = { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 }
  const said: Record<string, { request: object; response: object }> = {
    'produce-v13-java': {
      request: { transactionalId: null, acks: -1, topicData: [{ name: '', partitionData: [{ index: 0 }, { index: 2 }] }] },
      response: { responses: [{ partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 0 }, { index: 2 }] }] },
    },
    'produce-v10-confluent-kafka-transactional': {
      request: { transactionalId: 'tx', acks: -1, topicData: [{ name: 'inventory', partitionData: [{ index: 0 }] }] },
      response: { responses: [{ name: 'inventory', partitionResponses: [{ baseOffset: 1, logAppendTimeMs: -1 }] }] },
    },
    'fetch-v18-java': {
      request: { maxWaitMs: 500, minBytes: 1, maxBytes: 52428800, isolationLevel: 0, replicaId: -1 },
      response: { errorCode: 0, responses: [{ topic: '', partitions: [{ errorCode: 0, logStartOffset: 0 }] }] },
    },
    'fetch-v11-kcat': {
      request: { maxWaitMs: 500, topics: [{ topic: 'orders', partitions: [{ partition: 0 }] }], rackId: '' },
      response: { responses: [{ topic: 'orders', partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 3 }] }] },
    },
    'list-offsets-v7-confluent-kafka': {
      request: { topics: [{ name: 'payments', partitions: [{ timestamp: -1 }, { partitionIndex: 1, timestamp: -2 }] }] },
      response: { topics: [{ name: 'payments', partitions: [{ offset: 1, leaderEpoch: 0 }, { offset: 0 }] }] },
    },
    'metadata-v6-kafkajs': {
      request: { topics: [{ name: 'events' }], allowAutoTopicCreation: false },
      response: { brokers: [{ nodeId: 1, host: '127.0.0.1' }], controllerId: 1, topics: [{ name: 'events', errorCode: 0 }] },
    },
    'create-topics-v4-confluent-kafka': {
      request: { topics: [{ name: 'payments', numPartitions: 2, configs: [{ name: 'retention.ms' }] }, { name: 'orders' }] },
      response: {
        topics: [{ name: 'payments', errorCode: 0 }, { errorCode: 36, errorMessage: "Topic 'orders' already exists." }],
      },
    },
    'delete-topics-v4-confluent-kafka': {
      request: { topicNames: ['dry', 'payments'], timeoutMs: 60000 },
      response: { responses: [{ name: 'payments', errorCode: 0 }, { name: 'dry', errorCode: 3 }] },
    },
    'delete-records-v2-java': {
      request: { topics: [{ name: 'inventory', partitions: [{ partitionIndex: 0, offset: -1 }] }] },
      response: { topics: [{ partitions: [{ partitionIndex: 0, lowWatermark: 1, errorCode: 0 }] }] },
    },
    'init-producer-id-v5-java': {
      request: { transactionalId: null, transactionTimeoutMs: 2147483647, producerId: -1n, producerEpoch: -1 },
      response: { errorCode: 0, producerId: 7n, producerEpoch: 0 },
    },
    'offset-for-leader-epoch-v4-java': {
      request: { replicaId: -1, topics: [{ topic: 'orders', partitions: [{ currentLeaderEpoch: 2, leaderEpoch: 0 }] }] },
      response: { topics: [{ partitions: [{ errorCode: 0, leaderEpoch: 0, endOffset: 5 }] }] },
    },
    'describe-configs-v4-kafka-python': {
      request: { resources: [{ resourceType: 2, resourceName: 'shipments' }], includeSynonyms: true },
      response: {
        results: [
          {
            configs: [
              { name: 'cleanup.policy', configType: 7, configSource: 5 },
              { name: 'retention.ms', value: '86400000', configSource: 1 },
            ],
          },
        ],
      },
    },
    'incremental-alter-configs-v1-java': {
      request: { resources: [{ configs: [{ name: 'retention.ms', configOperation: 0, value: '1000000' }] }] },
      response: { responses: [{ errorCode: 0, resourceType: 2, resourceName: 'inventory' }] },
    },
    'create-partitions-v3-java': {
      request: { topics: [{ name: 'inventory', count: 3, assignments: null }], timeoutMs: 30000, validateOnly: false },
      response: { results: [{ name: 'inventory', errorCode: 0 }] },
    },
    'describe-cluster-v2-kafka-python': {
      request: { includeClusterAuthorizedOperations: true, endpointType: 1, includeFencedBrokers: true },
      response: { controllerId: 1, brokers: [{ brokerId: 1, port: 29200 }], clusterAuthorizedOperations: 8096 },
    },
    'describe-log-dirs-v5-kafka-python': {
      request: { topics: [{ topic: 'shipments', partitions: [0, 1, 2] }] },
      response: { results: [{ errorCode: 0, totalBytes: 270553174016, isCordoned: false }] },
    },
    'describe-topic-partitions-v0-java': {
      request: { topics: [{ name: 'inventory' }], responsePartitionLimit: 2000, cursor: null },
      response: { topics: [{ name: 'inventory', partitions: [{ leaderId: 1, eligibleLeaderReplicas: [] }, {}, {}] }] },
    },
    'find-coordinator-v6-java': {
      request: { keyType: 0, key: '' },
      response: { coordinators: [{ nodeId: 1, host: '127.0.0.1', port: 29200, errorCode: 0 }] },
    },
    'offset-commit-v10-java': {
      request: {
        groupId: 'pages', generationIdOrMemberEpoch: 2, memberId: 'pzquKb_1TR6W1yAQcPsMSw',
        topics: [{ topicId: 'Gp5rxUj2SGunfhpkWATRYQ', partitions: [{ committedOffset: 3n, committedLeaderEpoch: 0 }, {}, {}] }],
      },
      response: { topics: [{ partitions: [{ partitionIndex: 0, errorCode: 0 }, { partitionIndex: 1 }, { partitionIndex: 2 }] }] },
    },
    'offset-fetch-v9-confluent-kafka': {
      request: { groups: [{ groupId: 'rdk-shop', memberEpoch: -1, topics: [{ name: 'orders' }, {}] }], requireStable: true },
      response: { groups: [{ topics: [{ partitions: [{ committedOffset: -1n, errorCode: 0 }, {}, {}] }, {}], errorCode: 0 }] },
    },
    'offset-fetch-v4-kafkajs': {
      request: { groupId: 'kjs-shop', topics: [{ name: 'orders', partitionIndexes: [0, 1, 2] }] },
      response: { topics: [{ partitions: [{ committedOffset: -1n, metadata: '', errorCode: 0 }, {}, {}] }], errorCode: 0 },
    },
    'join-group-v9-java': {
      request: {
        sessionTimeoutMs: 45000, rebalanceTimeoutMs: 300000, protocolType: 'consumer',
        protocols: [{ name: 'range' }, { name: 'cooperative-sticky' }], reason: 'group is already rebalancing',
      },
      response: { generationId: 2, protocolName: 'range', skipAssignment: false, members: [{ groupInstanceId: 'till-1' }, {}] },
    },
    'leave-group-v5-java': {
      request: { groupId: 'books', members: [{ groupInstanceId: null, reason: 'the consumer is being closed' }] },
      response: { errorCode: 0, members: [{ groupInstanceId: null, errorCode: 0 }] },
    },
    'describe-groups-v5-confluent-kafka': {
      request: { groups: ['rdk-shop'], includeAuthorizedOperations: true },
      response: {
        groups: [{ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range', authorizedOperations: 3400 }],
      },
    },
    'consumer-group-heartbeat-v1-java': {
      request: { memberEpoch: 0, instanceId: 'desk-1', rackId: 'r1', rebalanceTimeoutMs: 300000, topicPartitions: [] },
      response: { memberEpoch: 2, heartbeatIntervalMs: 1000, assignment: { topicPartitions: [{ partitions: [0, 1] }, {}] } },
    },
    'consumer-group-describe-v1-java': {
      request: { groupIds: ['web'], includeAuthorizedOperations: false },
      response: {
        groups: [
          {
            groupEpoch: 4,
            assignmentEpoch: 4,
            assignorName: 'uniform',
            members: [
              { memberType: 0, subscribedTopicNames: ['orders'] },
              { memberType: 1, subscribedTopicRegex: 'ord.*' },
              { instanceId: 'desk-1', assignment: { topicPartitions: [{ topicName: 'payments', partitions: [0, 1] }] } },
            ],
          },
        ],
      },
    },
    'add-partitions-to-txn-v5-broker': {
      request: { transactions: [{ transactionalId: 'till', producerId: 1n, verifyOnly: false, topics: [{}, {}] }] },
      response: { resultsByTransaction: [{ topicResults: [{ name: 'payments' }, { name: 'orders' }] }] },
    },
    'end-txn-v5-java': {
      request: { transactionalId: 'till', producerId: 1n, producerEpoch: 0, committed: true },
      response: { errorCode: 0, producerId: 1n, producerEpoch: 1 },
    },
    'write-txn-markers-v2-broker': {
      request: { markers: [{ producerEpoch: 1, transactionResult: true, coordinatorEpoch: 0, transactionVersion: 2 }] },
      response: { markers: [{ producerId: 1n, topics: [{ partitions: [{ partitionIndex: 1, errorCode: 0 }] }, {}, {}] }] },
    },
    'txn-offset-commit-v5-java': {
      request: {
        groupId: 'books', generationId: 1, groupInstanceId: null,
        topics: [{ partitions: [{ committedOffset: 5n, committedMetadata: 'txn' }] }],
      },
      response: { topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, errorCode: 0 }] }] },
    },
    'describe-producers-v0-java': {
      request: { topics: [{ name: 'orders', partitionIndexes: [0] }] },
      response: {
        topics: [{ partitions: [{ activeProducers: [{ lastSequence: 2 }, { producerId: 1n, currentTxnStartOffset: 3 }] }] }],
      },
    },
    'describe-acls-v3-java': {
      request: { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, operation: 1, permissionType: 1 },
      response: {
        resources: [
          { resourceType: 3, resourceName: '*', patternType: 3, acls: [{ operation: 2, permissionType: 2 }] },
          { resourceType: 2, resourceName: 'ord', patternType: 4, acls: [{ principal: 'User:ann', host: '*', operation: 3 }] },
        ],
      },
    },
    'alter-client-quotas-v1-java': {
      request: {
        entries: [
          { entity: [{ entityType: 'user', entityName: 'ann' }], ops: [{ value: 1024.5, remove: false }, { remove: true }] },
          { entity: [{ entityType: 'client-id', entityName: null }], ops: [{ key: 'request_percentage', value: 50 }] },
        ],
      },
      response: { entries: [{ errorCode: 0 }, { errorCode: 42 }] },
    },
    'alter-user-scram-credentials-v0-java': {
      request: {
        deletions: [{ name: 'bob', mechanism: 2 }],
        upsertions: [{ name: 'ann', mechanism: 1, iterations: 4096, salt: Buffer.from('0123456789abcdef') }],
      },
      response: { results: [{ user: 'ann', errorCode: 0 }, { user: 'bob', errorCode: 91 }] },
    },
    'describe-quorum-v2-java': {
      request: { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] },
      response: {
        topics: [{ partitions: [{ leaderId: 1, highWatermark: 99, currentVoters: [{ logEndOffset: 99 }], observers: [] }] }],
        nodes: [{ nodeId: 1, listeners: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 29411 }] }],
      },
    },
    'sasl-authenticate-v1-confluent-kafka': {
      request: { authBytes: Buffer.from('\0user\0p') },
      response: { errorCode: 58, errorMessage: 'Authentication failed: Invalid username or password' },
    },
    'api-versions-v4-java': {
      request: { clientSoftwareName: 'apache-kafka-java', clientSoftwareVersion: '4.3.0' },
      response: { errorCode: 0, finalizedFeatures: expect.arrayContaining([metadataVersion]) as unknown },
    },
  }
  test.each(Object.entries(said))('%s', (file, { request, response }) => {
    const decoded = decode(`${file}.json`)
    expect(decoded.request).toMatchObject(request)
    expect(decoded.response).toMatchObject(response)
  })
})

describe("records of Apache's metadata log", () => {
  interface RecordVector {
    readonly name: MetadataRecordName
    readonly version: number
    readonly bytes: string
    readonly says: Record<string, unknown>
  }
  test.each(load('metadata-records.json') as RecordVector[])('$name v$version', ({ name, version, bytes, says }) => {
    const record = decodeMetadataRecord(Buffer.from(bytes, 'hex'))
    expect(record).toMatchObject({ name, version, type: METADATA_RECORDS[name].type })
    expect(asJson(record.value)).toMatchObject(says)
    expect(encodeMetadataRecord(record.name, version, record.value).toString('hex')).toBe(bytes)
  })
})

describe("Apache's control records", () => {
  interface ControlVector {
    readonly type: control.ControlType
    readonly key: string
    readonly value: string
    readonly says: Record<string, unknown>
  }
  const schemas: Partial<Record<control.ControlType, Message<Fields>>> = {
    COMMIT: control.EndTxnMarker,
    ABORT: control.EndTxnMarker,
    LEADER_CHANGE: control.LeaderChangeMessage,
    SNAPSHOT_HEADER: control.SnapshotHeaderRecord,
    SNAPSHOT_FOOTER: control.SnapshotFooterRecord,
    KRAFT_VERSION: control.KRaftVersionRecord,
    KRAFT_VOTERS: control.VotersRecord,
  }
  test.each(load('control-records.json') as ControlVector[])('$type', ({ type, key, value, says }) => {
    expect(control.decodeControlKey(Buffer.from(key, 'hex'))).toBe(type)
    expect(control.encodeControlKey(type).toString('hex')).toBe(key)
    const schema = schemas[type] as Message<Fields>
    const decoded = control.decodeControlValue(schema, Buffer.from(value, 'hex'))
    expect(decoded).toMatchObject(says)
    expect(control.encodeControlValue(schema, 0, decoded).toString('hex')).toBe(value)
  })
})

/** In hex, without the length, which must be right. */
function unframed(pieces: Buffer[]): string {
  const frame = Buffer.concat(pieces)
  expect(frame.readInt32BE(0)).toBe(frame.length - 4)
  return frame.toString('hex', 4)
}
