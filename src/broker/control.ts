// The daemon's end of the control channel: a Unix socket that only its owner can open, one JSON object a line. Whoever
// holds the data directory's lock owns its socket, so that one left behind by a killed daemon is simply replaced.

import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { MAX_CONTROL_LINE, controlSocketName } from '../base/control-messages.ts'
import type { BrokerStatus, ControlReply, ControlRequest, NamesRequest } from '../base/control-messages.ts'
import { StartError } from './start-error.ts'

export interface ControlServer {
  /** Takes no more questions, and the socket away. Those being answered still are. */
  close(): void
}

const MAX_CONNECTIONS = 32
const LINE_TIMEOUT_MS = 5000

/** `dataDirectory` by its real path. Throws StartError when the socket can't be made. */
export async function openControl(options: {
  readonly runtimeDirectory: string
  readonly dataDirectory: string
  readonly status: () => BrokerStatus
  readonly names: (request: NamesRequest) => Promise<readonly string[]>
  /** Resolves when the broker has stopped. */
  readonly stop: () => Promise<void>
}): Promise<ControlServer> {
  const path = join(options.runtimeDirectory, controlSocketName(options.dataDirectory))
  const silent = new Set<Socket>() // connected, and nothing asked yet
  const server = createServer((socket) => {
    silent.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => silent.delete(socket))
    socket.setTimeout(LINE_TIMEOUT_MS, () => socket.destroy())
    readLine(socket, (line) => {
      silent.delete(socket)
      socket.setTimeout(0)
      void answer(line, options).then((reply) => socket.end(`${JSON.stringify(reply)}\n`, () => socket.destroy()))
    })
  })
  server.maxConnections = MAX_CONNECTIONS
  try {
    preparePlace(options.runtimeDirectory)
    rmSync(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    chmodSync(path, 0o600)
  } catch (error) {
    server.close()
    if (error instanceof StartError) throw error
    throw new StartError(`no control socket at ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
  server.unref()
  return {
    close() {
      server.close()
      for (const socket of silent) socket.destroy()
    },
  }
}

/** The directory is ours alone, or somebody else could put his socket in place of ours. */
function preparePlace(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const { uid, mode } = lstatSync(directory)
  const isOurs = process.getuid === undefined || uid === process.getuid()
  if (!isOurs || (mode & 0o022) !== 0) throw new StartError(`${directory} can be written by others; it must be yours, mode 0700`)
}

function readLine(socket: Socket, then: (line: string) => void): void {
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end >= 0) {
      socket.removeAllListeners('data')
      socket.resume()
      then(text.slice(0, end))
    } else if (text.length > MAX_CONTROL_LINE) socket.destroy()
  })
}

interface Answers {
  readonly status: () => BrokerStatus
  readonly names: (request: NamesRequest) => Promise<readonly string[]>
  readonly stop: () => Promise<void>
}

async function answer(line: string, { status, names, stop }: Answers): Promise<ControlReply> {
  try {
    const request = JSON.parse(line) as Partial<ControlRequest>
    const now = status()
    switch (request.command) {
      case 'status':
        return { ok: true, status: now, names: [] }
      case 'names': {
        const { of, beginning = '' } = request
        if (of !== 'topics' && of !== 'groups') return { ok: false, message: 'names of what?' }
        return { ok: true, status: now, names: fitting(await names({ command: 'names', of, beginning })) }
      }
      case 'stop':
        await stop()
        return { ok: true, status: now, names: [] }
      default:
        return { ok: false, message: 'unknown command' }
    }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
}

/** As many as surely fit into a line. */
function fitting(names: readonly string[]): string[] {
  let room = MAX_CONTROL_LINE / 2
  return names.filter((name) => (room -= name.length * 2 + 3) > 0)
}
