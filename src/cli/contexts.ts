// Contexts: clusters by name, each a file of Kafka's client properties in the configuration directory, readable by its owner
// only, with what ktool keeps of it in the same file (ktool.…). Which one is the current one lies in a file of its own.

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatProperties, readPropertiesFile } from '../client/properties-file.ts'
import { didYouMean } from './nearest.ts'
import { usageError } from './errors.ts'

export interface Context {
  readonly name: string
  /** Client properties as they were given: secrets may be references (secrets.ts). */
  readonly properties: ReadonlyMap<string, string>
  /** Commands that change something refuse to. */
  readonly isReadOnly: boolean
  /** Another cluster at its addresses is refused before anything is changed. */
  readonly clusterId: string | undefined
}

const READ_ONLY = 'ktool.read.only'
const CLUSTER_ID = 'ktool.cluster.id'
const SUFFIX = '.properties'
const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/

/** All there are, by name. */
export async function listContexts(directory: string): Promise<Context[]> {
  return Promise.all((await contextNames(directory)).map((name) => read(directory, name)))
}

/** Usage error, with the nearest, for one that isn't there. */
export async function readContext(directory: string, name: string): Promise<Context> {
  const names = await contextNames(directory)
  if (names.includes(name)) return read(directory, name)
  throw usageError(`there is no context '${name}'`, didYouMean(name, names) ?? 'see `ktool context list`')
}

/** Usage error for a name that is taken or no name. */
export async function addContext(directory: string, context: Context): Promise<void> {
  const { name, properties, isReadOnly, clusterId } = context
  if (!NAME.test(name)) throw usageError(`'${name}' is no name for a context`, 'take up to 64 letters, digits and . _ -')
  if ((await contextNames(directory)).includes(name)) {
    throw usageError(`there is a context '${name}' already`, `\`ktool context remove ${name}\` takes it away`)
  }
  const own: [string, string][] = [...(isReadOnly ? [[READ_ONLY, 'true'] as [string, string]] : []), ...(clusterId ? [[CLUSTER_ID, clusterId] as [string, string]] : [])]
  await save(join(directory, 'contexts'), `${name}${SUFFIX}`, await formatProperties(new Map([...properties, ...own])))
}

export async function removeContext(directory: string, name: string): Promise<void> {
  await readContext(directory, name)
  await rm(fileOf(directory, name))
  if ((await currentContext(directory)) === name) await setCurrentContext(directory, undefined)
}

export async function currentContext(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, 'current-context'), 'utf8')).trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** `name` exists. undefined: none is current any more. */
export async function setCurrentContext(directory: string, name: string | undefined): Promise<void> {
  if (name === undefined) await rm(join(directory, 'current-context'), { force: true })
  else await save(directory, 'current-context', `${name}\n`)
}

async function contextNames(directory: string): Promise<string[]> {
  try {
    const files = await readdir(join(directory, 'contexts'))
    return files
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
      .filter((name) => NAME.test(name))
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function read(directory: string, name: string): Promise<Context> {
  const all = await readPropertiesFile(fileOf(directory, name))
  const properties = new Map([...all].filter(([key]) => !key.startsWith('ktool.')))
  return { name, properties, isReadOnly: all.get(READ_ONLY) === 'true', clusterId: all.get(CLUSTER_ID) }
}

function fileOf(directory: string, name: string): string {
  return join(directory, 'contexts', `${name}${SUFFIX}`)
}

/** Whole or not at all, and for nobody else's eyes. */
async function save(directory: string, file: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const fresh = join(directory, `.${file}.${process.pid}`)
  try {
    await writeFile(fresh, text, { mode: 0o600 })
    await rename(fresh, join(directory, file))
  } catch (error) {
    await rm(fresh, { force: true }) // it may hold secrets
    throw error
  }
}
