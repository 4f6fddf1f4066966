// The runtime that keeps coordinators' state: deadlines, a process that stood still, writes that fail when nobody asked for
// them, logs that can't be read. Groups are its tenants here.

import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { OffsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { DiskError } from '../../src/storage/disk.ts'
import { temporaryDirectory, testBroker } from '../support/broker.ts'
import { GroupClient } from '../support/group-client.ts'
import { manualClock } from '../support/manual-clock.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'

const SESSION_MS = 10_000
const properties = { 'offsets.topic.num.partitions': '1' }

async function stableGroup(options: { readonly machine?: SimulatedMachine } = {}) {
  const clock = manualClock()
  const { machine } = options
  const found = await testBroker({ clock, topics: ['t'], properties, ...(machine === undefined ? {} : { disk: machine.disk }) })
  const group = new GroupClient(await found.connect(), 'g')
  const { memberId } = await group.joinTwice()
  await group.sync(memberId, 1, { [memberId]: 'mine' })
  return { ...found, clock, group, memberId }
}

describe('deadlines', () => {
  test('a session that is not renewed ends, and one that is goes on', async () => {
    const { clock, group, memberId } = await stableGroup()
    for (let beat = 0; beat < 5; beat++) {
      clock.advance(SESSION_MS - 1)
      expect(await group.heartbeat(memberId, 1)).toBe('NONE')
    }
    clock.advance(SESSION_MS)
    expect(await group.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('a process that stood still reads what clients sent before it ends their sessions', async () => {
    const timers = manualClock()
    let stoodStill = 0
    const clock: Clock = {
      now: () => timers.now() + stoodStill,
      monotonic: () => timers.monotonic() + stoodStill,
      after: (delay, action) => timers.after(delay, action),
    }
    const { connect } = await testBroker({ clock, properties })
    const group = new GroupClient(await connect(), 'g')
    const { memberId } = await group.joinTwice()
    await group.sync(memberId, 1)
    stoodStill = 5 * SESSION_MS
    timers.advance(SESSION_MS) // the timer of the session
    expect(await group.heartbeat(memberId, 1)).toBe('NONE')
    timers.advance(200)
    expect(await group.heartbeat(memberId, 1)).toBe('NONE')
    stoodStill = 10 * SESSION_MS
    timers.advance(SESSION_MS + 200)
    expect(await group.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('what is due and can’t be written is tried again', async () => {
    const machine = new SimulatedMachine()
    const { clock, group, memberId, lines } = await stableGroup({ machine })
    machine.fault = (operation, path) => {
      if (operation === 'write' && path.includes('__consumer_offsets')) throw new DiskError('noSpace', path, 'ENOSPC', `ENOSPC on ${path}`)
    }
    clock.advance(SESSION_MS)
    await expect.poll(() => lines.some((line) => line.includes('is read anew'))).toBe(true)
    // Read anew, the member is there again, with a session of its own.
    machine.fault = undefined
    await expect.poll(() => group.heartbeat(memberId, 1)).toBe('NONE')
    clock.advance(SESSION_MS)
    await expect.poll(() => group.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('a log that is not understood', () => {
  test('fails its groups only: nobody is told that there are no offsets', async () => {
    const directory = temporaryDirectory()
    const first = await testBroker({ topics: ['t'], properties: { ...properties, 'log.dirs': directory } })
    const group = new GroupClient(await first.connect(), 'g')
    await group.commit('t', 5)
    const { log } = first.broker.partitions.get('__consumer_offsets', 0)
    const builder = new BatchBuilder(1000)
    // An offset in version 99.
    builder.append(Buffer.from('0001000167000174' + '00000000', 'hex'), Buffer.from('0063', 'hex'), [], 0)
    await log.safe(log.append(builder.finish({ codec: 'none' }), 'coordinator').lastOffset + 1)
    await first.broker.stop()

    const second = await testBroker({ properties: { ...properties, 'log.dirs': directory } })
    const again = new GroupClient(await second.connect(), 'g')
    expect(await again.commit('t', 6)).toBe('COORDINATOR_NOT_AVAILABLE')
    const topics = await again.client.call(OffsetFetch, 7, { groupId: 'g', topics: null, groups: [] })
    expect(topics.errorCode).toBe(15)
    expect(second.lines.some((line) => line.includes('__consumer_offsets-0 can\'t be loaded'))).toBe(true)
  })
})
