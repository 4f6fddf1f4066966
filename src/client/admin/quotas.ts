// Quotas of users, client ids and addresses, and of their defaults.

import { AlterClientQuotas } from '../../protocol/apis/alter-client-quotas.ts'
import { DescribeClientQuotas } from '../../protocol/apis/describe-client-quotas.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { waitOf } from './topics.ts'

export type QuotaEntityType = 'user' | 'client-id' | 'ip'

/** Names by type; null: what holds for all that have none of their own. */
export type QuotaEntity = ReadonlyMap<QuotaEntityType, string | null>

export interface EntityQuotas {
  readonly entity: QuotaEntity
  /** In the broker's order. */
  readonly quotas: ReadonlyMap<string, number>
}

const EXACT = 0
const DEFAULT = 1
const ANY = 2

/**
 * Those of the entities that have just these types; a name that is undefined stands for every name and the default. Throws
 * KafkaError where the broker refuses.
 */
export async function describeClientQuotas(
  cluster: Cluster,
  filter: ReadonlyMap<QuotaEntityType, string | null | undefined>,
  wait: Wait = {},
): Promise<EntityQuotas[]> {
  const components = Array.from(filter, ([entityType, name]) => ({
    entityType,
    matchType: name === undefined ? ANY : name === null ? DEFAULT : EXACT,
    match: name ?? null,
  }))
  const response = await cluster.call(DescribeClientQuotas, { components, strict: true }, waitOf(wait))
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode, response.errorMessage)
  return (response.entries ?? []).map(({ entity, values }) => ({
    entity: new Map(entity.map(({ entityType, entityName }) => [entityType as QuotaEntityType, entityName])),
    quotas: new Map(values.map(({ key, value }) => [key, value])),
  }))
}

/** Sets quotas of one entity; undefined takes one back. Throws KafkaError where the broker refuses: nothing is changed then. */
export async function alterClientQuotas(
  cluster: Cluster,
  entity: QuotaEntity,
  changes: ReadonlyMap<string, number | undefined>,
  options: Wait & { readonly validateOnly?: boolean | undefined } = {},
): Promise<void> {
  const entry = {
    entity: Array.from(entity, ([entityType, entityName]) => ({ entityType, entityName })),
    ops: Array.from(changes, ([key, value]) => ({ key, value: value ?? 0, remove: value === undefined })),
  }
  const request = { entries: [entry], validateOnly: options.validateOnly ?? false }
  const { entries } = await cluster.call(AlterClientQuotas, request, waitOf(options))
  const refused = entries.find(({ errorCode }) => errorCode !== 0)
  if (refused !== undefined) throw KafkaError.from(refused.errorCode, refused.errorMessage)
}
