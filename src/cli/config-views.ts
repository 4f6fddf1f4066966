// How settings look: a table an entity, with where each value comes from.

import { errorJson, failureLine } from './errors.ts'
import type { Output } from './output.ts'
import { bytesText, durationText } from './quantities.ts'
import type { Entity, EntityConfigs } from './verbs/configs.ts'

/** Kafka's names for where a setting comes from, in words. */
const SOURCES: Readonly<Record<string, string>> = {
  DYNAMIC_TOPIC_CONFIG: 'topic',
  DYNAMIC_BROKER_CONFIG: 'broker',
  DYNAMIC_DEFAULT_BROKER_CONFIG: 'cluster',
  STATIC_BROKER_CONFIG: 'server.properties',
  DEFAULT_CONFIG: 'default',
  DYNAMIC_GROUP_CONFIG: 'group',
  DYNAMIC_CLIENT_METRICS_CONFIG: 'subscription',
}

export async function showConfigs(entities: readonly EntityConfigs[], output: Output): Promise<void> {
  if (output.isJson) {
    output.json({
      entities: entities.map(({ entity, configs, error }) => (error === null ? { ...entity, configs } : { ...entity, error: errorJson(error) })),
    })
    return
  }
  for (const [i, { entity, configs, error }] of entities.entries()) {
    if (error !== null) {
      output.talk(`ktool: ${failureLine(error)}`)
      continue
    }
    if (i > 0) output.line('')
    if (configs.length === 0) {
      output.talk(`${entityTitle(entity)} has no settings of its own`)
      continue
    }
    await output.heading(entityTitle(entity))
    await output.table(
      [{ heading: 'setting' }, { heading: 'value' }, { heading: 'from' }],
      configs.map(({ name, value, source, isSensitive }) => {
        return [name, isSensitive ? '(hidden)' : readable(name, value ?? '', output), SOURCES[source] ?? source.toLowerCase()]
      }),
    )
  }
}

/** A time or a size in a table, as a person reads it behind what it is. */
function readable(name: string, value: string, output: Output): string {
  if (output.format !== 'table' || !/^\d{4,15}$/.test(value)) return value
  if (name.endsWith('.ms')) return `${value} (${durationText(Number(value))})`
  return /\.(bytes|size)$/.test(name) ? `${value} (${bytesText(Number(value))})` : value
}

export function entityTitle(entity: Entity): string {
  const { type, name } = entity
  if (type === 'client-metrics') return `client metrics ${name}`
  const title = name === '' ? `all ${type === 'ips' ? 'addresses' : type}` : `${type === 'ips' ? 'address' : type.slice(0, -1)} ${name}`
  if (!('client' in entity) || entity.client === undefined) return title
  return `${title} with ${entity.client === '' ? 'any client' : `client ${entity.client}`}`
}
