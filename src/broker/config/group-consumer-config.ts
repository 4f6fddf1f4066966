// The broker's settings of consumer groups (group.consumer.*), typed and checked against each other as Kafka does
// (GroupCoordinatorConfig.validate).

import { ConfigError } from './config-error.ts'
import { listOf, numberOf } from './values.ts'

export interface Bounded {
  readonly value: number
  readonly min: number
  readonly max: number
}

export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

export interface GroupConsumerConfig {
  /** ms, what groups may set instead between the bounds. */
  readonly sessionTimeout: Bounded
  readonly heartbeatInterval: Bounded
  readonly assignmentInterval: Bounded
  readonly maxSize: number
  /** Names, the default first. */
  readonly assignors: readonly string[]
  readonly migrationPolicy: MigrationPolicy
  /** Whether the protocol is served at all (group.coordinator.rebalance.protocols). */
  readonly isServed: boolean
}

const PREFIX = 'group.consumer.'
const POLICIES: readonly string[] = ['bidirectional', 'upgrade', 'downgrade', 'disabled'] satisfies MigrationPolicy[]
// The built-in ones may be named by their classes, too.
const ASSIGNORS: ReadonlyMap<string, string> = new Map([
  ['uniform', 'uniform'],
  ['range', 'range'],
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', 'uniform'],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', 'range'],
])

/** `text` gives each setting's value. Throws ConfigError. */
export function parseGroupConsumer(text: (name: string) => string): GroupConsumerConfig {
  const assignors = listOf(text('group.consumer.assignors')).map((name) => {
    const known = ASSIGNORS.get(name)
    if (known === undefined) throw new ConfigError('group.consumer.assignors', `group.consumer.assignors: this broker has no assignor ${name}`)
    return known
  })
  if (assignors.length === 0) throw new ConfigError('group.consumer.assignors', 'group.consumer.assignors names none')
  const policy = text('group.consumer.migration.policy').toLowerCase()
  if (!isPolicy(policy)) {
    const name = 'group.consumer.migration.policy'
    throw new ConfigError(name, `${name} must be one of: ${POLICIES.join(', ')}`)
  }
  const sessionTimeout = bounded(text, 'session.timeout.ms')
  const heartbeatInterval = bounded(text, 'heartbeat.interval.ms')
  if (heartbeatInterval.value >= sessionTimeout.value) {
    const name = 'group.consumer.heartbeat.interval.ms'
    throw new ConfigError(name, `${name} must be less than group.consumer.session.timeout.ms`)
  }
  return {
    sessionTimeout,
    heartbeatInterval,
    assignmentInterval: bounded(text, 'assignment.interval.ms'),
    maxSize: numberOf(text('group.consumer.max.size')),
    assignors,
    migrationPolicy: policy,
    isServed: listOf(text('group.coordinator.rebalance.protocols')).includes('consumer'),
  }
}

function isPolicy(value: string): value is MigrationPolicy {
  return POLICIES.includes(value)
}

function bounded(text: (name: string) => string, name: string): Bounded {
  const full = PREFIX + name
  const names = { value: full, min: `${PREFIX}min.${name}`, max: `${PREFIX}max.${name}` }
  const { value, min, max } = { value: numberOf(text(full)), min: numberOf(text(names.min)), max: numberOf(text(names.max)) }
  if (max < min) throw new ConfigError(names.max, `${names.max} must be greater than or equal to ${names.min}`)
  if (value < min) throw new ConfigError(full, `${full} must be greater than or equal to ${names.min}`)
  if (value > max) throw new ConfigError(full, `${full} must be less than or equal to ${names.max}`)
  return { value, min, max }
}
