// `ktool cluster`, and the faces that look at a cluster: the built bin against a broker of its own.

import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main, Sandbox } from './sandbox.ts'

const box = new Sandbox()
let address = ''
beforeAll(async () => {
  address = await box.broker('--topic', 'orders:3')
}, 60_000)
afterAll(() => box.close())

const json = async (...words: string[]) => {
  const { stdout, stderr, code } = await box.run(['cluster', ...words, '--json'])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Record<string, unknown>
}

describe('ktool cluster', () => {
  test('says who is there, and how much each holds', async () => {
    const { stdout, code } = await box.run(['cluster'])
    expect(code).toBe(0)
    const [id, controller, headings, broker] = stdout.split('\n')
    expect(id).toMatch(/^cluster {5}\S{22}$/)
    expect(controller).toBe('controller  broker 1')
    expect(headings).toMatch(/^BROKER +ADDRESS +RACK +REPLICAS +SIZE +FREE$/)
    expect(broker.trim().split(/ {2,}/).slice(0, 5)).toEqual(['1', address, '-', '3', '0 B'])
    expect(await json()).toMatchObject({ controllerId: 1, brokers: [{ nodeId: 1, isFenced: false, disk: { replicas: 3, sizeBytes: 0 } }] })
  })

  test('features, as people name levels', async () => {
    const { stdout } = await box.run(['cluster', 'features'])
    expect(stdout).toMatch(/^metadata\.version +4\.3-IV0 +3\.3-IV3 +4\.3-IV0$/m)
    expect(stdout).toMatch(/^transaction\.version +2 +0 +2$/m)
    const { features } = await json('features')
    expect(features).toContainEqual({ name: 'metadata.version', minLevel: 7, maxLevel: 30, finalizedLevel: 30 })
  })

  test('the quorum', async () => {
    expect((await box.run(['cluster', 'quorum'])).stdout).toMatch(/^leader {2}node 1, epoch \d+\nNODE .*\n +1 {2}leader +\d+ +0 {2}0s ago +-\n$/)
    expect(await json('quorum')).toMatchObject({ leaderId: 1, voters: [{ replicaId: 1 }], observers: [] })
  })

  test('versions', async () => {
    expect((await box.run(['cluster', 'versions'])).stdout).toMatch(/^ +3 {2}Metadata +0 to 13$/m)
    const { brokers, apis } = await json('versions')
    expect(brokers).toEqual([1])
    expect(apis).toContainEqual({ key: 46, name: 'ListPartitionReassignments', versions: { 1: [0, 0] } })
  })

  test('log directories, and the replicas of a topic in them', async () => {
    expect((await box.run(['cluster', 'log-dirs'])).stdout).toMatch(/^ +1 {2}\/\S+ +online +3 +0 B /m)
    const { stdout } = await box.run(['cluster', 'log-dirs', 'orders'])
    expect(stdout.split('\n').slice(1, 4).map((line) => line.trim().split(/ {2,}/).slice(0, 4))).toEqual([
      ['0', '1', '0 B', '0'],
      ['1', '1', '0 B', '0'],
      ['2', '1', '0 B', '0'],
    ])
    expect(await box.run(['cluster', 'log-dirs', 'order'])).toMatchObject({ stderr: expect.stringMatching(/^ktool: topic 'order' does not exist; did you mean 'orders'/) as string, code: 1 })
    expect(await box.run(['cluster', 'log-dirs', '--broker-id', '7'])).toMatchObject({ stderr: 'ktool: there is no broker 7; there are 1\n', code: 1 })
  })

  test('what does not go together', async () => {
    expect(await box.run(['cluster', 'features', '--topic', 'orders'])).toMatchObject({ code: 2 })
    expect(await box.run(['cluster', 'featurs'])).toMatchObject({ stderr: expect.stringContaining("did you mean 'features'") as string, code: 2 })
  })
})

describe('the faces', () => {
  const face = (name: string, ...words: string[]) => {
    const path = join(box.directory, name)
    try {
      symlinkSync(main, path)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    return box.shell(`'${process.execPath}' '${path}' ${words.join(' ')}`)
  }

  test('kafka-cluster', async () => {
    expect(await face('kafka-cluster', 'cluster-id', '-b', address)).toMatchObject({ stdout: expect.stringMatching(/^Cluster ID: \S{22}\n$/) as string, code: 0 })
  })

  test('kafka-features describes, and refuses what the cluster refuses', async () => {
    const { stdout } = await face('kafka-features', '--bootstrap-server', address, 'describe')
    expect(stdout).toMatch(/^Feature: metadata\.version {26}SupportedMinVersion: 3\.3-IV3 {10}/m)
    expect(await face('kafka-features', '--bootstrap-server', address, 'upgrade', '--feature', 'metadata.version=99')).toMatchObject({
      stdout: expect.stringMatching(/^Could not upgrade metadata\.version to 99\. .* only supports versions 7-30\n$/) as string,
      stderr: '1 out of 1 operation(s) failed.\n',
      code: 1,
    })
  })

  test('kafka-metadata-quorum', async () => {
    expect((await face('kafka-metadata-quorum.sh', '--bootstrap-server', address, 'describe', '--status')).stdout).toMatch(/^LeaderId: {15}1$/m)
  })

  test('a controller is not to be had where a broker listens', async () => {
    const { stderr, code } = await face('kafka-cluster', 'cluster-id', '-C', address)
    expect(code).toBe(1)
    expect(stderr).toContain('MismatchedEndpointTypeException: The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER')
  })

  test('kafka-transactions and kafka-broker-api-versions', async () => {
    expect((await face('kafka-transactions', '--bootstrap-server', address, 'list')).stdout).toBe('TransactionalId\tCoordinator\tProducerId\tTransactionState\t\n')
    expect((await face('kafka-broker-api-versions', '--bootstrap-server', address)).stdout).toContain(`${address} (id: 1 rack: null isFenced: false) -> (\n\tProduce(0): 0 to 13 [usable: 13],\n`)
  })

  test('an address that is none, or of no host, is an error at once', async () => {
    for (const words of ['nowhere', 'no.such.host.invalid:9092']) {
      expect(await face('kafka-transactions', '--bootstrap-server', words, 'list')).toMatchObject({
        stderr: expect.stringContaining('org.apache.kafka.common.KafkaException: Failed to create new KafkaAdminClient\n') as string,
        code: 1,
      })
    }
  })
})
