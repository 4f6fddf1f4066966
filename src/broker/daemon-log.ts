// Where the daemon's log lines go: stderr. When that is a file, it is cut before it grows too long; its older half is
// kept beside it as FILE.1. Losing a log line never costs more than the line.

import { readFile, replaceFile, type Disk } from '../storage/disk.ts'
import { nodeDisk } from '../storage/node-disk.ts'

const MAX_LOG_BYTES = 8 * 1024 * 1024
const LOOK_EVERY_BYTES = 256 * 1024

/** A sink for the logger. `logFile`: the file that stderr appends to. */
export function boundedLog(logFile: string | undefined, disk: Disk = nodeDisk): (line: string) => void {
  let sinceLook = LOOK_EVERY_BYTES // the first line looks
  return (line) => {
    writeStderr(line)
    sinceLook += line.length
    if (logFile === undefined || sinceLook < LOOK_EVERY_BYTES) return
    sinceLook = 0
    cut(logFile, disk).catch(() => undefined) // a log that can't be cut is no reason to stop
  }
}

/** When stderr is a file on a full disk, the write itself throws. */
export function writeStderr(text: string): void {
  try {
    process.stderr.write(text)
  } catch {
    // losing a line never costs more than the line
  }
}

async function cut(logFile: string, disk: Disk): Promise<void> {
  const size = disk.stat(logFile)?.size ?? 0
  if (size < MAX_LOG_BYTES) return
  const old = readFile(disk, logFile, 2 * size)
  if (old === undefined) return
  // Stderr appends, so that it goes on at the start of the emptied file.
  const file = disk.open(logFile, 'write')
  try {
    file.truncate(0)
  } finally {
    file.close()
  }
  await replaceFile(disk, `${logFile}.1`, old)
}
