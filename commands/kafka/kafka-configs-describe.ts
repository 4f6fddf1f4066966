// `kafka-configs --describe`: which entities, and their lines.

import {
  type ConfigEntry, describeCluster, describeConfigs, describeScramUsers, listConfigResources, listGroups, listTopics,
} from '../../src/client/admin.ts' // prettier-ignore
import { doubleText } from '../../src/base/float-text.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import type { FaceIo } from '../../src/cli/apache/face.ts'
import { awaited, executionException, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, mapHash, stringHash } from '../../src/cli/apache/java-hash.ts'
import { invalidTopicName } from '../../src/cli/apache/java-text.ts'
import { type Entities, RESOURCES } from './kafka-configs-entities.ts'
import { clientQuotas } from './kafka-configs-quotas.ts'

type ResourceWord = keyof typeof RESOURCES

export async function describe(cluster: Cluster, { types, names }: Entities, isAll: boolean, io: FaceIo): Promise<void> {
  const [type] = types
  if (type === 'ips') return describeQuotas(cluster, { types, names }, io)
  if (type === 'users' || type === 'clients') {
    await describeQuotas(cluster, { types, names }, io)
    if (!types.includes('clients') && !names.includes('')) await describePasswords(cluster, names, io)
    return
  }
  await describeResources(cluster, type as ResourceWord, names.at(0), isAll, io)
}

async function describeResources(cluster: Cluster, type: ResourceWord, name: string | undefined, isAll: boolean, io: FaceIo): Promise<void> {
  if (name !== undefined && !isAll && !(await isThere(cluster, type, name))) {
    io.out(`The ${type.slice(0, -1)} '${name}' doesn't exist and doesn't have dynamic config.\n`)
    return
  }
  for (const entity of name === undefined ? await namesOf(cluster, type) : [name]) {
    if (entity === '') io.out(`Default configs for ${type} in the cluster are:\n`)
    else io.out(`${isAll ? 'All' : 'Dynamic'} configs for ${type.slice(0, -1)} ${entity} are:\n`)
    for (const { name, value, isSensitive, synonyms } of await configsOf(cluster, type, entity, isAll)) {
      const origins = synonyms.map((synonym) => `${synonym.source}:${synonym.name}=${synonym.value ?? 'null'}`)
      io.out(`  ${name}=${value ?? 'null'} sensitive=${isSensitive} synonyms={${origins.join(', ')}}\n`)
    }
  }
}

async function isThere(cluster: Cluster, type: ResourceWord, name: string): Promise<boolean> {
  if (type === 'topics') checkTopicName(name)
  if ((type === 'brokers' || type === 'broker-loggers') && name === '') return true
  if (type !== 'groups') return (await namesOf(cluster, type)).includes(name)
  const groups = await awaited('listGroups', listGroups(cluster))
  if (groups.some(({ groupId }) => groupId === name)) return true
  const configured = await configuredGroups(cluster)
  return configured === undefined || configured.includes(name)
}

async function namesOf(cluster: Cluster, type: ResourceWord): Promise<string[]> {
  if (type === 'topics') {
    const topics = await awaited('listTopics', listTopics(cluster))
    return inHashOrder(topics.map(({ name }) => name), stringHash) // prettier-ignore
  }
  if (type === 'client-metrics') return awaited('listConfigResources', listConfigResources(cluster, 'clientMetrics'))
  if (type === 'groups') {
    const groups = await awaited('listGroups', listGroups(cluster))
    return [...new Set([...groups.map(({ groupId }) => groupId), ...((await configuredGroups(cluster)) ?? [])])]
  }
  const { brokers } = await awaited('listNodes', describeCluster(cluster))
  return [...brokers.map(({ nodeId }) => `${nodeId}`), '']
}

/** Undefined where the cluster is too old to say, or we may not ask (KIP-1142). */
async function configuredGroups(cluster: Cluster): Promise<string[] | undefined> {
  try {
    return await listConfigResources(cluster, 'group')
  } catch (error) {
    const java = toJava(error, 'listConfigResources')
    if (/\.(UnsupportedVersion|ClusterAuthorization)Exception$/.test(java.className)) return undefined
    throw java
  }
}

function checkTopicName(name: string): void {
  const wrong = invalidTopicName(name)
  if (wrong !== undefined) throw new JavaError('org.apache.kafka.common.errors.InvalidTopicException', wrong)
}

/** By name; without `isAll` only what was set on the entity itself. */
async function configsOf(cluster: Cluster, type: ResourceWord, name: string, isAll: boolean): Promise<ConfigEntry[]> {
  if (type === 'topics' && name !== '') checkTopicName(name)
  const asked = describeConfigs(cluster, [{ type: RESOURCES[type], name }], { includeSynonyms: true })
  const [{ result }] = await awaited('describeConfigs', asked)
  if (!result.ok) throw executionException(result.error)
  const source = type === 'broker-loggers' || isAll ? undefined : type === 'brokers' && name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : OWN[type]
  return result.value.filter((entry) => source === undefined || entry.source === source).sort((a, b) => (a.name < b.name ? -1 : 1))
}

const OWN = {
  topics: 'DYNAMIC_TOPIC_CONFIG', brokers: 'DYNAMIC_BROKER_CONFIG', 'client-metrics': 'DYNAMIC_CLIENT_METRICS_CONFIG', groups: 'DYNAMIC_GROUP_CONFIG',
} as const // prettier-ignore

const ENTITY_WORDS = [['user', 'user-principal'], ['client-id', 'client-id'], ['ip', 'ip']] as const // prettier-ignore

async function describeQuotas(cluster: Cluster, entities: Entities, io: FaceIo): Promise<void> {
  const found = await clientQuotas(cluster, entities)
  for (const { entity, quotas } of inHashOrder(found, ({ entity }) => (31 + mapHash(entity)) | 0, found.length)) {
    const names = ENTITY_WORDS.flatMap(([type, word]) => {
      const name = entity.get(type)
      return name === undefined ? [] : [name === null ? `the default ${word}` : `${word} '${name}'`]
    })
    const values = inHashOrder([...quotas], ([key]) => stringHash(key), quotas.size).map(([key, value]) => `${key}=${doubleText(value)}`)
    io.out(`Quota configs for ${names.join(', ')} are ${values.join(', ')}\n`)
  }
}

async function describePasswords(cluster: Cluster, names: readonly string[], io: FaceIo): Promise<void> {
  for (const { user, credentials } of await awaited('describeUserScramCredentials', describeScramUsers(cluster, names))) {
    if (credentials.ok) {
      const texts = credentials.value.map(({ mechanism, iterations }) => `${mechanism}=iterations=${iterations}`)
      io.out(`SCRAM credential configs for user-principal '${user}' are ${texts.join(', ')}\n`)
    } else {
      const { className, message } = executionException(credentials.error)
      io.out(`Error retrieving SCRAM credential configs for user-principal '${user}': ${className.replace(/.*\./, '')}: ${message}\n`)
    }
  }
}
