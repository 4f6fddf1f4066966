// The flags of `broker run` and `broker start`, declared once: the daemon parses them itself, before oclif is there, and
// oclif's help shows the same. They come down to Kafka's own properties; what flags say wins over --property, and that over
// --config.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readPropertiesFile } from '../client/properties-file.ts'
import { usageError } from './errors.ts'
import { didYouMean } from './nearest.ts'

export interface BrokerFlag {
  readonly type: 'string' | 'boolean'
  readonly multiple?: boolean
  readonly value?: string
  readonly summary: string
  readonly hidden?: boolean
}

export const BROKER_FLAGS = {
  port: { type: 'string', value: 'N', summary: 'The port to listen on, 9092 unless said. 0: any free one.' },
  host: { type: 'string', value: 'HOST', summary: 'The address to listen on. 127.0.0.1 and ::1, unless said.' },
  advertise: { type: 'string', value: 'HOST:PORT', summary: 'What clients are told to connect to, behind a proxy or in a container.' },
  'data-dir': { type: 'string', value: 'DIR', summary: 'Where the data is. $XDG_DATA_HOME/ktool, unless said.' },
  ephemeral: { type: 'boolean', summary: 'Keep nothing: a temporary directory that goes when the broker stops.' },
  topic: { type: 'string', multiple: true, value: 'NAME[:PARTITIONS]', summary: 'A topic to create if it is not there.' },
  property: { type: 'string', multiple: true, value: 'NAME=VALUE', summary: "A broker setting by Kafka's name." },
  config: { type: 'string', value: 'FILE', summary: 'A server.properties file.' },
  'log-file': { type: 'string', value: 'FILE', summary: 'Where stderr goes, for `broker logs`.', hidden: true },
} as const satisfies Record<string, BrokerFlag>

/** Settings that name a file of the user's, relative to where he stands. */
const STORE_FILE = /(^|\.)ssl\.(keystore|truststore)\.location$/

export interface BrokerFlagValues {
  readonly port?: string | undefined
  readonly host?: string | undefined
  readonly advertise?: string | undefined
  readonly 'data-dir'?: string | undefined
  readonly ephemeral?: boolean | undefined
  readonly topic?: readonly string[] | undefined
  readonly property?: readonly string[] | undefined
  readonly config?: string | undefined
  readonly 'log-file'?: string | undefined
}

export interface BrokerSettings {
  /** By Kafka's names; `listeners` always, `log.dirs` unless ephemeral without a directory. */
  readonly properties: ReadonlyMap<string, string>
  readonly ephemeral: boolean
  readonly topics: readonly { readonly name: string; readonly partitions: number | undefined }[]
  readonly logFile: string | undefined
}

/** The words after `broker run`. Throws usage errors. */
export function parseBrokerFlags(argv: readonly string[]): BrokerFlagValues {
  try {
    return parseArgs({ args: [...argv], options: BROKER_FLAGS, allowPositionals: false, strict: true }).values
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const word = /'(--?[^' =]+)/.exec(message)?.[1] ?? ''
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const known = Object.entries<BrokerFlag>(BROKER_FLAGS).filter(([, { hidden }]) => !hidden)
      const guess = didYouMean(word, known.map(([name]) => `--${name}`))
      throw usageError(`there is no flag ${word}`, guess ?? 'see `ktool broker run --help`')
    }
    throw usageError(message.split('. ', 1)[0] ?? message, 'see `ktool broker run --help`')
  }
}

/** `defaultDataDirectory` is used when no flag and no property names one. */
export async function brokerSettings(flags: BrokerFlagValues, defaultDataDirectory: string): Promise<BrokerSettings> {
  const properties = flags.config === undefined ? new Map<string, string>() : await readPropertiesFile(flags.config)
  for (const property of flags.property ?? []) {
    const [, name, value] = groups(/^\s*([^=\s]+)\s*=(.*)$/s, property)
    if (name === undefined || value === undefined) throw usageError(`--property takes NAME=VALUE, not '${property}'`)
    properties.set(name, value.trim())
  }
  if (flags.host !== undefined || flags.port !== undefined || !properties.has('listeners')) {
    const host = flags.host ?? 'localhost'
    const port = flags.port === undefined ? 9092 : portNumber(flags.port, '--port')
    properties.set('listeners', `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${port}`)
  }
  if (flags.advertise !== undefined) {
    const [, host, port] = groups(/^(.+):(\d+)$/, flags.advertise)
    if (host === undefined || port === undefined) throw usageError(`--advertise takes HOST:PORT, not '${flags.advertise}'`)
    const [listener, ...others] = clientListeners(properties)
    if (others.length > 0) throw usageError(`--advertise is for one listener, and there are ${others.length + 1}`, 'set advertised.listeners instead')
    properties.set('advertised.listeners', `${listener}://${host}:${portNumber(port, '--advertise')}`)
  }
  for (const [name, value] of properties) if (STORE_FILE.test(name) && value.trim() !== '') properties.set(name, resolve(value.trim()))
  const ephemeral = flags.ephemeral === true
  const named = flags['data-dir'] ?? properties.get('log.dirs') ?? properties.get('log.dir')
  // Resolved, it would be the directory the command happens to run in.
  if (named?.trim() === '') throw usageError("the data directory's name is empty", 'name one with --data-dir')
  properties.delete('log.dir')
  properties.delete('log.dirs')
  if (named !== undefined) properties.set('log.dirs', resolve(named))
  else if (!ephemeral) properties.set('log.dirs', defaultDataDirectory)
  return { properties, ephemeral, topics: (flags.topic ?? []).map(topicFlag), logFile: flags['log-file'] }
}

/** The flags again, fit for a process with another working directory. */
export function flagsFor(flags: BrokerFlagValues, settings: BrokerSettings): string[] {
  const words: string[] = []
  const dataDirectory = settings.properties.get('log.dirs')
  if (flags.port !== undefined) words.push('--port', flags.port)
  if (flags.host !== undefined) words.push('--host', flags.host)
  if (flags.advertise !== undefined) words.push('--advertise', flags.advertise)
  if (dataDirectory !== undefined) words.push('--data-dir', dataDirectory)
  if (settings.ephemeral) words.push('--ephemeral')
  for (const topic of flags.topic ?? []) words.push('--topic', topic)
  for (const property of flags.property ?? []) words.push('--property', property)
  if (flags.config !== undefined) words.push('--config', resolve(flags.config))
  for (const [name, value] of settings.properties) if (STORE_FILE.test(name)) words.push('--property', `${name}=${value}`)
  return words
}

/** The names in `listeners`, without the controller's. */
function clientListeners(properties: ReadonlyMap<string, string>): string[] {
  const namesIn = (key: string): string[] => (properties.get(key) ?? '').split(',').map((one) => one.split('://', 1)[0].trim().toUpperCase())
  const controllers = namesIn('controller.listener.names')
  return namesIn('listeners').filter((name) => !controllers.includes(name))
}

function portNumber(text: string, flag: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(port >= 0 && port <= 65535)) throw usageError(`${flag}: '${text}' is no port; 0 to 65535`)
  return port
}

function topicFlag(text: string): { name: string; partitions: number | undefined } {
  const [, name, partitions] = groups(/^([^:]+)(?::(\d+))?$/, text)
  if (name === undefined || partitions === '0') throw usageError(`--topic takes NAME or NAME:PARTITIONS, not '${text}'`)
  return { name, partitions: partitions === undefined ? undefined : Number(partitions) }
}

function groups(pattern: RegExp, text: string): readonly (string | undefined)[] {
  return pattern.exec(text) ?? []
}
