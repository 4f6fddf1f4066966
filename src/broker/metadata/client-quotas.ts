// The quotas in the image, by entity: some of user, client-id and ip, each with a name or, null, its default. Changed only
// by replay(record). What a quota does when it is exceeded is in broker/throttle.ts.

import type { NewRecord, RecordOf } from './records.ts'

/** By entity type; null is the default entity of that type. In the order of the record. */
export type QuotaEntity = ReadonlyMap<string, string | null>

export interface EntityQuotas {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<string, number>
}

const NO_VALUES: ReadonlyMap<string, number> = new Map()

export class ClientQuotas {
  readonly #entities = new Map<string, { entity: QuotaEntity; values: Map<string, number> }>()
  /** Raised by each change, so that whoever keeps something computed from the quotas knows when it is old. */
  version = 0

  get size(): number {
    return this.#entities.size
  }

  /** All entities that have quotas, in the order they got them. */
  all(): Iterable<EntityQuotas> {
    return this.#entities.values()
  }

  /** The quotas of exactly this entity; empty when it has none. */
  of(entity: QuotaEntity): ReadonlyMap<string, number> {
    return this.#entities.get(nameOf(entity))?.values ?? NO_VALUES
  }

  replay({ entity: parts, key, value, remove }: RecordOf<'ClientQuotaRecord'>): void {
    this.version++
    const entity = new Map(parts.map(({ entityType, entityName }) => [entityType, entityName]))
    const name = nameOf(entity)
    const present = this.#entities.get(name)
    if (!remove) {
      if (present === undefined) this.#entities.set(name, { entity, values: new Map([[key, value]]) })
      else present.values.set(key, value)
    } else if (present?.values.delete(key) === true && present.values.size === 0) this.#entities.delete(name)
  }

  *records(): Generator<NewRecord> {
    for (const { entity, values } of this.#entities.values()) {
      for (const [key, value] of values) yield quotaRecord(entity, key, value)
    }
  }
}

/** Sets a quota; `undefined` removes it. */
export function quotaRecord(entity: QuotaEntity, key: string, value: number | undefined): NewRecord<'ClientQuotaRecord'> {
  const parts = [...entity].map(([entityType, entityName]) => ({ entityType, entityName }))
  return { name: 'ClientQuotaRecord', value: { entity: parts, key, value: value ?? 0, remove: value === undefined } }
}

/** The same for the same entity, in whichever order its parts stand. */
function nameOf(entity: QuotaEntity): string {
  return JSON.stringify([...entity].sort(([a], [b]) => (a < b ? -1 : 1)))
}
