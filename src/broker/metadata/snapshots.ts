// Metadata snapshots on disk: written beside their final name, synced, renamed; older ones then go, and so may the log
// before them. A crash at any point leaves the last complete one.

import { join } from 'node:path'

import type { Disk } from '../../storage/disk.ts'
import { snapshotsIn } from './metadata-reader.ts'

/** Resolves when the snapshot of everything before `offset` is durable. */
export async function writeSnapshot(
  disk: Disk,
  directory: string,
  offset: number,
  epoch: number,
  bytes: Buffer,
): Promise<void> {
  const name = `${String(offset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
  await writeWhole(disk, directory, name, `${name}.part`, bytes)
  for (const older of snapshotsIn(disk.list(directory).map((entry) => entry.name))) {
    if (older.name !== name && older.offset <= offset) disk.remove(join(directory, older.name))
  }
  await disk.syncDirectory(directory)
}

/** Raft's memory of who leads: Apache takes its next epoch from it. */
export async function writeQuorumState(
  disk: Disk,
  directory: string,
  nodeId: number,
  epoch: number,
  dataVersion: number,
): Promise<void> {
  const common = { leaderId: nodeId, leaderEpoch: epoch, votedId: -1 }
  const state =
    dataVersion === 1
      ? { ...common, votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA', data_version: 1 }
      : { clusterId: '', ...common, appliedOffset: 0, currentVoters: [{ voterId: nodeId }], data_version: 0 }
  await writeWhole(disk, directory, 'quorum-state', 'quorum-state.tmp', Buffer.from(JSON.stringify(state)))
}

async function writeWhole(disk: Disk, directory: string, name: string, part: string, bytes: Buffer): Promise<void> {
  disk.remove(join(directory, part))
  const file = disk.open(join(directory, part), 'create')
  try {
    file.write([bytes], 0)
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(join(directory, part), join(directory, name))
  await disk.syncDirectory(directory)
}
