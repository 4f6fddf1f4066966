// What `consume --kcat-format` prints is what kcat prints for the same string, on the same records.

import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from '../cli/sandbox.ts'
import { kcat, tryPeer } from './support/peers.ts'

const peer = tryPeer('kcat', kcat)
const ktool = new Sandbox()
let address = ''

const RECORDS = [
  { key: 'k', value: 'v', headers: [{ key: 'a', value: '1' }, { key: 'a', value: null }, { key: 'b', value: '' }] },
  { key: null, value: null }, { key: '', value: '' }, { key: '/w==', value: 'AAr/', keyEncoding: 'base64', valueEncoding: 'base64' },
] // prettier-ignore

beforeAll(async () => {
  address = await ktool.broker()
  await ktool.run(['topics', '--create', '--topic', 'formats'])
  const input = RECORDS.map((record, index) => `${JSON.stringify({ ...record, timestamp: 1_700_000_000_000 + index })}\n`).join('')
  await ktool.run(['produce', '--topic', 'formats', '--input', 'json', '--timestamp-from', 'record'], { input })
})
afterAll(() => ktool.close())

describe.skipIf(peer === undefined)("kcat's format strings", () => {
  const [program = '', ...words] = peer ?? []

  it.each(['%t/%p/%o %k=%s\\n', '%K %S %T|%h|\\n', '%R%s', '%%\\t\\x41\\x4z\\q\\\\\\r\\n', 'ü%s'])('%s', async (format) => {
    const args = ['-C', '-b', address, '-t', 'formats', '-o', 'beginning', '-e', '-q', '-f', format]
    const theirs = execFileSync(program, [...words, ...args]).toString('base64')
    const ours = await ktool.shell(`ktool consume --topic formats -o :end --kcat-format '${format}' | base64 -w0`)
    expect(ours.stdout).toBe(theirs)
  })

  it.each(['%q', '%v'])('%s is an error of both', async (format) => {
    expect(() => execFileSync(program, [...words, '-C', '-b', address, '-t', 'formats', '-e', '-f', format], { stdio: 'pipe' })).toThrow()
    expect((await ktool.run(['consume', '--topic', 'formats', '--kcat-format', format])).code).toBe(2)
  })
})
