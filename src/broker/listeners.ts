// Where a configured listener is bound and what it tells clients. Only PLAINTEXT can be served so far; any other
// protocol is refused, so that nobody believes himself encrypted.

import type { ListenerConfig } from './config/broker-configs.ts'
import { StartError } from './start-error.ts'

export interface BindAddress {
  readonly address: string
  /** Left out where the machine lacks it. */
  readonly isOptional: boolean
}

const SERVED: ReadonlySet<string> = new Set(['PLAINTEXT'])

/** Throws StartError for a listener that this version can't serve as it is configured. */
export function checkServable(listeners: readonly ListenerConfig[]): void {
  for (const { name, protocol } of listeners) {
    if (!SERVED.has(protocol)) throw new StartError(`listener ${name} asks for ${protocol}; this version serves PLAINTEXT only`)
  }
  if (listeners.length === 0) throw new StartError('listeners names no listener that clients could use')
}

/** localhost is both loopback addresses, on one port: programs disagree about which of them it means. */
export function addressesOf(host: string): readonly BindAddress[] {
  if (host === 'localhost') {
    return [
      { address: '127.0.0.1', isOptional: false },
      { address: '::1', isOptional: true },
    ]
  }
  // '::' takes IPv4 connections too; where IPv6 is off, the server takes 0.0.0.0 instead.
  return [{ address: host === '' ? '::' : host, isOptional: false }]
}

/** Whether only programs on this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** What clients are told to connect to. `machineName` where the listener is on every interface and nothing is said. */
export function advertisedHostOf(listener: ListenerConfig, machineName: string): string {
  const host = listener.advertisedHost || listener.host
  if (host === 'localhost') return '127.0.0.1' // a literal: no resolver can send it elsewhere
  return host === '' || host === '0.0.0.0' || host === '::' ? machineName : host
}
