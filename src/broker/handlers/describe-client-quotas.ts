// DescribeClientQuotas (48): the quotas of the entities that a filter names. Rules and messages as ClientQuotasImage's.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DescribeClientQuotas } from '../../protocol/apis/describe-client-quotas.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import type { QuotaEntity } from '../metadata/client-quotas.ts'
import { checkCluster } from '../security/cluster.ts'

type Component = RequestOf<typeof DescribeClientQuotas>['components'][number]

const MATCH_EXACT = 0
const MATCH_DEFAULT = 1
const MATCH_ANY = 2
const MATCH_NAMES = ['MATCH_TYPE_EXACT', 'MATCH_TYPE_DEFAULT', 'MATCH_TYPE_SPECIFIED']

/** By entity type: the name it must have, null for the default entity, undefined for any. */
type Filter = ReadonlyMap<string, string | null | undefined>

export const handleDescribeClientQuotas: Handler<typeof DescribeClientQuotas> = (request, context) => {
  const { broker } = context
  try {
    checkCluster(context, 'DESCRIBE_CONFIGS')
    const filter = filterOf(request.components)
    const found = [...broker.metadata.image.quotas.all()].filter(({ entity }) => matches(entity, filter, request.strict))
    const entries = found.map(({ entity, values }) => ({
      entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })),
      values: [...values].map(([key, value]) => ({ key, value })).sort((a, b) => rankOf(a.key) - rankOf(b.key)),
    }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: '', entries }
  } catch (error) {
    const { code, message } = itemError(error, broker, 'describing quotas')
    return { throttleTimeMs: 0, errorCode: code, errorMessage: message, entries: null }
  }
}

/** Kafka lists up to three quotas in this order, that of a Java hash map; clients' tests compare with it. */
const ORDER = ['consumer_byte_rate', 'request_percentage', 'producer_byte_rate']

function rankOf(key: string): number {
  const rank = ORDER.indexOf(key)
  return rank < 0 ? ORDER.length : rank
}

function filterOf(components: readonly Component[]): Filter {
  const filter = new Map<string, string | null | undefined>()
  const refuse = (text: string) => new KafkaError('INVALID_REQUEST', text)
  for (const { entityType, matchType, match } of components) {
    if (entityType === '') throw refuse('Invalid empty entity type.')
    if (filter.has(entityType)) throw refuse(`Entity type ${entityType} cannot appear more than once in the filter.`)
    if (entityType !== 'ip' && entityType !== 'user' && entityType !== 'client-id') {
      throw new KafkaError('UNSUPPORTED_VERSION', `Unsupported entity type ${entityType}`)
    }
    if (matchType < MATCH_EXACT || matchType > MATCH_ANY) throw refuse(`Unknown match type ${matchType}`)
    const name = MATCH_NAMES[matchType] ?? ''
    if (matchType === MATCH_EXACT) {
      if (match === null) throw refuse(`Request specified ${name}, but set match string to null.`)
    } else if (match !== null) throw refuse(`Request specified ${name}, but also specified a match string.`)
    filter.set(entityType, matchType === MATCH_ANY ? undefined : matchType === MATCH_DEFAULT ? null : match)
  }
  if (filter.has('ip') && filter.size > 1) {
    const rule = 'IP filter component should not be used with user or clientId filter component.'
    throw refuse(`Invalid entity filter component combination. ${rule}`)
  }
  return filter
}

function matches(entity: QuotaEntity, filter: Filter, isStrict: boolean): boolean {
  if (isStrict && entity.size !== filter.size) return false
  for (const [type, wanted] of filter) {
    const name = entity.get(type)
    if (name === undefined || (wanted !== undefined && name !== wanted)) return false
  }
  return true
}
