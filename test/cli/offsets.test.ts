import { afterAll, beforeAll, expect, test } from 'vitest'
import { Sandbox } from './sandbox.ts'

const box = new Sandbox()

beforeAll(async () => {
  await box.broker()
  await box.run(['topics', 'create', 'orders', 'other', '--partitions', '2'])
  await box.run(['produce', '--topic', 'orders', '--partition', '1'], { input: 'a\nb\nc\n' })
}, 60_000)
afterAll(() => box.close())

test('where partitions begin and end', async () => {
  expect(await box.run(['offsets', 'orders'])).toEqual({
    stdout: 'TOPIC   PARTITION  START  END\norders          0      0    0\norders          1      0    3\n',
    stderr: '',
    code: 0,
    signal: null,
  })
  expect((await box.run(['offsets', '-p', '1', '--regex', 'o.*'])).stdout).toMatch(/^orders +1 +0 +3\nother +1 +0 +0$/m)
})

test('where a time is in them', async () => {
  expect((await box.run(['offsets', 'orders', '--at', '@-1h'])).stdout).toMatch(/AT\norders +0 +0 +0 +0\norders +1 +0 +3 +0\n$/)
  expect((await box.run(['offsets', 'orders', '--at', 'now'])).stdout).toMatch(/\norders +1 +0 +3 +3\n$/)
  const { stdout } = await box.run(['offsets', '--topic', 'orders', '--at', '-1', '--json'])
  expect(JSON.parse(stdout)).toEqual({
    topics: [
      {
        name: 'orders',
        partitions: [
          { partition: 0, start: 0, end: 0, at: 0, error: null },
          { partition: 1, start: 0, end: 3, at: 2, error: null },
        ],
      },
    ],
  })
})

test('what is not there', async () => {
  expect(await box.run(['offsets', 'ordrs'])).toMatchObject({ stdout: '', stderr: "ktool: topic 'ordrs' does not exist; did you mean 'orders'?\n", code: 1 })
  expect(await box.run(['offsets', 'orders', '-p', '7'])).toMatchObject({ stdout: '', stderr: 'ktool: orders has no partition 7; it has 2, from 0\n', code: 1 })
  expect((await box.run(['offsets', 'orders', '--at', 'soon'])).code).toBe(2)
  const both = await box.run(['offsets', 'orders', 'ordrs'])
  expect([both.stdout.split('\n').length, both.code]).toEqual([4, 1])
})
