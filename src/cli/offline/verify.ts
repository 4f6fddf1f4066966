// Whether the files of partitions are sound: checksums, the order of offsets, and whether indexes say what is in their log.
// Nothing is changed. A broker that runs may be in the middle of a write: the end of its newest log then looks cut off.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CliError, ExitCode } from '../errors.ts'
import { readAbortedIndex, readOffsetIndex, readProducerSnapshot, readTimeIndex, SnapshotError } from './index-files.ts'
import { LogFile, LogFileError, type LogBatch } from './log-file.ts'

export interface Verified {
  readonly file: string
  readonly bytes: number
  /** Of a log; undefined for the files beside it. */
  readonly batches: number | undefined
  readonly records: number | undefined
  /** Empty: sound. Text for people. */
  readonly problems: readonly string[]
}

const CHECKED = /^(\d{20}\.(log|index|timeindex|txnindex|snapshot)|\d{20}-\d{10}\.checkpoint|bootstrap\.checkpoint)$/
/** A damaged file has the same to say again and again. */
const MOST_PROBLEMS = 20

/** The files below `paths` that can be verified, in order. CliError for a path where nothing is. */
export function filesToVerify(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!existsSync(path)) throw new CliError({ code: 'NO_FILE', message: `${path} is not there`, exitCode: ExitCode.usage })
    if (!statSync(path).isDirectory()) return [path]
    const names = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    const files = names.filter((entry) => entry.isFile() && CHECKED.test(entry.name)).map(({ name }) => join(path, name))
    // A data directory has its partitions one level down; what recovery took out lies deeper still.
    const partitions = names.filter((entry) => entry.isDirectory() && /-\d+$/.test(entry.name)).map(({ name }) => join(path, name))
    return [...files, ...filesToVerify(partitions)]
  })
}

export async function verifyFile(file: string): Promise<Verified> {
  const bytes = statSync(file).size
  const problems: string[] = []
  const note = (problem: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push(problem)
    else if (problems.length === MOST_PROBLEMS) problems.push('and more')
  }
  let counted: { readonly batches: number; readonly records: number } | undefined
  try {
    if (/\.(log|checkpoint)$/.test(file)) counted = await verifyLog(file, note)
    else if (file.endsWith('.index')) await verifyOffsetIndex(file, note)
    else if (file.endsWith('.timeindex')) await verifyTimeIndex(file, note)
    else if (file.endsWith('.txnindex')) verifyAborted(file, note)
    else if (file.endsWith('.snapshot')) readProducerSnapshot(file)
    else note('is no file that a log has')
  } catch (error) {
    if (!(error instanceof LogFileError) && !(error instanceof SnapshotError)) throw error
    note(error.message)
  }
  return { file, bytes, batches: counted?.batches, records: counted?.records, problems }
}

type Note = (problem: string) => void

async function verifyLog(path: string, note: Note): Promise<{ batches: number; records: number }> {
  const file = new LogFile(path)
  let [batches, records, end] = [0, 0, 0]
  let next = path.endsWith('.log') ? baseOffsetOf(path) : 0
  try {
    for await (const batch of file.batches()) {
      batches++
      end = batch.position + batch.size
      const first = batch.header?.baseOffset ?? batch.lastOffset
      const where = `batch at offset ${first}, position ${batch.position}`
      if (first < next) note(`${where}: ${next} or more was expected`)
      next = Math.max(next, batch.lastOffset + 1)
      if (!batch.isValid) note(`${where}: wrong checksum`)
      else records += verifyRecords(batch, where, note)
    }
    if (end < file.size) note(`${file.size - end} bytes behind position ${end} are no whole batch`)
  } finally {
    file.close()
  }
  return { batches, records }
}

function verifyRecords(batch: LogBatch, where: string, note: Note): number {
  let count = 0
  let last = (batch.header?.baseOffset ?? -Infinity) - 1
  try {
    for (const { offset, checksum } of batch.records()) {
      count++
      if (offset <= last || offset > batch.lastOffset) note(`${where}: record with offset ${offset} behind ${last}`)
      if (checksum?.isValid === false) note(`${where}: wrong checksum of the record at offset ${offset}`)
      last = offset
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    note(`${where}: ${error.message}`)
  }
  return count
}

function baseOffsetOf(path: string): number {
  const [name] = basename(path).split('.')
  return /^\d+$/.test(name) ? Number(name) : 0
}

/** The log beside an index, undefined and noted where there is none. */
function logBeside(path: string, note: Note): LogFile | undefined {
  const log = join(dirname(path), `${basename(path).split('.')[0]}.log`)
  if (existsSync(log)) return new LogFile(log)
  note('there is no log beside it')
  return undefined
}

async function verifyOffsetIndex(path: string, note: Note): Promise<void> {
  const base = baseOffsetOf(path)
  const { entries, bytes, entryBytes } = readOffsetIndex(path, base)
  if (bytes % entryBytes !== 0) note(`${bytes} bytes are no whole number of entries`)
  const log = logBeside(path, note)
  if (log === undefined) return
  try {
    let previous: (typeof entries)[number] | undefined
    for (const entry of entries) {
      if (previous !== undefined && entry.offset === base) return // preallocated from here on
      const where = `entry for offset ${entry.offset} at position ${entry.position}`
      if (previous !== undefined && (entry.offset <= previous.offset || entry.position <= previous.position)) note(`${where}: not behind the one before`)
      previous = entry
      const batch = entry.position < 0 || entry.position >= log.size ? undefined : await firstBatch(log, entry.position)
      if (batch === undefined) note(`${where}: the log has no batch there`)
      else if (batch.lastOffset !== entry.offset) note(`${where}: the batch there ends at offset ${batch.lastOffset}`)
    }
  } finally {
    log.close()
  }
}

async function firstBatch(log: LogFile, position: number): Promise<LogBatch | undefined> {
  try {
    for await (const batch of log.batches(position)) return batch
  } catch (error) {
    if (!(error instanceof LogFileError)) throw error
  }
  return undefined
}

async function verifyTimeIndex(path: string, note: Note): Promise<void> {
  const base = baseOffsetOf(path)
  const { entries, bytes, entryBytes } = readTimeIndex(path, base)
  if (bytes % entryBytes !== 0) note(`${bytes} bytes are no whole number of entries`)
  const zeros = entries.findIndex(({ timestamp }, index) => index > 0 && timestamp === 0)
  const used = zeros < 0 ? entries : entries.slice(0, zeros)
  const log = logBeside(path, note)
  if (log === undefined) return
  try {
    const largest = await timestampsUpTo(log)
    for (const [index, { timestamp, offset }] of used.entries()) {
      const where = `entry for time ${timestamp}, offset ${offset}`
      const previous = used.at(index - 1)
      if (index > 0 && previous !== undefined && (timestamp <= previous.timestamp || offset < previous.offset)) note(`${where}: not behind the one before`)
      // All batches that end at the entry's offset or before are at most as late as it says.
      const found = lastUpTo(largest, offset)
      if (found !== undefined && found.timestamp > timestamp) note(`${where}: the log has time ${found.timestamp} before it`)
    }
  } finally {
    log.close()
  }
}

interface Latest {
  readonly lastOffset: number
  readonly timestamp: number
}

/** The last that ends at `offset` or before. A log has as many as a million. */
function lastUpTo(largest: readonly Latest[], offset: number): Latest | undefined {
  let [low, high] = [0, largest.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (largest[middle].lastOffset <= offset) low = middle + 1
    else high = middle
  }
  return low === 0 ? undefined : largest[low - 1]
}

/** By batch: the latest time of it and of all before it. By offset: a batch that goes back is left out, which the log's own line says. */
async function timestampsUpTo(log: LogFile): Promise<Latest[]> {
  const largest: Latest[] = []
  try {
    for await (const { lastOffset, maxTimestamp } of log.batches()) {
      if (lastOffset > (largest.at(-1)?.lastOffset ?? -1)) largest.push({ lastOffset, timestamp: Math.max(maxTimestamp, largest.at(-1)?.timestamp ?? -1) })
    }
  } catch (error) {
    if (!(error instanceof LogFileError)) throw error // the log's own line says it
  }
  return largest
}

function verifyAborted(path: string, note: Note): void {
  const { entries, bytes, entryBytes } = readAbortedIndex(path)
  if (bytes % entryBytes !== 0) note(`${bytes} bytes are no whole number of entries`)
  for (const [index, { version, firstOffset, lastOffset }] of entries.entries()) {
    const where = `entry ${index}`
    if (version !== 0) note(`${where}: version ${version}`)
    if (lastOffset < firstOffset) note(`${where}: from offset ${firstOffset} to ${lastOffset}`)
    const previous = index > 0 ? entries[index - 1] : undefined
    if (previous !== undefined && lastOffset <= previous.lastOffset) note(`${where}: not behind the one before`)
  }
}
