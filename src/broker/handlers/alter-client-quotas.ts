// AlterClientQuotas (49): sets and removes quotas of users, client ids and addresses, or of their defaults. Checks and
// messages as the controller's (ClientQuotaControlManager), but that an ip must be an address, no names are looked up, and
// that NaN is no quota.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { AlterClientQuotas } from '../../protocol/apis/alter-client-quotas.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { quotaRecord } from '../metadata/client-quotas.ts'
import type { QuotaEntity } from '../metadata/client-quotas.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { NewRecord } from '../metadata/records.ts'
import { checkCluster } from '../security/cluster.ts'

type Entry = RequestOf<typeof AlterClientQuotas>['entries'][number]
type QuotaType = 'LONG' | 'DOUBLE' | 'INT'

// QuotaConfig.userAndClientQuotaConfigs and ipConfigs.
const CLIENT_KEYS: ReadonlyMap<string, QuotaType> = new Map([
  ['producer_byte_rate', 'LONG'],
  ['consumer_byte_rate', 'LONG'],
  ['request_percentage', 'DOUBLE'],
  ['controller_mutation_rate', 'DOUBLE'],
])
const IP_KEYS: ReadonlyMap<string, QuotaType> = new Map([['connection_creation_rate', 'INT']])
const ORDER: readonly string[] = ['client-id', 'user', 'ip'] // in which Kafka names them
const LARGEST: Readonly<Record<QuotaType, number>> = { LONG: 2 ** 63, INT: 2 ** 31 - 1, DOUBLE: Infinity }

export const handleAlterClientQuotas: Handler<typeof AlterClientQuotas> = async (request, context) => {
  const { broker } = context
  const outcomes = await broker.metadata.submit((image) => {
    const records: NewRecord[] = []
    // By entity: one that is named twice is answered once.
    const result = new Map<string, { entity: QuotaEntity; error: KafkaError | undefined }>()
    for (const entry of request.entries) {
      const entity = entityOf(entry)
      const name = textOf(entity)
      let error: KafkaError | undefined
      try {
        checkCluster(context, 'ALTER_CONFIGS')
        const changes = changesOf(entry)
        // Kafka says the same of a key that is named twice.
        if (changes === undefined || result.has(name)) {
          throw new KafkaError('INVALID_REQUEST', `Ignoring duplicate entity ${name}`)
        }
        records.push(...recordsOf(image, entity, changes))
      } catch (thrown) {
        error = itemError(thrown, broker, `altering the quotas of ${name}`)
      }
      result.set(name, { entity, error })
    }
    return { records: request.validateOnly ? [] : records, result }
  })
  const entries = [...outcomes.values()].map(({ entity, error }) => ({
    errorCode: error?.code ?? ErrorCode.NONE,
    errorMessage: error?.message ?? null,
    entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })),
  }))
  return { throttleTimeMs: 0, entries }
}

function entityOf({ entity }: Entry): QuotaEntity {
  const parts = entity.map(({ entityType, entityName }) => [entityType, entityName] as const)
  return new Map(parts.sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b)))
}

/** By key; undefined removes. Undefined as a whole when a key is named twice. */
function changesOf({ ops }: Entry): Map<string, number | undefined> | undefined {
  const changes = new Map(ops.map(({ key, value, remove }) => [key, remove ? undefined : value]))
  return changes.size < ops.length ? undefined : changes
}

function recordsOf(image: MetadataImage, entity: QuotaEntity, changes: ReadonlyMap<string, number | undefined>): NewRecord[] {
  const keys = keysFor(entity)
  const current = image.quotas.of(entity)
  const records: NewRecord[] = []
  for (const [key, value] of changes) {
    if (value !== undefined) checkValue(keys, key, value)
    if (current.get(key) !== value) records.push(quotaRecord(entity, key, value))
  }
  return records
}

function keysFor(entity: QuotaEntity): ReadonlyMap<string, QuotaType> {
  const refuse = (text: string) => new KafkaError('INVALID_REQUEST', text)
  if (entity.size === 0) throw refuse('Invalid empty client quota entity')
  for (const [type, name] of entity) {
    if (type !== 'user' && type !== 'client-id' && type !== 'ip') throw refuse(`Unhandled client quota entity type: ${type}`)
    if (name === '') throw refuse(`Empty ${type} not supported`)
  }
  const ip = entity.get('ip')
  if (ip === undefined) return CLIENT_KEYS
  if (entity.size > 1) {
    throw refuse('Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId')
  }
  if (ip !== null && !isAddress(ip)) throw refuse(`${ip} is not a valid IP or resolvable host.`)
  return IP_KEYS
}

function isAddress(ip: string): boolean {
  const isV4 = /^(\d{1,3})(\.\d{1,3}){3}$/.test(ip) && ip.split('.').every((byte) => Number(byte) < 256)
  return isV4 || ip === 'localhost' || (ip.includes(':') && URL.canParse(`http://[${ip}]/`))
}

function checkValue(keys: ReadonlyMap<string, QuotaType>, key: string, value: number): void {
  const refuse = (text: string) => new KafkaError('INVALID_REQUEST', text)
  const type = keys.get(key)
  if (type === undefined) throw refuse(`Invalid configuration key ${key}`)
  if (!(value > 0)) throw refuse(`Quota ${key} must be greater than 0`)
  if (type === 'DOUBLE') return
  const article = type === 'INT' ? 'an' : 'a'
  if (value > LARGEST[type]) throw refuse(`Proposed value for ${key} is too large for ${article} ${type}.`)
  if (value % 1 > 1e-6) throw refuse(`${key} cannot be a fractional value.`)
}

/** As Kafka prints it. */
function textOf(entity: QuotaEntity): string {
  return `ClientQuotaEntity(entries={${Array.from(entity, ([type, name]) => `${type}=${name}`).join(', ')}})`
}
