// The flags of `broker run` and `broker start`, and Kafka's properties that they come down to.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokerSettings, flagsFor, parseBrokerFlags } from '../../src/cli/broker-flags.ts'

let scratch = ''
beforeAll(() => (scratch = mkdtempSync(join(tmpdir(), 'ktool-flags-'))))
afterAll(() => rmSync(scratch, { recursive: true }))

const settingsOf = (...words: string[]) => brokerSettings(parseBrokerFlags(words), '/usual')
const propertiesOf = async (...words: string[]) => Object.fromEntries((await settingsOf(...words)).properties)

test('nothing said: loopback, port 9092, the usual directory', async () => {
  expect(await propertiesOf()).toEqual({ listeners: 'PLAINTEXT://localhost:9092', 'log.dirs': '/usual' })
})

test('flags go before properties, and these before the file', async () => {
  const file = join(scratch, 'server.properties')
  writeFileSync(file, 'listeners=PLAINTEXT://:1\nlog.dir=/from/file\nnum.partitions=2\n# a comment\n')
  expect(await propertiesOf('--config', file)).toEqual({
    listeners: 'PLAINTEXT://:1',
    'log.dirs': '/from/file',
    'num.partitions': '2',
  })
  expect(await propertiesOf('--config', file, '--property', 'num.partitions = 4', '--port', '0', '--data-dir', '/mine')).toEqual({
    listeners: 'PLAINTEXT://localhost:0',
    'log.dirs': '/mine',
    'num.partitions': '4',
  })
})

test('an empty name is no data directory, least of all the one the command runs in', async () => {
  await expect(settingsOf('--data-dir', '')).rejects.toThrow("the data directory's name is empty")
  await expect(settingsOf('--property', 'log.dirs=')).rejects.toThrow("the data directory's name is empty")
})

test('addresses', async () => {
  expect(await propertiesOf('--host', '::', '--port', '7')).toMatchObject({ listeners: 'PLAINTEXT://[::]:7' })
  expect(await propertiesOf('--advertise', 'kafka.example:19092')).toMatchObject({
    'advertised.listeners': 'PLAINTEXT://kafka.example:19092',
  })
  const named = ['--property', 'listeners=CONTROLLER://:9093,outside://:1', '--property', 'controller.listener.names=CONTROLLER']
  expect(await propertiesOf(...named, '--advertise', 'kafka.example:19092')).toMatchObject({
    'advertised.listeners': 'OUTSIDE://kafka.example:19092',
  })
})

test('an ephemeral broker has no directory unless one is named', async () => {
  expect(await settingsOf('--ephemeral')).toMatchObject({ ephemeral: true })
  expect(await propertiesOf('--ephemeral')).not.toHaveProperty('log.dirs')
  expect(await propertiesOf('--ephemeral', '--data-dir', '/x')).toHaveProperty('log.dirs', '/x')
})

test('topics with and without a number of partitions', async () => {
  expect((await settingsOf('--topic', 'a:3', '--topic', 'b')).topics).toEqual([
    { name: 'a', partitions: 3 },
    { name: 'b', partitions: undefined },
  ])
})

test('what is handed to a background process means the same there', async () => {
  const words = ['--port', '0', '--topic', 'a:3', '--property', 'a=b=c', '--data-dir', 'relative']
  const settings = await settingsOf(...words)
  const again = await settingsOf(...flagsFor(parseBrokerFlags(words), settings))
  expect(again).toEqual(settings)
  expect(again.properties.get('log.dirs')).toBe(join(process.cwd(), 'relative'))
})

describe('mistakes are usage errors', () => {
  test.each([
    [['--prot', '1'], 'there is no flag --prot'],
    [['--port', 'x'], "--port: 'x' is no port; 0 to 65535"],
    [['--port', '65536'], "--port: '65536' is no port; 0 to 65535"],
    [['--advertise', 'kafka'], "--advertise takes HOST:PORT, not 'kafka'"],
    [['--property', 'listeners=PLAINTEXT://:1,SSL://:2', '--advertise', 'kafka:1'], '--advertise is for one listener, and there are 2'],
    [['--property', 'novalue'], "--property takes NAME=VALUE, not 'novalue'"],
    [['--topic', 'a:0'], "--topic takes NAME or NAME:PARTITIONS, not 'a:0'"],
    [['stray'], /^Unexpected argument 'stray'/],
    [['--port'], /^Option '--port <value>' argument missing/],
  ])('%j', async (words, message) => {
    const failure = await settingsLater(words)
    expect(failure).toMatchObject({ exitCode: 2 })
    expect(failure.message).toMatch(message)
  })
})

async function settingsLater(words: string[]): Promise<Error> {
  try {
    await settingsOf(...words)
  } catch (error) {
    return error as Error
  }
  throw new Error('no error')
}
