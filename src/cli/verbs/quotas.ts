// What `configs` does for users, clients and addresses: quotas, and users' passwords for SCRAM. Nothing here prints.

import {
  alterClientQuotas, alterScramUser, describeClientQuotas, describeScramUsers, type QuotaEntity, SCRAM_MECHANISM_NAMES,
  type ScramMechanismName, type ScramPassword,
} from '../../client/admin.ts' // prettier-ignore
import type { Cluster } from '../../client/cluster.ts'
import { usageError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'

export const QUOTA_TYPES = { users: 'user', clients: 'client-id', ips: 'ip' } as const
export type QuotaType = keyof typeof QUOTA_TYPES

/** '' as a name is what holds for all that have nothing of their own. */
export interface QuotaHolder {
  readonly type: QuotaType
  readonly name: string
  /** Of a user: only with this client id. */
  readonly client?: string | undefined
}

export interface QuotaSetting {
  readonly name: string
  readonly value: string
  readonly source: 'QUOTA' | 'PASSWORD'
  readonly isSensitive: false
}

const CLIENT_QUOTAS = ['producer_byte_rate', 'consumer_byte_rate', 'request_percentage', 'controller_mutation_rate']
const IP_QUOTAS = ['connection_creation_rate']
const MIN_ITERATIONS = 4096

/** Everybody of this type who has quotas or a password; users also with each of their client ids. */
export async function listQuotaHolders(cluster: Cluster, type: QuotaType): Promise<QuotaHolder[]> {
  const key = QUOTA_TYPES[type]
  const found = await describeClientQuotas(cluster, new Map([[key, undefined]]))
  const pairs = type === 'users' ? await describeClientQuotas(cluster, new Map([[key, undefined], ['client-id', undefined]])) : [] // prettier-ignore
  const passwords = type === 'users' ? await describeScramUsers(cluster) : []
  const holders = [
    ...[...found, ...pairs].map(({ entity }): QuotaHolder => {
      const client = type === 'users' ? entity.get('client-id') : undefined
      return { type, name: entity.get(key) ?? '', ...(client === undefined ? {} : { client: client ?? '' }) }
    }),
    ...passwords.map(({ user }): QuotaHolder => ({ type, name: user })),
  ]
  const byText = new Map(holders.map((holder) => [JSON.stringify([holder.name, holder.client]), holder]))
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, holder]) => holder)
}

/** In the order of their names. KafkaError where the broker refuses. */
export async function quotaSettings(cluster: Cluster, holder: QuotaHolder): Promise<QuotaSetting[]> {
  const found = (await describeClientQuotas(cluster, entityOf(holder))).at(0)
  const quotas = Array.from(found?.quotas ?? [], ([name, value]): QuotaSetting => ({ name, value: `${value}`, source: 'QUOTA', isSensitive: false }))
  const hasPasswords = holder.type === 'users' && holder.name !== '' && holder.client === undefined
  const passwords = (hasPasswords ? await describeScramUsers(cluster, [holder.name]) : []).flatMap(({ credentials }) => {
    if (!credentials.ok) throw credentials.error
    return credentials.value.map(({ mechanism, iterations }): QuotaSetting => {
      return { name: mechanism, value: `iterations=${iterations}`, source: 'PASSWORD', isSensitive: false }
    })
  })
  return [...quotas, ...passwords].sort((a, b) => (a.name < b.name ? -1 : 1))
}

interface QuotaChanges {
  readonly add: ReadonlyMap<string, string>
  readonly remove: readonly string[]
  /** The broker only says what it would do; of passwords it can't be asked. */
  readonly validateOnly: boolean
}

/** Usage error for names and values that are none; KafkaError where the broker refuses. */
export async function alterQuotaHolder(cluster: Cluster, holder: QuotaHolder, { add, remove, validateOnly }: QuotaChanges): Promise<void> {
  const known: readonly string[] = holder.type === 'ips' ? IP_QUOTAS : [...CLIENT_QUOTAS, ...(canHavePassword(holder) ? SCRAM_MECHANISM_NAMES : [])]
  const unknown = [...add.keys(), ...remove].find((name) => !known.includes(name))
  if (unknown !== undefined) throw usageError(`${holder.type} have no setting '${unknown}'`, didYouMean(unknown, known) ?? `there are ${known.join(', ')}`)
  const set = [...add].flatMap(([name, text]) => (isPassword(name) ? [parsePassword(name, text)] : []))
  const removed = remove.filter(isPassword)
  const quotas = new Map<string, number | undefined>()
  for (const [name, text] of add) if (!isPassword(name)) quotas.set(name, parseQuota(name, text))
  for (const name of remove) if (!isPassword(name)) quotas.set(name, undefined)
  if (quotas.size > 0 && set.length + removed.length > 0) throw usageError('quotas and passwords are changed apart', 'say it in two commands')
  if (set.length + removed.length > 1) throw usageError('Kafka changes one password of a user at a time', 'say it in two commands')
  if (quotas.size > 0) await alterClientQuotas(cluster, entityOf(holder), quotas, { validateOnly })
  else if (!validateOnly) await alterScramUser(cluster, holder.name, { set, remove: removed })
}

/** What may be said of a change: without a password. */
export function withoutPassword(name: string, text: string): string {
  return isPassword(name) ? text.replace(/password=.*$/s, 'password=(hidden)') : text
}

function canHavePassword({ type, name, client }: QuotaHolder): boolean {
  return type === 'users' && name !== '' && client === undefined
}

/** Whether the setting of a user is a password, by the name of its mechanism. */
export function isPassword(name: string): name is ScramMechanismName {
  return SCRAM_MECHANISM_NAMES.some((mechanism) => mechanism === name)
}

/** Kafka's form: [iterations=N,]password=TEXT. */
function parsePassword(mechanism: ScramMechanismName, text: string): ScramPassword {
  const match = /^(?:iterations=(\d{1,9}),)?password=(.+)$/s.exec(text)
  if (match === null) throw usageError(`${mechanism} takes [password=TEXT] or [iterations=N,password=TEXT]`)
  const [, given, password] = match as unknown as readonly [string, string | undefined, string]
  const iterations = given === undefined ? MIN_ITERATIONS : Number(given)
  if (iterations < MIN_ITERATIONS) throw usageError(`${mechanism} takes ${MIN_ITERATIONS} iterations or more, not ${iterations}`)
  return { mechanism, iterations, password }
}

function parseQuota(name: string, text: string): number {
  const value = text === '' ? NaN : Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw usageError(`${name} takes a number above 0, not '${text}'`, '--delete-config takes a quota away')
}

function entityOf({ type, name, client }: QuotaHolder): QuotaEntity {
  return new Map([[QUOTA_TYPES[type], name || null], ...(client === undefined ? [] : [['client-id', client || null] as const])])
}
