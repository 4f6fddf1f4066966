// What kafka-configs is about: entities by type and name, and changes of their settings.

import type { ResourceType } from '../../src/client/admin.ts'

/** Types and names by position; '' is the default entity. */
export interface Entities {
  readonly types: readonly string[]
  readonly names: readonly string[]
}

export interface Changes {
  /** In Java's order. */
  readonly add: ReadonlyMap<string, string>
  readonly remove: readonly string[]
}

/** Kafka's resources by the tool's words. */
export const RESOURCES = {
  topics: 'topic', brokers: 'broker', 'broker-loggers': 'brokerLogger', 'client-metrics': 'clientMetrics', groups: 'group',
} as const satisfies Record<string, ResourceType> // prettier-ignore
