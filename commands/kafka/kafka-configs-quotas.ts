// `kafka-configs` for users, clients and ips: quotas, and passwords of SCRAM users.

import {
  alterClientQuotas, alterScramUser, describeClientQuotas, type EntityQuotas, type QuotaEntityType, SCRAM_MECHANISM_NAMES,
  type ScramMechanismName, type ScramPassword,
} from '../../src/client/admin.ts' // prettier-ignore
import type { Cluster } from '../../src/client/cluster.ts'
import { awaited, illegalArgument, JavaError } from '../../src/cli/apache/java-errors.ts'
import { javaDouble } from '../../src/cli/apache/java-text.ts'
import type { Changes, Entities } from './kafka-configs-entities.ts'

// QuotaConfig.userAndClientQuotaConfigs and ipConfigs.
const QUOTAS: ReadonlySet<string> = new Set(['producer_byte_rate', 'consumer_byte_rate', 'request_percentage', 'controller_mutation_rate'])
const IP_QUOTA = 'connection_creation_rate'
const DEFAULT_ITERATIONS = 4096
const MIN_ITERATIONS = 4096

const ENTITY_TYPES: Readonly<Record<string, QuotaEntityType>> = { users: 'user', clients: 'client-id', ips: 'ip' }

export async function alterUsersAndClients(cluster: Cluster, entities: Entities, changes: Changes): Promise<void> {
  const added = [...changes.add.keys()]
  const removed = changes.remove
  const scramAdded = added.filter(isScram)
  const scramRemoved = removed.filter(isScram)
  const unknownAdded = added.filter((name) => !isScram(name) && !QUOTAS.has(name))
  const unknownRemoved = removed.filter((name) => !isScram(name) && !QUOTAS.has(name))
  const hasQuotas = [...added, ...removed].some((name) => QUOTAS.has(name))
  if (entities.types[0] === 'clients' || entities.types.length === 2) {
    refuse('quota', 'added', 'clients', setText([...unknownAdded, ...scramAdded]))
    refuse('quota', 'deleted', 'clients', bufferText([...unknownRemoved, ...scramRemoved]))
  } else {
    refuse('quota and SCRAM credential', 'added', 'users', setText(unknownAdded))
    refuse('quota and SCRAM credential', 'deleted', 'users', bufferText(unknownRemoved))
    if (scramAdded.length > 0 || scramRemoved.length > 0) {
      if (entities.names.includes('')) {
        throw illegalArgument('The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.')
      }
      if (hasQuotas) {
        throw illegalArgument("Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.")
      }
    }
  }
  if (hasQuotas) return alterQuotas(cluster, entities, changes)
  if (entities.names.length !== 1) {
    const names = `List(${entities.names.join(', ')})`
    const message = `Altering user SCRAM credentials should never occur for more zero or multiple users: ${names}`
    throw new JavaError('java.lang.IllegalStateException', message)
  }
  await alterPasswords(cluster, entities.names[0], changes.add, scramRemoved)
}

function isScram(name: string): name is ScramMechanismName {
  return SCRAM_MECHANISM_NAMES.some((mechanism) => mechanism === name)
}

function refuse(what: string, how: string, type: string, names: string | undefined): void {
  if (names === undefined) return
  throw illegalArgument(`Only ${what} configs can be ${how} for '${type}' using --bootstrap-server. Unexpected config names: ${names}`)
}

/** Scala's text of the keys of a map, and of a buffer; undefined where there are none. */
function setText(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `${names.length > 4 ? 'HashSet' : 'Set'}(${names.join(', ')})`
}

function bufferText(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `ArrayBuffer(${names.join(', ')})`
}

export async function alterIps(cluster: Cluster, entities: Entities, changes: Changes): Promise<void> {
  const unknown = [...new Set([...changes.add.keys(), ...changes.remove])].filter((name) => name !== IP_QUOTA)
  if (unknown.length > 0) {
    throw illegalArgument(`Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: ${unknown.join(',')}`)
  }
  await alterQuotas(cluster, entities, changes)
}

async function alterQuotas(cluster: Cluster, entities: Entities, { add, remove }: Changes): Promise<void> {
  const now = (await clientQuotas(cluster, entities)).at(0)?.quotas
  const unset = remove.filter((name) => now?.has(name) !== true)
  if (unset.length > 0) {
    throw new JavaError('org.apache.kafka.common.errors.InvalidConfigurationException', `Invalid config(s): ${unset.join(',')}`)
  }
  const changes = new Map<string, number | undefined>()
  for (const [name, text] of add) {
    const value = javaDouble(text)
    if (value === undefined) throw illegalArgument(`Cannot parse quota configuration value for ${name}: ${text}`)
    changes.set(name, value)
  }
  for (const name of remove) changes.set(name, undefined)
  const entity = new Map(entities.types.map((type, at) => [ENTITY_TYPES[type], entities.names[at] || null]))
  await awaited('alterClientQuotas', alterClientQuotas(cluster, entity, changes))
}

/** Of the entities meant: a type without a name stands for every name. */
export function clientQuotas(cluster: Cluster, { types, names }: Entities): Promise<EntityQuotas[]> {
  if (names.length > types.length) throw illegalArgument('More entity names specified than entity types')
  const filter = new Map(types.map((type, at) => [ENTITY_TYPES[type], at < names.length ? names[at] || null : undefined]))
  return awaited('describeClientQuotas', describeClientQuotas(cluster, filter))
}

async function alterPasswords(cluster: Cluster, user: string, add: ReadonlyMap<string, string>, remove: readonly ScramMechanismName[]): Promise<void> {
  const set = [...add].flatMap(([name, text]) => (isScram(name) ? [password(name, text)] : []))
  await awaited('alterUserScramCredentials', alterScramUser(cluster, user, { set, remove }))
}

function password(mechanism: ScramMechanismName, text: string): ScramPassword {
  const match = /^(?:iterations=(-?[0-9]*),)?password=(.*)$/.exec(text)
  if (match === null) throw illegalArgument(`Invalid credential property ${mechanism.replaceAll('-', '_')}=${text}`)
  const [, given, password] = match as unknown as readonly [string, string | undefined, string]
  const iterations = given === undefined || given === '-1' ? DEFAULT_ITERATIONS : Number(given)
  if (given === '') throw new JavaError('java.lang.NumberFormatException', 'For input string: ""')
  if (iterations < MIN_ITERATIONS) {
    throw illegalArgument(`Iterations ${iterations} is less than the minimum ${MIN_ITERATIONS} required for ${mechanism}`)
  }
  return { mechanism, iterations, password }
}
