// How settings look: a table an entity, with where each value comes from.

import type { Output } from './output.ts'
import type { Entity, EntityConfigs } from './verbs/configs.ts'

/** Kafka's names for where a setting comes from, in words. */
const SOURCES: Readonly<Record<string, string>> = {
  DYNAMIC_TOPIC_CONFIG: 'topic',
  DYNAMIC_BROKER_CONFIG: 'broker',
  DYNAMIC_DEFAULT_BROKER_CONFIG: 'cluster',
  STATIC_BROKER_CONFIG: 'server.properties',
  DEFAULT_CONFIG: 'default',
}

export async function showConfigs(entities: readonly EntityConfigs[], output: Output): Promise<void> {
  if (output.isJson) {
    output.json({ entities: entities.map(({ entity, configs }) => ({ ...entity, configs })) })
    return
  }
  const paint = await output.paint()
  for (const [i, { entity, configs }] of entities.entries()) {
    if (i > 0) output.line('')
    if (configs.length === 0) {
      output.talk(`${entityTitle(entity)} has no settings of its own`)
      continue
    }
    await output.write(`${paint.heading(entityTitle(entity))}\n`)
    await output.table(
      [{ heading: 'setting' }, { heading: 'value' }, { heading: 'from' }],
      configs.map(({ name, value, source, isSensitive }) => {
        return [name, isSensitive ? '(hidden)' : (value ?? ''), SOURCES[source] ?? source.toLowerCase()]
      }),
    )
  }
}

export function entityTitle({ type, name }: Entity): string {
  if (type === 'topics') return `topic ${name}`
  return name === '' ? 'all brokers' : `broker ${name}`
}
