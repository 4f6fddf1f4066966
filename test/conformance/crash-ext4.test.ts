// A power cut on a real file system: ext4 on a loop device, cut off by its shutdown ioctl in the middle of appends. What
// was not durable is gone after the next mount; whatever was answered must not be. Needs root and Linux; twenty rounds on
// one file system, each recovering from the last.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Log } from '../../src/storage/log.ts'
import { openLogStore } from '../../src/storage/log-store.ts'
import { batch, durable, readAll } from '../storage/fixtures.ts'

const ROUNDS = 20
const PARTITIONS = 3
const CONFIG = { ...durable, segmentBytes: 300_000, indexIntervalBytes: 500 }
// EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: nothing more reaches the device, not even the journal.
const SHUTDOWN = 'open(my $d, "<", $ARGV[0]) or die; my $flags = pack("L", 2); ioctl($d, 0x8004587d, $flags) or die "ioctl: $!"'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
const home = mkdtempSync(join(tmpdir(), 'ktool-ext4-'))
const image = join(home, 'image')
const mountPoint = join(home, 'mnt')
let isMounted = false

function mount(): void {
  execFileSync('mount', ['-o', 'loop', image, mountPoint])
  isMounted = true
}

function unmount(): void {
  execFileSync('umount', [mountPoint])
  isMounted = false
}

beforeAll(() => {
  if (!canMount) return
  writeFileSync(image, '')
  truncateSync(image, 128 * 1024 * 1024)
  execFileSync('mkfs.ext4', ['-q', image])
  execFileSync('mkdir', [mountPoint])
})

afterAll(() => {
  // After a failure files may still be open: detach it then, lazily.
  if (isMounted) execFileSync('umount', ['-l', mountPoint])
  rmSync(home, { recursive: true, force: true })
})

test.skipIf(!canMount)(`${ROUNDS} power cuts lose nothing that was answered`, async () => {
  const acknowledged = Array.from({ length: PARTITIONS }, () => new Map<number, string>())
  let total = 0
  for (let round = 0; round < ROUNDS; round++) {
    mount()
    const store = await openLogStore({ directory: join(mountPoint, 'data'), nodeId: 1 })
    const logs = await Promise.all(acknowledged.map((_, partition) => store.openLog('t', partition, 'Tn9u3dAJSGe0TcPVCbVM4A', CONFIG)))
    logs.forEach((log, partition) => check(log, acknowledged[partition]))
    const isOff = { value: false }
    const isCut = { value: false }
    store.onFatal(() => (isOff.value = true))
    const writers = logs.flatMap((log, partition) =>
      [0, 1, 2].map((writer) => write(log, `${round}/${writer}`, acknowledged[partition], isOff, isCut)),
    )
    await delay(30 + ((round * 37) % 200))
    // Answers from here on don't count: a sync that the ioctl overtakes may report success for bytes that ext4 then
    // drops, and it is answered after the cut, when a machine without power answers nobody.
    isCut.value = true
    execFileSync('perl', ['-e', SHUTDOWN, mountPoint])
    total += (await Promise.all(writers)).reduce((sum, count) => sum + count, 0)
    await expect(store.close()).rejects.toThrow()
    unmount()
  }
  mount()
  const store = await openLogStore({ directory: join(mountPoint, 'data'), nodeId: 1 })
  for (let partition = 0; partition < PARTITIONS; partition++) {
    check(await store.openLog('t', partition, 'Tn9u3dAJSGe0TcPVCbVM4A', CONFIG), acknowledged[partition])
  }
  await store.close()
  unmount()
  process.stdout.write(`${ROUNDS} power cuts, ${total} appends answered, all of them there\n`)
  expect(total).toBeGreaterThan(ROUNDS)
})

/** One append after another, each answered before the next, until the disk is off; how many were answered. */
async function write(
  log: Log,
  name: string,
  acknowledged: Map<number, string>,
  isOff: { readonly value: boolean },
  isCut: { readonly value: boolean },
): Promise<number> {
  let count = 0
  try {
    for (; !isOff.value; count++) {
      const value = `${name}/${count}/${'x'.repeat((count * 131) % 3000)}`
      const { baseOffset, lastOffset } = log.append(batch([value]), 'client')
      await log.safe(lastOffset + 1)
      if (isCut.value) break
      acknowledged.set(baseOffset, value)
    }
  } catch (error) {
    if (!isOff.value && !isCut.value) throw error
  }
  return count
}

function check(log: Log, acknowledged: ReadonlyMap<number, string>): void {
  expect(log.failure).toBeUndefined()
  const now = readAll(log, 0, 1_000_000)
  expect(now.map(({ offset }) => offset)).toEqual(now.map((_, index) => index))
  expect(new Set(now.map(({ value }) => value)).size).toBe(now.length)
  const lost = [...acknowledged].filter(([offset, value]) => now.at(offset)?.value !== value)
  expect(lost).toEqual([])
}
