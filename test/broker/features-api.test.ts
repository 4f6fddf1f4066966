// UpdateFeatures, what ApiVersions says of features, and the raising of levels at a start. Codes and texts as Apache Kafka
// 4.3.0 gave them when it was asked the same.

import { describe, expect, test } from 'vitest'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { UpdateFeatures } from '../../src/protocol/apis/update-features.ts'
import { bootstrapRecords, SUPPORTED_FEATURES } from '../../src/broker/metadata/features.ts'
import { raisedFeatures } from '../../src/broker/metadata/feature-updates.ts'
import { MetadataImage } from '../../src/broker/metadata/image.ts'
import { encodeRecord } from '../../src/broker/metadata/records.ts'
import type { NewRecord } from '../../src/broker/metadata/records.ts'
import { decodeMetadataRecord } from '../../src/protocol/records/metadata.ts'
import { temporaryDirectory, testBroker } from '../support/broker.ts'
import type { RawClient } from '../support/raw-client.ts'

const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3]
const ELR = 'eligible.leader.replicas.version'
const FAILED = 'The update failed for all features since the following feature had an error: '

type Update = [feature: string, maxVersionLevel: number, upgradeType: number]

async function update(client: RawClient, updates: Update[], validateOnly = false, version = 2) {
  const featureUpdates = updates.map(([feature, maxVersionLevel, upgradeType]) => ({ feature, maxVersionLevel, upgradeType, allowDowngrade: false }))
  const { errorCode, errorMessage, results } = await client.call(UpdateFeatures, version, { timeoutMs: 1000, featureUpdates, validateOnly })
  return { errorCode, errorMessage: errorMessage?.replace(FAILED, '') ?? null, results }
}

async function finalized(client: RawClient) {
  const answer = await client.call(ApiVersions, 4, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
  const levels = Object.fromEntries(answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
  return { levels, epoch: answer.finalizedFeaturesEpoch }
}

test('a level goes down and up; clients see it at once, with a later epoch, and after a restart', async () => {
  const directory = temporaryDirectory()
  const first = await testBroker({ properties: { 'log.dirs': directory } })
  const client = await first.connect()
  const before = await finalized(client)
  expect(before.levels).toMatchObject({ 'metadata.version': 30, [ELR]: 1 })
  expect(await update(client, [[ELR, 0, SAFE]], true)).toMatchObject({ errorCode: 0 })
  expect(await finalized(client)).toEqual(before)
  expect(await update(client, [[ELR, 0, SAFE]])).toEqual({ errorCode: 0, errorMessage: null, results: [] })
  const lowered = await finalized(client)
  expect(lowered.levels).not.toHaveProperty(ELR)
  expect(lowered.epoch).toBeGreaterThan(before.epoch)
  await first.broker.stop()
  const again = await (await testBroker({ properties: { 'log.dirs': directory } })).connect()
  const restarted = await finalized(again)
  expect(restarted.levels).toEqual(lowered.levels)
  expect(restarted.epoch).toBeGreaterThan(lowered.epoch)
  expect(await update(again, [[ELR, 1, UPGRADE]], false, 1)).toMatchObject({ results: [{ feature: ELR, errorCode: 0 }] })
  expect((await finalized(again)).levels).toEqual(before.levels)
})

test('eligible leader replicas bring the one min.insync.replicas of the cluster', async () => {
  const { connect, broker } = await testBroker()
  const client = await connect()
  await update(client, [[ELR, 0, UNSAFE]])
  const set = (resourceName: string, value: string | null): NewRecord => {
    return { name: 'ConfigRecord', value: { resourceType: 4, resourceName, name: 'min.insync.replicas', value } }
  }
  await broker.metadata.commit([set('', null), set('1', '3')])
  await update(client, [[ELR, 1, UPGRADE]])
  expect(broker.metadata.image.configs(4, '').get('min.insync.replicas')).toBe('1')
  expect(broker.metadata.image.configs(4, '1').has('min.insync.replicas')).toBe(false)
})

describe('refused, all together', () => {
  const level = (text: string, given: Update) => `Invalid update version ${given[1]} for feature ${given[0]}. ${text}`
  test.each<[Update, string]>([
    [['nope', 1, UPGRADE], 'Local controller 1 does not support this feature.'],
    [['nope', 0, SAFE], 'Feature nope not found.'],
    [['metadata.version', 31, UPGRADE], 'Local controller 1 only supports versions 7-30'],
    [['metadata.version', 29, UPGRADE], "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."],
    [[ELR, 2, UPGRADE], 'Local controller 1 only supports versions 0-1'],
    [[ELR, -1, SAFE], 'A feature version cannot be less than 0.'],
    [[ELR, 0, 0], 'The controller does not support the given upgrade type.'],
    [[ELR, 0, 4], 'The controller does not support the given upgrade type.'],
  ])('%j', async (given, text) => {
    const client = await (await testBroker()).connect()
    const before = await finalized(client)
    expect(await update(client, [[ELR, 0, SAFE], given])).toEqual({ errorCode: 95, errorMessage: level(text, given), results: [] })
    expect(await finalized(client)).toEqual(before)
  })

  test('a downgrade to a newer level, and metadata that an older version could not hold', async () => {
    const client = await (await testBroker()).connect()
    await update(client, [[ELR, 0, SAFE]])
    expect(await update(client, [[ELR, 1, SAFE]])).toMatchObject({ errorCode: 95, errorMessage: level("Can't downgrade to a newer version.", [ELR, 1, SAFE]) })
    const why = 'Unsupported metadata.version downgrade from 30 to 29.'
    const safe = 'Refusing to perform the requested downgrade because it might delete metadata information.'
    expect(await update(client, [['metadata.version', 29, SAFE]])).toMatchObject({ errorMessage: `${why} ${safe}` })
    const unsafe = 'Unsafe metadata downgrade is not supported in this version.'
    expect(await update(client, [['metadata.version', 29, UNSAFE]])).toMatchObject({ errorMessage: `${why} ${unsafe}` })
  })
})

describe('at a start', () => {
  const level = (name: string, featureLevel: number): NewRecord => ({ name: 'FeatureLevelRecord', value: { name, featureLevel } })
  const registration = (known: string[]): NewRecord => {
    const features = known.map((name) => ({ name, minSupportedVersion: 0, maxSupportedVersion: 1 }))
    const value = { brokerId: 1, incarnationId: 'AAAAAAAAAAAAAAAAAAAAAA', brokerEpoch: 1, endPoints: [], features, rack: null, fenced: true, logDirs: [] }
    return { name: 'RegisterBrokerRecord', value }
  }
  const imageOf = (records: NewRecord[]) => {
    const image = new MetadataImage()
    for (const record of records) image.replay(decodeMetadataRecord(encodeRecord(record, new Map([['metadata.version', 30]]))))
    return image
  }
  const raised = (records: NewRecord[]) => raisedFeatures(imageOf(records), 1)
  const fresh = bootstrapRecords().filter(({ name }) => name === 'FeatureLevelRecord')
  const later: string[] = SUPPORTED_FEATURES.map(({ name }) => name).filter((name) => /^(group|transaction)\.version$/.test(name))
  const names = (records: NewRecord[]) => records.map((record) => (record.name === 'FeatureLevelRecord' ? record.value.name : record.name))
  const old = [level('metadata.version', 30), level(ELR, 1)]

  test('a directory of an older ktool gets what a new one has', () => {
    expect(names(raised([...old, registration(['metadata.version', ELR])])).sort()).toEqual([...later].sort())
  })

  test('what the software before knew, and left out, stays out: a downgrade here or by Apache', () => {
    expect(raised([...old, registration(['metadata.version', ELR, 'group.version', 'transaction.version'])])).toEqual([])
  })

  test('a directory that was formatted for an older release stays as it is', () => {
    expect(raised([level('metadata.version', 21), registration(['metadata.version'])])).toEqual([])
    expect(raised([level('metadata.version', 30)])).toEqual([])
  })

  const SNAPSHOTS = { 'metadata.log.max.record.bytes.between.snapshots': '1' }

  test('a broker raises them once, on the directory of one that did not know them', async () => {
    const properties = { ...SNAPSHOTS, 'log.dirs': temporaryDirectory() }
    const first = await testBroker({ properties })
    const registered = first.broker.metadata.image.brokers.get(1)
    const features = registered?.features.filter(({ name }) => !later.includes(name)) ?? []
    const known: NewRecord[] = registered === undefined ? [] : [{ name: 'RegisterBrokerRecord', value: { ...registered, features } }]
    await first.broker.metadata.commit([...later.map((name) => level(name, 0)), ...known])
    expect(Object.keys((await finalized(await first.connect())).levels)).not.toEqual(expect.arrayContaining(later))
    await first.broker.stop()
    const second = await testBroker({ properties })
    const client = await second.connect()
    const { levels } = await finalized(client)
    for (const record of fresh) if (record.name === 'FeatureLevelRecord') expect(levels[record.value.name]).toBe(record.value.featureLevel)

    // From now on it is a decision of whoever lowers one.
    for (const name of later) expect(await update(client, [[name, 0, SAFE]])).toMatchObject({ errorCode: 0 })
    await second.broker.stop()
    const third = await finalized(await (await testBroker({ properties })).connect())
    for (const name of later) expect(third.levels).not.toHaveProperty(name)
  })

  test('a new directory has nothing to raise', () => {
    expect(raised([...fresh, registration([])])).toEqual([])
  })
})
