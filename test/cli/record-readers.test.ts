import { describe, expect, it } from 'vitest'
import { COORDINATOR_FORMATS } from '../../src/cli/formats/coordinator-json.ts'
import { deserializerOf } from '../../src/cli/formats/deserializers.ts'
import { encodeGroupRecord, type GroupRecordInput } from '../../src/protocol/records/group.ts'
import { encodeTransactionRecord } from '../../src/protocol/records/transaction.ts'

function cursorOf({ key, value }: { key: Buffer | null; value: Buffer | null }) {
  return { offset: 7, key: () => key, value: () => value }
}

const COMMIT: GroupRecordInput = {
  name: 'OffsetCommit',
  key: { group: 'g', topic: 't', partition: 3 },
  version: 3,
  value: { offset: 9007199254740993n, leaderEpoch: 2, metadata: 'a"b', commitTimestamp: 5 },
}

describe('the JSON of coordinator records', () => {
  it('has the fields of the version, in the declared order, numbers exact', () => {
    expect(COORDINATOR_FORMATS.OffsetsMessageFormatter(cursorOf(encodeGroupRecord(COMMIT)))).toBe(
      '{"key":{"type":1,"data":{"group":"g","topic":"t","partition":3}},' +
        '"value":{"version":3,"data":{"offset":9007199254740993,"leaderEpoch":2,"metadata":"a\\"b","commitTimestamp":5}}}',
    )
  })

  it('leaves out tagged fields at their default', () => {
    const value = {
      producerId: 1n, producerEpoch: 2, transactionTimeoutMs: 3, transactionStatus: 0, transactionPartitions: null,
      transactionLastUpdateTimestampMs: 4, transactionStartTimestampMs: -1,
    } // prettier-ignore
    const bytes = encodeTransactionRecord({ name: 'TransactionLog', key: { transactionalId: 'x' }, version: 1, value: { ...value, clientTransactionVersion: 2 } })
    expect(COORDINATOR_FORMATS.TransactionLogMessageFormatter(cursorOf(bytes))).toBe(
      '{"key":{"type":0,"data":{"transactionalId":"x"}},"value":{"version":1,"data":{"producerId":1,"producerEpoch":2,"transactionTimeoutMs":3,' +
        '"transactionStatus":0,"transactionPartitions":null,"transactionLastUpdateTimestampMs":4,"transactionStartTimestampMs":-1,"clientTransactionVersion":2}}}',
    )
  })

  it('shows a tombstone, nothing of other kinds, and complains of what it can\'t read', () => {
    const { key } = encodeGroupRecord(COMMIT)
    expect(COORDINATOR_FORMATS.OffsetsMessageFormatter(cursorOf({ key, value: null }))).toMatch(/,"value":null\}$/)
    expect(COORDINATOR_FORMATS.GroupMetadataMessageFormatter(cursorOf(encodeGroupRecord(COMMIT)))).toBeUndefined()
    expect(COORDINATOR_FORMATS.OffsetsMessageFormatter(cursorOf({ key: null, value: null }))).toBeUndefined()
    expect(() => COORDINATOR_FORMATS.OffsetsMessageFormatter(cursorOf({ key, value: Buffer.from([0, 3, 1]) }))).toThrow(/at offset 7/)
  })
})

describe('deserializers', () => {
  const read = (type: string, bytes: Buffer) => deserializerOf(`org.apache.kafka.common.serialization.${type}Deserializer`)?.(bytes)

  it.each([
    ['Integer', '80000000', '-2147483648'],
    ['Long', '8000000000000000', '-9223372036854775808'],
    ['Short', 'ffff', '-1'],
    ['Double', '3ff8000000000000', '1.5'],
    ['Float', '3dcccccd', '0.1'],
    ['Boolean', '01', 'true'],
    ['Bytes', '615c00ff', 'a\\x5C\\x00\\xFF'],
    ['UUID', Buffer.from('0-0-1-0-A').toString('hex'), '00000000-0000-0001-0000-00000000000a'],
  ])('%s reads %s', (type, hex, text) => {
    expect(read(type, Buffer.from(hex, 'hex'))).toBe(text)
  })

  it.each(['Integer', 'Long', 'Short', 'Double', 'Float', 'Boolean', 'UUID', 'Void'])('%s refuses three bytes', (type) => {
    expect(() => read(type, Buffer.from('abc'))).toThrow()
  })

  it('are known by their whole names only', () => {
    expect(deserializerOf('IntegerDeserializer')).toBeUndefined()
    expect(deserializerOf('org.apache.kafka.common.serialization.toStringDeserializer')).toBeUndefined()
  })
})
