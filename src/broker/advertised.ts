// What clients are told about where this node is.

import type { Broker } from './broker.ts'

/** This node, as clients of `listener` are told to find it. */
export function advertisedOn(broker: Broker, listener: string): { nodeId: number; host: string; port: number } {
  const found = broker.listeners.find(({ name }) => name === listener) ?? broker.listeners[0]
  return { nodeId: broker.nodeId, host: found.advertisedHost, port: found.advertisedPort }
}
