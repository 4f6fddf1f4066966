// A look at a port that a wire could not be opened to: connect once, say a few bytes, see what comes back.
// Never used on the way to an answer, only to explain why there is none.

import net from 'node:net'
import tls from 'node:tls'
import { systemClock } from '../base/clock.ts'
import { tlsConnectOptions } from './tls-options.ts'
import type { Endpoint, TlsSettings } from './wire.ts'

const ENOUGH_BYTES = 4096

export interface Probed {
  /** Connected, and over TLS: the handshake went through. */
  readonly isConnected: boolean
  /** What came back, until the peer closed, the time was over or there was enough. */
  readonly answer: Buffer
}

/**
 * Whatever goes wrong is part of the result; takes at most `timeoutMs`. With `tls`, no certificate is
 * checked.
 */
export function probe(
  endpoint: Endpoint,
  bytes: Buffer,
  timeoutMs: number,
  settings: TlsSettings | 'tls' | undefined,
  isEnough: (answer: Buffer) => boolean = () => false,
): Promise<Probed> {
  return new Promise((resolve) => {
    const { host, port } = endpoint
    let isConnected = false
    let answer: Buffer = Buffer.alloc(0)
    const onConnect = () => {
      isConnected = true
      if (bytes.length === 0) end()
      else socket.write(bytes)
    }
    const options =
      settings === 'tls'
        ? net.isIP(host)
          ? {}
          : { servername: host }
        : settings && tlsConnectOptions(host, settings)
    const socket = options
      ? tls.connect({ host, port, ...options, rejectUnauthorized: false }, onConnect)
      : net.connect({ host, port }, onConnect)
    const timer = systemClock.after(timeoutMs, () => end(), true)
    const end = () => {
      timer.cancel()
      socket.destroy()
      resolve({ isConnected, answer })
    }
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= ENOUGH_BYTES || isEnough(answer)) end()
    })
    socket.on('error', end)
    socket.on('end', end)
    socket.on('close', end)
  })
}
