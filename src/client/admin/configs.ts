// Configs of topics, brokers, groups and the like. A broker's own can only be asked of that broker.

import { DescribeConfigs } from '../../protocol/apis/describe-configs.ts'
import { ListConfigResources } from '../../protocol/apis/list-config-resources.ts'
import { IncrementalAlterConfigs } from '../../protocol/apis/incremental-alter-configs.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Target, Wait } from '../cluster.ts'
import { groupBy } from './group-by.ts'
import { failed, resultOf, type Result } from './result.ts'

/** ConfigResource.Type. */
const RESOURCE_TYPES = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const
export type ResourceType = keyof typeof RESOURCE_TYPES

export interface ConfigResource {
  readonly type: ResourceType
  /** '' with type broker: the default of all brokers. */
  readonly name: string
}

/** ConfigEntry.ConfigSource, in the order of its codes. */
const SOURCES = [
  'UNKNOWN', 'DYNAMIC_TOPIC_CONFIG', 'DYNAMIC_BROKER_CONFIG', 'DYNAMIC_DEFAULT_BROKER_CONFIG', 'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG', 'DYNAMIC_BROKER_LOGGER_CONFIG', 'DYNAMIC_CLIENT_METRICS_CONFIG', 'DYNAMIC_GROUP_CONFIG',
] as const // prettier-ignore
export type ConfigSource = (typeof SOURCES)[number]

/** ConfigEntry.ConfigType, in the order of its codes. */
const TYPES = [
  'UNKNOWN',
  'BOOLEAN',
  'STRING',
  'INT',
  'SHORT',
  'LONG',
  'DOUBLE',
  'LIST',
  'CLASS',
  'PASSWORD',
] as const
export type ConfigType = (typeof TYPES)[number]

export interface ConfigEntry {
  readonly name: string
  /** null: sensitive, or not set. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly type: ConfigType
  readonly documentation: string | null
  readonly synonyms: readonly {
    readonly name: string
    readonly value: string | null
    readonly source: ConfigSource
  }[]
}

interface DescribedConfig {
  readonly name: string
  readonly value: string | null
  readonly configSource: number
  readonly readOnly: boolean
  readonly isSensitive: boolean
  readonly configType?: number
  readonly documentation?: string | null
  readonly synonyms?: readonly {
    readonly name: string
    readonly value: string | null
    readonly source: number
  }[]
}

export function configEntry(config: DescribedConfig): ConfigEntry {
  const {
    name,
    value,
    configSource,
    readOnly,
    isSensitive,
    configType = 0,
    documentation = null,
    synonyms = [],
  } = config
  return {
    name,
    value,
    source: sourceOf(configSource),
    isReadOnly: readOnly,
    isSensitive,
    type: TYPES[configType] ?? 'UNKNOWN',
    documentation,
    synonyms: synonyms.map((synonym) => ({ ...synonym, source: sourceOf(synonym.source) })),
  }
}

function sourceOf(code: number): ConfigSource {
  return SOURCES[code] ?? 'UNKNOWN'
}

export interface DescribeConfigsOptions extends Wait {
  readonly includeSynonyms?: boolean | undefined
  readonly includeDocumentation?: boolean | undefined
  /** Only these; left out: all. */
  readonly names?: readonly string[] | undefined
}

export interface ResourceResult<T> {
  readonly resource: ConfigResource
  readonly result: Result<T>
}

/** In the order asked. Throws what Cluster.call throws. */
export async function describeConfigs(
  cluster: Cluster,
  resources: readonly ConfigResource[],
  options: DescribeConfigsOptions = {},
): Promise<ResourceResult<readonly ConfigEntry[]>[]> {
  const { includeSynonyms = false, includeDocumentation = false, names, timeoutMs, signal } = options
  return perTarget(resources, async (node, wanted) => {
    const version = (await cluster.versionFor(DescribeConfigs, node, { timeoutMs, signal })) ?? 0
    const request = {
      resources: wanted.map(({ type, name }) => ({
        resourceType: RESOURCE_TYPES[type],
        resourceName: name,
        configurationKeys: names ? [...names] : null,
      })),
      includeSynonyms,
      includeDocumentation: includeDocumentation && version >= 3,
    }
    const { results } = await cluster.call(DescribeConfigs, request, { node, timeoutMs, signal })
    return results.map((item) => ({
      ...item,
      result: resultOf(
        item.errorCode,
        item.errorMessage,
        item.configs.map((config) => configEntry(config)),
      ),
    }))
  })
}

/** Names of what has settings of this type. KafkaError UNSUPPORTED_VERSION for groups before 4.1; what a broker refuses is thrown. */
export async function listConfigResources(cluster: Cluster, type: 'clientMetrics' | 'group', wait: Wait = {}): Promise<string[]> {
  const version = (await cluster.versionFor(ListConfigResources, 'any', wait)) ?? 0
  if (type === 'group' && version < 1) throw new KafkaError('UNSUPPORTED_VERSION', 'The broker is too old to list the groups that have settings')
  const response = await cluster.call(ListConfigResources, { resourceTypes: version < 1 ? [] : [RESOURCE_TYPES[type]] }, { ...wait, maxVersion: version })
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode)
  return response.configResources.map(({ resourceName }) => resourceName)
}

/** AlterConfigOp.OpType. */
const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface ConfigChange {
  readonly name: string
  readonly operation: keyof typeof OPERATIONS
  /** null with delete. */
  readonly value: string | null
}

export interface ResourceChange extends ConfigResource {
  readonly changes: readonly ConfigChange[]
}

/** In the order asked. Throws what Cluster.call throws. */
export async function incrementalAlterConfigs(
  cluster: Cluster,
  resources: readonly ResourceChange[],
  options: Wait & { readonly validateOnly?: boolean | undefined } = {},
): Promise<ResourceResult<null>[]> {
  const { validateOnly = false, timeoutMs, signal } = options
  return perTarget(resources, async (node, wanted) => {
    const request = {
      resources: wanted.map(({ type, name, changes }) => ({
        resourceType: RESOURCE_TYPES[type],
        resourceName: name,
        configs: changes.map((change) => ({
          name: change.name,
          configOperation: OPERATIONS[change.operation],
          value: change.value,
        })),
      })),
      validateOnly,
    }
    const { responses } = await cluster.call(IncrementalAlterConfigs, request, { node, timeoutMs, signal })
    return responses.map((item) => ({ ...item, result: resultOf(item.errorCode, item.errorMessage, null) }))
  })
}

interface Answer<T> {
  readonly resourceType: number
  readonly resourceName: string
  readonly result: Result<T>
}

/**
 * Asks each broker for its own and any broker for the rest, and puts the answers in the order of the
 * questions.
 */
async function perTarget<R extends ConfigResource, T>(
  resources: readonly R[],
  ask: (node: Target, resources: readonly R[]) => Promise<readonly Answer<T>[]>,
): Promise<ResourceResult<T>[]> {
  const groups = groupBy(resources, targetOf)
  const answered = new Map<string, Result<T>>()
  const asked = [...groups].map(async ([target, group]) => {
    if (target === 'nowhere') return
    for (const { resourceType, resourceName, result } of await ask(target, group)) {
      answered.set(`${resourceType} ${resourceName}`, result)
    }
  })
  await Promise.all(asked)
  return resources.map(({ type, name }) => ({
    resource: { type, name },
    result: answered.get(`${RESOURCE_TYPES[type]} ${name}`) ?? unanswered({ type, name }),
  }))
}

function targetOf({ type, name }: ConfigResource): Target | 'nowhere' {
  const isOneBrokers = type === 'brokerLogger' || (type === 'broker' && name !== '')
  if (!isOneBrokers) return 'any'
  return /^\d{1,9}$/.test(name) ? Number(name) : 'nowhere'
}

function unanswered(resource: ConfigResource): Result<never> {
  if (targetOf(resource) !== 'nowhere')
    return failed(new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left this item out of its answer.'))
  return failed(
    new KafkaError(
      'INVALID_REQUEST',
      `Unexpected broker id, expected a number, but received ${resource.name}.`,
    ),
  )
}
