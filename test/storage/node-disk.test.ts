// The real disk: what the simulated one stands for, and the lock.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFile, replaceFile } from '../../src/storage/disk.ts'
import { openLogStore } from '../../src/storage/log-store.ts'
import { nodeDisk } from '../../src/storage/node-disk.ts'
import { append, openTopic, values } from './fixtures.ts'

let directory: string
beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ktool-disk-'))))
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

describe('files', () => {
  it('writes many pieces at a position, reads them back, cuts, and makes nothing others can read', async () => {
    const file = nodeDisk.open(`${directory}/f`, 'create')
    const pieces = Array.from({ length: 2500 }, (_, index) => Buffer.from(`${index},`))
    file.write(pieces, 10)
    await file.sync()
    const whole = Buffer.concat(pieces)
    const into = Buffer.alloc(whole.length + 50)
    expect(file.read(into, 10)).toBe(whole.length)
    expect(into.subarray(0, whole.length)).toEqual(whole)
    file.truncate(10)
    expect(file.size()).toBe(10)
    file.close()
    expect(fs.statSync(`${directory}/f`).mode & 0o777).toBe(0o600)
    nodeDisk.makeDirectory(`${directory}/a/b`)
    expect(fs.statSync(`${directory}/a/b`).mode & 0o777).toBe(0o700)
  })

  it('classifies errors and follows no links', async () => {
    expect(() => nodeDisk.open(`${directory}/none`, 'write')).toThrow(expect.objectContaining({ reason: 'notFound', code: 'ENOENT' }))
    fs.writeFileSync(`${directory}/f`, 'x')
    expect(() => nodeDisk.open(`${directory}/f`, 'create')).toThrow(expect.objectContaining({ reason: 'exists' }))
    fs.symlinkSync(`${directory}/f`, `${directory}/link`)
    expect(() => nodeDisk.open(`${directory}/link`, 'read')).toThrow(expect.objectContaining({ reason: 'failed', code: 'ELOOP' }))
    const file = nodeDisk.open('/dev/full', 'write')
    expect(() => file.write([Buffer.from('x')], 0)).toThrow(expect.objectContaining({ reason: 'noSpace' }))
    file.close()
    await expect(nodeDisk.syncDirectory(`${directory}/none`)).rejects.toMatchObject({ reason: 'notFound' })
  })

  it('replaces a file whole', async () => {
    await replaceFile(nodeDisk, `${directory}/f`, Buffer.from('one'))
    await replaceFile(nodeDisk, `${directory}/f`, Buffer.from('two'))
    expect(readFile(nodeDisk, `${directory}/f`, 10)?.toString()).toBe('two')
    expect(fs.readdirSync(directory)).toEqual(['f'])
    expect(() => readFile(nodeDisk, `${directory}/f`, 2)).toThrow(expect.objectContaining({ reason: 'failed' }))
  })
})

describe('the lock', () => {
  it('keeps a second holder out, in this process or another, and ends with the process that has it', async () => {
    const lock = nodeDisk.lock(`${directory}/.lock`)
    expect(() => nodeDisk.lock(`${directory}/.lock`)).toThrow(expect.objectContaining({ reason: 'locked' }))
    lock.release()
    const holder = spawn('flock', ['-x', `${directory}/.lock`, 'sh', '-c', 'echo held; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    expect(() => nodeDisk.lock(`${directory}/.lock`)).toThrow(expect.objectContaining({ reason: 'locked' }))
    const gone = new Promise((resolve) => holder.once('exit', resolve))
    process.kill(-(holder.pid ?? 0), 'SIGKILL')
    await gone
    nodeDisk.lock(`${directory}/.lock`).release()
  })

  it("notices the kind of lock that Apache's broker takes, and names its holder", async () => {
    fs.writeFileSync(`${directory}/.lock`, '')
    const script = 'open(my $f, "+<", $ARGV[0]); my $l = pack("s s x4 q q i x4", 1, 0, 0, 0, 0); fcntl($f, 6, $l) or die; $| = 1; print "held"; sleep 60'
    const holder = spawn('perl', ['-e', script, `${directory}/.lock`], { stdio: ['ignore', 'pipe', 'ignore'] })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    expect(() => nodeDisk.lock(`${directory}/.lock`)).toThrow(new RegExp(`process ${holder.pid}`))
    const gone = new Promise((resolve) => holder.once('exit', resolve))
    holder.kill('SIGKILL')
    await gone
    nodeDisk.lock(`${directory}/.lock`).release()
  })
})

it('a store works on it', async () => {
  const options = { directory: `${directory}/data`, nodeId: 1, reserveBytes: 65_536 }
  const store = await openLogStore(options)
  await expect(openLogStore(options)).rejects.toMatchObject({ name: 'LogStoreError', reason: 'locked' })
  const log = await openTopic(store)
  for (const value of ['a', 'b', 'c']) await append(log, [value])
  await store.close()
  const again = await openLogStore({ ...options, clusterId: store.clusterId })
  expect(again.wasClean).toBe(true)
  expect(again.directoryId).toBe(store.directoryId)
  const same = await openTopic(again)
  expect(values(same)).toEqual(['a', 'b', 'c'])
  expect(again.freeBytes).toBeGreaterThan(0)
  expect(again.directoryBytes).toBe(same.sizeBytes)
  await again.deleteLog(same)
  await again.close()
})

it.runIf(process.platform === 'linux')('a directory below /proc is refused, and not tried for ever', () => {
  expect(() => nodeDisk.makeDirectory('/proc/ktool/data')).toThrow(/ENOENT/)
  expect(() => nodeDisk.makeDirectory('/proc/version/data')).toThrow(/ENOTDIR|EEXIST|ENOENT/)
})
