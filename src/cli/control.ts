// The commands' end of the control channel: one question and one answer over a daemon's Unix socket. A socket where nobody
// answers is what a killed daemon left behind; it counts as no broker.

import { connect } from 'node:net'
import { lstatSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MAX_CONTROL_LINE, type BrokerListener, type BrokerStatus, type ControlReply, type ControlRequest } from '../base/control-messages.ts'

/**
 * Asks the daemon at `socketPath`. Undefined when nobody is there; rejects when somebody is and doesn't answer in time, or
 * not as a daemon does, and when somebody else could have put the socket there.
 */
export function askDaemon(socketPath: string, request: ControlRequest, timeoutMs: number): Promise<ControlReply | undefined> {
  return new Promise((resolve, reject) => {
    const directory = dirname(socketPath)
    const found = lstatSync(directory, { throwIfNoEntry: false })
    if (found === undefined) {
      resolve(undefined)
      return
    }
    const isOurs = process.getuid === undefined || found.uid === process.getuid()
    if (!isOurs || (found.mode & 0o022) !== 0) throw new Error(`${directory} can be written by others; it must be yours, mode 0700`)
    const answer = (): void => {
      try {
        resolve(parseReply(text))
      } catch {
        reject(new Error(`nonsense from ${socketPath}`))
      }
    }
    const socket = connect(socketPath)
    let text = ''
    socket.setEncoding('utf8')
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`the broker at ${socketPath} does not answer`)))
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_CONTROL_LINE) socket.destroy(new Error(`nonsense from ${socketPath}`))
    })
    socket.on('end', () => {
      socket.destroy()
      answer()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET'
      if (nobody) answer()
      else reject(error)
    })
  })
}

/** Every daemon of this user that answers, in the order of their sockets' names. */
export async function runningBrokers(runtimeDirectory: string): Promise<BrokerStatus[]> {
  const names = await readdir(runtimeDirectory).catch(() => [])
  const sockets = names.filter((name) => name.endsWith('.sock')).sort()
  const replies = await Promise.all(
    sockets.map((name) => askDaemon(join(runtimeDirectory, name), { command: 'status' }, STATUS_TIMEOUT_MS).catch(() => undefined)),
  )
  return replies.flatMap((reply) => (reply?.ok ? [reply.status] : []))
}

/** HOST:PORT of a broker as programs on this machine reach it: without a login, where it has a listener for that. */
export function clientAddress(status: BrokerStatus): string {
  return listenerAddress(status, 'PLAINTEXT') ?? status.listeners.map(addressOf).at(0) ?? ''
}

/** HOST:PORT of the first listener with this security.protocol. */
export function listenerAddress(status: BrokerStatus, protocol: string): string | undefined {
  const listener = status.listeners.find((one) => one.protocol === protocol)
  return listener && addressOf(listener)
}

export function addressOf({ advertisedHost: host, advertisedPort: port }: BrokerListener): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

export const STATUS_TIMEOUT_MS = 2000

/** Undefined for none; throws for what is none. */
function parseReply(text: string): ControlReply | undefined {
  const line = text.split('\n', 1)[0]
  if (line === '') return undefined
  const reply = JSON.parse(line) as { ok: boolean; status?: Partial<BrokerStatus>; message?: string }
  const { listeners, dataDirectory } = reply.status ?? {}
  if (reply.ok && (!Array.isArray(listeners) || typeof dataDirectory !== 'string')) throw new Error('no status')
  return reply as ControlReply
}
