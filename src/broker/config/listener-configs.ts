// `listeners`, `advertised.listeners` and `listener.security.protocol.map`, checked as Kafka checks them.

import { ConfigError } from './config-error.ts'
import { listOf } from './values.ts'

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export interface ListenerConfig {
  readonly name: string
  readonly protocol: SecurityProtocol
  /** '' is every interface. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly advertisedHost: string
  /** 0: the bound one. */
  readonly advertisedPort: number
}

interface Address {
  readonly name: string
  readonly host: string
  readonly port: number
}

const PROTOCOLS: readonly SecurityProtocol[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** Throws ConfigError. The controller's listeners are left out; what is unset is filled into `properties`. */
export function parseListeners(properties: Map<string, string>): ListenerConfig[] {
  const text = properties.get('listeners') ?? 'PLAINTEXT://127.0.0.1:9092'
  properties.set('listeners', text)
  const controllers = new Set(listOf(properties.get('controller.listener.names') ?? '').map((name) => name.toUpperCase()))
  const protocols = protocolsOf(properties, controllers)
  const listeners = addressesIn('listeners', text).filter(({ name }) => !controllers.has(name))
  if (listeners.length === 0) throw new ConfigError('listeners', 'listeners names no listener for clients')

  const advertisedText = properties.get('advertised.listeners')
  const advertised = new Map<string, Address>()
  if (advertisedText !== undefined && advertisedText !== '') {
    for (const address of addressesIn('advertised.listeners', advertisedText)) {
      if (['0.0.0.0', '::'].includes(address.host)) {
        const reason = 'cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.'
        throw new ConfigError('advertised.listeners', `advertised.listeners ${reason}`)
      }
      if (!listeners.some(({ name }) => name === address.name) && !controllers.has(address.name)) {
        const names = listeners.map(({ name }) => name).join(',')
        throw new ConfigError(
          'advertised.listeners',
          `advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found ${address.name}. The valid options are ${names}`,
        )
      }
      advertised.set(address.name, address)
    }
  }
  return listeners.map(({ name, host, port }) => {
    const protocol = protocols.get(name)
    if (protocol === undefined) {
      throw new ConfigError('listener.security.protocol.map', `No security protocol defined for listener ${name}`)
    }
    // Unless said otherwise a literal: no resolver can send it elsewhere.
    const own = { host: host === 'localhost' ? '127.0.0.1' : host, port }
    const { host: advertisedHost, port: advertisedPort } = advertised.get(name) ?? own
    return { name, protocol, host, port, advertisedHost, advertisedPort }
  })
}

function protocolsOf(
  properties: ReadonlyMap<string, string>,
  controllers: ReadonlySet<string>,
): Map<string, SecurityProtocol> {
  const key = 'listener.security.protocol.map'
  const map = new Map<string, SecurityProtocol>(PROTOCOLS.map((protocol) => [protocol, protocol]))
  for (const name of controllers) map.set(name, 'PLAINTEXT')
  for (const pair of listOf(properties.get(key) ?? '')) {
    const [name = '', wanted = ''] = pair.split(':')
    const protocol = PROTOCOLS.find((one) => one === wanted.trim().toUpperCase())
    if (name === '' || protocol === undefined) throw new ConfigError(key, `${key}: ${pair} is not LISTENER:PROTOCOL`)
    map.set(name.trim().toUpperCase(), protocol)
  }
  return map
}

function addressesIn(key: string, text: string): Address[] {
  const addresses = listOf(text).map((one): Address => {
    // NAME://host:port, with an IPv6 host in brackets, an empty one for every interface.
    const match = /^([A-Za-z0-9._-]+):\/\/(?:\[([0-9A-Fa-f:.%]+)\]|([^:/[\]]*)):(\d{1,5})$/.exec(one)
    const port = Number(match?.[4] ?? Infinity)
    if (match === null || port > 65535) {
      throw new ConfigError(key, `Invalid value ${one} for configuration ${key}: expected NAME://HOST:PORT`)
    }
    return { name: match[1].toUpperCase(), host: match[2] || match[3] || '', port }
  })
  const names = addresses.map(({ name }) => name)
  if (new Set(names).size < names.length) {
    throw new ConfigError(key, `Each listener must have a different name, listeners: ${text}`)
  }
  // One port may serve several hosts only for IPv4 and IPv6 side by side; the system says so when it is bound.
  return addresses
}
