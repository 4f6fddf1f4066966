// bootstrap.servers: `host:port,host2:port2`. The port may be left out, which Kafka itself doesn't allow.

import net from 'node:net'
import { ConfigError } from './errors.ts'
import type { Endpoint } from './wire.ts'

const DEFAULT_PORT = 9092
const KEY = 'bootstrap.servers'

/**
 * At least one endpoint, each once. IPv6 addresses stand in brackets if a port follows. Throws ConfigError.
 */
export function parseBootstrapServers(text: string): Endpoint[] {
  const endpoints = new Map<string, Endpoint>()
  for (const part of text.split(',')) {
    const server = part.trim()
    if (server === '') continue // Kafka's list syntax lets a comma end the list
    const endpoint = parseServer(server)
    endpoints.set(`${endpoint.host} ${endpoint.port}`, endpoint)
  }
  if (endpoints.size === 0)
    throw new ConfigError(KEY, 'bootstrap.servers is empty: give HOST:PORT, several with commas')
  return [...endpoints.values()]
}

function parseServer(text: string): Endpoint {
  // As in Kafka, a listener's protocol may stand in front.
  const server = text.replace(/^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL):\/\//i, '')
  // Asked only where it can be: Node's pattern for these takes 5 ms to compile.
  if (/:.*:/.test(server) && net.isIPv6(server)) return { host: server, port: DEFAULT_PORT }
  const match = /^(?:\[([^\]]*)\]|([^:\s/[\]]+))(?::(\d{1,5}))?$/.exec(server)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (host === undefined || (match?.[1] !== undefined && !net.isIPv6(host))) {
    throw new ConfigError(KEY, `bootstrap.servers: "${text}" is not HOST:PORT`)
  }
  if (port < 1 || port > 65535)
    throw new ConfigError(KEY, `bootstrap.servers: "${text}" has no port between 1 and 65535`)
  return { host, port }
}
