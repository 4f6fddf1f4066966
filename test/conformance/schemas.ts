// Compares every declaration in src/protocol/apis and src/protocol/records with Apache's schema of the same name, field
// by field and version by version: what is on the wire, in which order, nullable or not, tagged or not, with which
// default, ignorable or not. A file that holds nothing to compare fails too, so that none is forgotten.

import { readdirSync } from 'node:fs'
import { GROUP_RECORDS } from '../../src/protocol/records/group-schemas.ts'
import { METADATA_RECORDS } from '../../src/protocol/records/metadata-schemas.ts'
import type { Api, Fields, Message, Type } from '../../src/protocol/schema.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import type { ApacheField, ApacheMessage } from './schemas-apache.ts'
import { readApacheMessages, whySkipped } from './schemas-apache.ts'

interface Outcome {
  passed: number
  failed: number
  skipped: number
  lines: string[]
}

/** One declaration of ours, as far as Apache's schema can say something about it. */
export interface Declared {
  readonly name: string
  readonly versions: readonly [number, number]
  readonly flexible: number
  readonly fields: Fields
  readonly key?: number
}

type Structs = ReadonlyMap<string, readonly ApacheField[]>
type Field = Type<unknown, boolean>

const FOLDERS = ['apis', 'records'] as const
/** Files of those folders that only work on what others declare. */
const NO_DECLARATIONS = new Set(['records/coordinator.ts', 'records/group.ts', 'records/metadata.ts'])
const OF_GROUPS = /^(ConsumerGroup|Group|LegacyOffset|Offset)/
/** Framed like metadata records, in a log of their own. */
const OF_REMOTE_LOGS = /^Remote(Log|Partition)/
/** Fields by their path that must be exact, because they are stored and handed back. */
const EXACT = /(producerId|committedOffset|^v\d+ (offset|metadataHash))$/i

/** Every check is one message: a request, a response, a record. */
async function run(): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: 0, skipped: 0, lines: [] }
  if (whySkipped !== undefined) return { ...outcome, skipped: 1, lines: [whySkipped] }
  const apache = readApacheMessages()
  const report = (name: string, differences: string[]) => {
    if (differences.length === 0) outcome.passed++
    else outcome.failed++
    outcome.lines.push(...differences.map((difference) => `${name}: ${difference}`))
  }
  for (const folder of FOLDERS) {
    for (const file of readdirSync(new URL(`../../src/protocol/${folder}`, import.meta.url))) {
      const path = `${folder}/${file}`
      const declared = await declaredIn(path)
      if (declared.length === 0 && !NO_DECLARATIONS.has(path)) report(path, ['declares nothing that can be compared'])
      for (const ours of declared) report(ours.name, differences(ours, apache.get(ours.name)))
    }
  }
  const missing = [...apache.values()].filter(({ name, type }) => type === 'metadata' && !OF_REMOTE_LOGS.test(name) && !(name in METADATA_RECORDS))
  report('records/metadata-schemas.ts', missing.map(({ name }) => `lacks ${name}`))
  const groupKeys = [...apache.values()].filter(({ name, type }) => type === 'coordinator-key' && OF_GROUPS.test(name))
  const lost = groupKeys.filter(({ name }) => !(name.slice(0, -'Key'.length) in GROUP_RECORDS))
  report('records/group-schemas.ts', lost.map(({ name }) => `lacks ${name}`))
  return outcome
}

async function declaredIn(path: string): Promise<Declared[]> {
  const file = new URL(`../../src/protocol/${path}`, import.meta.url).href
  const module = (await import(/* @vite-ignore */ file)) as Record<string, unknown>
  return Object.values(module).flatMap(declarations)
}

function declarations(value: unknown): Declared[] {
  if (typeof value !== 'object' || value === null) return []
  if ('request' in value && 'response' in value) {
    const { key, request, response } = value as Api
    return [request, response].map((message) => ({ ...pick(message), key }))
  }
  if ('codec' in value) return [pick(value as Message<Fields>)]
  const table = value as Partial<typeof METADATA_RECORDS & typeof GROUP_RECORDS>
  return Object.entries(table).flatMap(([name, record]): Declared[] => {
    if (typeof record !== 'object') return []
    if ('key' in record) return [record.key, record.value].map((half) => ({ ...pick(half), key: record.type }))
    if (!('fields' in record)) return []
    return [{ name, versions: record.versions, flexible: 0, fields: record.fields, key: record.type }]
  })
}

function pick({ name, versions, flexible, fields }: Message<Fields>): Declared {
  return { name, versions, flexible, fields }
}

/** What differs, in words; empty when nothing does. */
export function differences(ours: Declared, apache: ApacheMessage | undefined): string[] {
  if (apache === undefined) return ['Apache knows no message of this name']
  const found: string[] = []
  const check = (what: string, mine: unknown, theirs: unknown) => {
    const [a, b] = [mine, theirs].map((value) => JSON.stringify(value))
    if (a !== b) found.push(`${what} ${a}, Apache has ${b}`)
  }
  check('versions', ours.versions, range(apache.validVersions))
  if (ours.key !== undefined) check('key', ours.key, apache.apiKey)
  const flexible = apache.flexibleVersions === 'none' ? Infinity : range(apache.flexibleVersions)[0]
  const structs = new Map((apache.commonStructs ?? []).map(({ name, fields }) => [name, fields]))
  for (let version = ours.versions[0]; version <= ours.versions[1]; version++) {
    check(`flexibility of version ${version}`, version >= ours.flexible, version >= flexible)
    compareFields(`v${version}`, ours.fields, apache.fields, version, structs, check)
  }
  return found
}

type Check = (what: string, mine: unknown, theirs: unknown) => void

function compareFields(
  path: string,
  ours: Fields,
  theirs: readonly ApacheField[],
  version: number,
  structs: Structs,
  check: Check,
): void {
  const there = theirs.filter(({ versions }) => isIn(version, versions))
  const here = Object.entries(ours).filter(([, type]) => isLive(type, version))
  check(`${path} fields`, here.map(([name]) => name), there.map(({ name }) => camelCase(name)))
  for (const field of theirs) {
    const type = ours[camelCase(field.name)] as Field | undefined
    if (type === undefined) continue // told by the line above, unless no version we declare has it
    const at = `${path} ${camelCase(field.name)}`
    check(`${at} ignorable`, type.settings.ignorable ?? false, field.ignorable ?? false)
    check(`${at} default`, defaultOf(type), apacheDefault(field, structs))
    if (!isIn(version, field.versions)) continue
    const tag = isIn(version, field.taggedVersions) ? field.tag : undefined
    check(`${at} tag`, (type.settings.taggedSince ?? Infinity) <= version ? type.settings.tag : undefined, tag)
    check(`${at} nullable`, (type.settings.nullableSince ?? Infinity) <= version, isIn(version, field.nullableVersions))
    compareType(at, type, field, version, structs, check)
  }
}

function compareType(
  path: string,
  ours: Field,
  theirs: ApacheField,
  version: number,
  structs: Structs,
  check: Check,
): void {
  const isArray = theirs.type.startsWith('[]')
  check(`${path} is an array`, ours.kind === 'array', isArray)
  const element = ours.kind === 'array' ? (ours.settings.element as Field) : ours
  const name = theirs.type.replace('[]', '')
  const inner = theirs.fields ?? structs.get(name)
  // int64 has two forms of ours.
  const isExact = name === 'int64' && (theirs.entityType === 'producerId' || EXACT.test(path))
  const wanted = inner !== undefined ? 'struct' : isExact ? 'exactInt64' : name
  const kind = element.kind === 'exactInt64' && wanted === 'int64' ? 'int64' : element.kind
  check(`${path} type`, kind, wanted)
  if (inner !== undefined) compareFields(path, element.settings.fields ?? {}, inner, version, structs, check)
}

function isLive({ settings }: Field, version: number): boolean {
  const { since = 0, until = Infinity, tag, taggedSince = 0 } = settings
  return version >= since && version <= until && (tag === undefined || version >= taggedSince)
}

/** Ours as JSON can say it. */
function defaultOf(type: Field): unknown {
  if (type.kind === 'struct' && (type.settings.nullableSince === undefined || type.fallback !== null)) return {}
  if (Buffer.isBuffer(type.fallback)) return type.fallback.toString('hex')
  return typeof type.fallback === 'bigint' ? Number(type.fallback) : type.fallback
}

/** Apache's, of which a schema need say only those that its generator would not choose by itself. */
function apacheDefault({ type, default: given, fields }: ApacheField, structs: Structs): unknown {
  const isStruct = !type.startsWith('[]') && (fields !== undefined || structs.has(type))
  // The generator takes the word for null, and a null of JSON's for nothing said: then a struct is there, with its defaults.
  if (given === 'null' || (given === null && !isStruct)) return null
  if (type.startsWith('[]')) return []
  if (fields !== undefined || structs.has(type)) return {}
  switch (type) {
    case 'string':
      return given ?? ''
    case 'bytes':
      return given ?? ''
    case 'records':
      return null
    case 'uuid':
      return given ?? ZERO_UUID
    case 'bool':
      return String(given) === 'true'
    default: {
      return Math.min(Number(given ?? 0), Number.MAX_SAFE_INTEGER)
    }
  }
}

function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

/** '3', '3-5', '3+' or 'none'. */
function range(versions: string): [number, number] {
  if (versions === 'none') return [Infinity, -Infinity]
  const [first, last = first] = versions.split(/[-+]/)
  if (versions.endsWith('+')) return [Number(first), Infinity]
  return [Number(first), Number(last)]
}

function isIn(version: number, versions: string | undefined): boolean {
  const [first, last] = range(versions ?? 'none')
  return version >= first && version <= last
}

export default { name: 'schemas', title: "Declarations against Apache's schemas", needs: ['apache-kafka'], run }
