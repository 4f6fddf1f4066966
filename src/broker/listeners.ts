// Where a configured listener is bound, what it tells clients, and what is to be said about one that others can reach.

import type { ListenerConfig } from './config/broker-configs.ts'
import type { ListenerSecurity } from './security/listener-security.ts'

export interface BindAddress {
  readonly address: string
  /** Left out where the machine lacks it. */
  readonly isOptional: boolean
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
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** What clients are told to connect to. `machineName` where the listener is on every interface and nothing is said. */
export function advertisedHostOf(listener: ListenerConfig, machineName: string): string {
  const host = listener.advertisedHost || listener.host
  return host === '' || host === '0.0.0.0' || host === '::' ? machineName : host
}

/** What somebody on the network can do at a listener, as a warning; undefined where there is nothing to warn of. */
export function exposureOf(listener: ListenerConfig, { tls, sasl }: ListenerSecurity): string | undefined {
  if (isLoopback(listener.host)) return undefined
  const everything = 'whoever reaches it can read, write and delete everything'
  if (tls === undefined && sasl === undefined) return `has neither TLS nor SASL: ${everything}`
  if (sasl === undefined) {
    return tls?.clientAuth === 'required' ? undefined : `has TLS and asks nobody who he is: ${everything}`
  }
  if (tls !== undefined) return undefined
  const passwords = sasl.mechanisms.has('PLAIN') ? ', the passwords of PLAIN among it,' : ''
  return `has SASL and no TLS: what passes${passwords} can be read and changed on the way`
}
