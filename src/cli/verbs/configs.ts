// What `configs` does: show and change the settings of topics, brokers, groups and the like, one entity at a time or all of a
// type; quotas.ts has those of users, clients and addresses. Nothing here prints.

import {
  type ConfigEntry, describeCluster, describeConfigs, incrementalAlterConfigs, listConfigResources, listGroups, listTopics,
} from '../../client/admin.ts' // prettier-ignore
import type { Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { CliError, operationError, usageError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import { unknownTopic } from './existing-topic.ts'
import { alterQuotaHolder, listQuotaHolders, QUOTA_TYPES, type QuotaHolder, type QuotaSetting, quotaSettings, type QuotaType } from './quotas.ts'

const RESOURCES = { topics: 'topic', brokers: 'broker', groups: 'group', 'client-metrics': 'clientMetrics' } as const

export const ENTITY_TYPES = ['topics', 'brokers', 'users', 'clients', 'ips', 'groups', 'client-metrics'] as const
export type EntityType = (typeof ENTITY_TYPES)[number]

/** For brokers, '' is the cluster-wide default. */
interface Resource {
  readonly type: keyof typeof RESOURCES
  readonly name: string
}

export type Entity = Resource | QuotaHolder

function isQuotaType(type: EntityType): type is QuotaType {
  return type in QUOTA_TYPES
}

function isHolder(entity: Entity): entity is QuotaHolder {
  return isQuotaType(entity.type)
}

export interface EntityConfigs {
  readonly entity: Entity
  readonly configs: readonly (ConfigEntry | QuotaSetting)[]
  /** They can't be had; there are none then. */
  readonly error: CliError | null
}

export interface EntityOutcome {
  readonly entity: Entity
  readonly error: CliError | null
}

/** Every entity of a type, in order. */
export async function listEntities(cluster: Cluster, type: EntityType): Promise<Entity[]> {
  if (isQuotaType(type)) return listQuotaHolders(cluster, type)
  if (type === 'topics') {
    const topics = await listTopics(cluster)
    return topics.map(({ name }) => ({ type, name })).sort((a, b) => (a.name < b.name ? -1 : 1))
  }
  if (type === 'client-metrics') return (await listConfigResources(cluster, 'clientMetrics')).sort().map((name) => ({ type, name }))
  if (type === 'groups') {
    const groups = await listGroups(cluster)
    const names = new Set([...groups.map(({ groupId }) => groupId), ...(await configuredGroups(cluster))])
    return [...names].sort().map((name) => ({ type, name }))
  }
  const { brokers } = await describeCluster(cluster)
  return [...brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b).map((id) => ({ type, name: `${id}` })), { type, name: '' }]
}

async function configuredGroups(cluster: Cluster): Promise<string[]> {
  try {
    return await listConfigResources(cluster, 'group')
  } catch (error) {
    if (error instanceof KafkaError && error.error === 'UNSUPPORTED_VERSION') return []
    throw error
  }
}

/** `all`: also what is set for the whole cluster, in a file, or by default. Entities are of one type. */
export async function describeEntities(cluster: Cluster, entities: readonly Entity[], all: boolean): Promise<EntityConfigs[]> {
  const holders = entities.filter(isHolder)
  if (holders.length > 0) {
    return Promise.all(
      holders.map(async (entity) => {
        const found = await attempt(quotaSettings(cluster, entity))
        return found instanceof CliError ? { entity, configs: [], error: found } : { entity, configs: found, error: null }
      }),
    )
  }
  return describeResources(cluster, entities as readonly Resource[], all)
}

/** What Kafka refuses becomes the command's own error. */
async function attempt<T>(work: Promise<T>): Promise<T | CliError> {
  try {
    return await work
  } catch (error) {
    if (error instanceof KafkaError) return operationError(error.error, error.message)
    throw error
  }
}

async function describeResources(cluster: Cluster, entities: readonly Resource[], all: boolean): Promise<EntityConfigs[]> {
  const results = await describeConfigs(cluster, entities.map(resource), { includeSynonyms: true })
  return Promise.all(
    entities.map(async (entity, i) => {
      const result = results[i].result
      if (!result.ok) return { entity, configs: [], error: await entityError(cluster, entity, result.error) }
      const configs = result.value.filter(({ source }) => all || isOwn(entity, source)).sort((a, b) => (a.name < b.name ? -1 : 1))
      return { entity, configs, error: null }
    }),
  )
}

export interface SettingChanges {
  readonly add: ReadonlyMap<string, string>
  /** To be taken back, so that the default holds. */
  readonly remove: readonly string[]
  /** The broker only says what it would do. */
  readonly validateOnly: boolean
}

/** The same changes to each entity; for each of them all or nothing. */
export async function alterEntities(cluster: Cluster, entities: readonly Entity[], changes: SettingChanges): Promise<EntityOutcome[]> {
  const { add, remove } = changes
  const twice = remove.find((name) => add.has(name))
  if (twice !== undefined) throw usageError(`${twice} is in both --add-config and --delete-config`)
  return Promise.all(entities.map(async (entity) => {
      if (!isHolder(entity)) return { entity, error: await alterEntity(cluster, entity, changes) }
      const outcome = await attempt(alterQuotaHolder(cluster, entity, changes))
      return { entity, error: outcome instanceof CliError ? outcome : null }
    }),
  )
}

async function alterEntity(cluster: Cluster, entity: Resource, { add, remove, validateOnly }: SettingChanges): Promise<CliError | null> {
  // Kafka lets a setting that doesn't exist be taken back, and says nothing.
  const refusal = remove.length > 0 ? await unknownSetting(cluster, entity, remove, 'INVALID_CONFIG') : null
  if (refusal !== null) return refusal
  const changes = [
    ...remove.map((name) => ({ name, operation: 'delete' as const, value: null })),
    ...[...add].map(([name, value]) => ({ name, operation: 'set' as const, value })),
  ]
  const [{ result }] = await incrementalAlterConfigs(cluster, [{ ...resource(entity), changes }], { validateOnly })
  return result.ok ? null : alterError(cluster, entity, [...add.keys(), ...remove], result.error)
}

/**
 * Kafka's grammar of --add-config: NAME=VALUE pairs between commas; a value with commas stands in square brackets.
 * Blanks around names and values don't count, and an empty value is one.
 */
export function parseAddConfig(text: string): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const piece of splitOutsideBrackets(text)) {
    if (piece.trim() === '') continue
    const at = piece.indexOf('=')
    const name = piece.slice(0, Math.max(at, 0)).trim()
    if (name === '') throw usageError(`--add-config takes NAME=VALUE pairs, not '${piece.trim()}'`, 'a value with commas stands in [ ]')
    if (!/^[a-zA-Z0-9._-]+$/.test(name)) throw usageError(`'${name}' can't be the name of a setting`)
    pairs.set(name, piece.slice(at + 1).replace(/[[\]]/g, '').trim())
  }
  if (pairs.size === 0) throw usageError('--add-config names no setting')
  return pairs
}

export function parseDeleteConfig(text: string): string[] {
  return text.split(',').map((name) => name.trim()).filter((name) => name !== '')
}

function splitOutsideBrackets(text: string): string[] {
  const pieces: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++
    else if (text[i] === ']') depth--
    else if (text[i] === ',' && depth <= 0) {
      pieces.push(text.slice(start, i))
      start = i + 1
    }
  }
  if (depth > 0) throw usageError(`a ] is missing in '${text}'`)
  pieces.push(text.slice(start))
  return pieces
}

function resource({ type, name }: Resource) {
  return { type: RESOURCES[type], name }
}

function isOwn({ type, name }: Resource, source: string): boolean {
  if (type !== 'brokers') return source === OWN[type]
  return source === (name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG')
}

const OWN = { topics: 'DYNAMIC_TOPIC_CONFIG', groups: 'DYNAMIC_GROUP_CONFIG', 'client-metrics': 'DYNAMIC_CLIENT_METRICS_CONFIG' }

async function entityError(cluster: Cluster, entity: Resource, error: KafkaError): Promise<CliError> {
  if (entity.type === 'topics' && error.error === 'UNKNOWN_TOPIC_OR_PARTITION') {
    const topics = await listTopics(cluster)
    return unknownTopic(entity.name, topics.map(({ name }) => name))
  }
  return operationError(error.error, error.message)
}

/** A name that the entity doesn't have gets the nearest that it has. */
async function alterError(cluster: Cluster, entity: Resource, names: readonly string[], error: KafkaError): Promise<CliError> {
  const isAboutNames = error.error === 'INVALID_CONFIG' || error.error === 'INVALID_REQUEST'
  const refusal = isAboutNames ? await unknownSetting(cluster, entity, names, error.error) : null
  return refusal ?? entityError(cluster, entity, error)
}

/** The error for a setting, or an entity, that isn't there. */
async function unknownSetting(cluster: Cluster, entity: Resource, names: readonly string[], code: string): Promise<CliError | null> {
  // The cluster-wide default has only what was set; any broker setting may stand there.
  if (entity.type === 'brokers' || entity.type === 'client-metrics') return null
  const [{ configs, error }] = await describeEntities(cluster, [entity], true)
  if (error !== null) return error
  const known = configs.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return null
  const hint = didYouMean(unknown, known) ?? 'see `ktool configs --describe --all`'
  return operationError(code, `there is no ${RESOURCES[entity.type]} setting '${unknown}'`, hint)
}
