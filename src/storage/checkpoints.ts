// Kafka's text checkpoints: a version, a count, then one entry a line; replaced whole, durably. Positions per partition
// (recovery point, log start, high watermark) and the leader epochs of one log share the form.

import { type Disk, readFile, replaceFile } from './disk.ts'

const VERSION = '0'
const MAX_BYTES = 64 * 1024 * 1024

/** A file that is there but is not a checkpoint. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
}

/** Offsets by `<topic>-<partition>`; undefined when there is no file, CheckpointError when it cannot be read. */
export function readOffsetCheckpoint(disk: Disk, path: string): Map<string, number> | undefined {
  const lines = readLines(disk, path, 3)
  if (lines === undefined) return undefined
  return new Map(
    lines.map(([topic, partition, offset]) => [`${topic}-${natural(partition, path)}`, natural(offset, path)]),
  )
}

export async function writeOffsetCheckpoint(
  disk: Disk,
  path: string,
  entries: Iterable<{ topic: string; partition: number; offset: number }>,
): Promise<void> {
  await writeLines(disk, path, Array.from(entries, (entry) => `${entry.topic} ${entry.partition} ${entry.offset}`))
}

/** Epochs and the offsets they start at; undefined when there is no file, CheckpointError when it cannot be read. */
export function readEpochCheckpoint(disk: Disk, path: string): { epoch: number; startOffset: number }[] | undefined {
  return readLines(disk, path, 2)?.map(([epoch, offset]) => ({
    epoch: natural(epoch, path),
    startOffset: natural(offset, path),
  }))
}

export async function writeEpochCheckpoint(
  disk: Disk,
  path: string,
  entries: readonly { epoch: number; startOffset: number }[],
): Promise<void> {
  await writeLines(disk, path, entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
}

function readLines(disk: Disk, path: string, fields: number): string[][] | undefined {
  const bytes = readFile(disk, path, MAX_BYTES)
  if (bytes === undefined) return undefined
  if (bytes.length === 0) return [] // Apache's broker makes them empty; ours never
  const [version, count, ...lines] = bytes.toString('latin1').split('\n')
  if (version !== VERSION) throw new CheckpointError(`${path}: version ${JSON.stringify(version.slice(0, 20))}, not 0`)
  if (lines.at(-1) === '') lines.pop()
  if (natural(count, path) !== lines.length) {
    throw new CheckpointError(`${path}: ${lines.length} entries where ${count} were announced`)
  }
  return lines.map((line) => {
    const parts = line.split(/\s+/)
    if (parts.length !== fields) throw new CheckpointError(`${path}: malformed line ${JSON.stringify(line.slice(0, 80))}`)
    return parts
  })
}

async function writeLines(disk: Disk, path: string, lines: readonly string[]): Promise<void> {
  await replaceFile(disk, path, Buffer.from([VERSION, lines.length, ...lines, ''].join('\n')))
}

function natural(text: string | undefined, path: string): number {
  if (text === undefined || !/^\d{1,16}$/.test(text)) {
    throw new CheckpointError(`${path}: ${JSON.stringify(text?.slice(0, 20))} is not a number`)
  }
  return Number(text)
}
