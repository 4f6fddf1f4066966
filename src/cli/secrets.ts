// Secrets that a context, or the password of a new user, only refers to: ${env:NAME} is an environment variable, as Kafka's
// EnvVarConfigProvider has it, ${command:…} what a command prints. They are looked up when they are used, and shown to nobody.

import { spawn } from 'node:child_process'
import { type Clock, systemClock } from '../base/clock.ts'
import { HIDDEN } from '../base/control-messages.ts'
import { usageError } from './errors.ts'

const REFERENCE = /\$\{(env|command):((?:[^{}]|\{[^{}]*\})*)\}/g
const SECRET_KEY = /password|jaas|secret|token|credential|keystore\.key$/i
const SEE = '`ktool context --help` tells of ${env:…} and ${command:…}'
const LONGEST_ANSWER = 64 * 1024
/** Somebody may have to find a password first. */
const LONGEST_COMMAND_MS = 120_000

/** `what` is for errors: whose properties these are. Usage error for a reference that gives nothing. */
export async function resolveSecrets(
  what: string,
  properties: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
  clock: Clock = systemClock,
): Promise<Map<string, string>> {
  const resolved = new Map<string, string>()
  for (const [key, value] of properties) {
    // Within the quotes of a login module's option a secret must not end them.
    const quoted = key === 'sasl.jaas.config' ? (secret: string) => secret.replaceAll(/["'\\]/g, '\\$&') : (secret: string) => secret
    resolved.set(key, await resolveValue(`${what}: ${key}`, value, { env, clock }, quoted))
  }
  return resolved
}

/** Whether a value is known only when it is used. */
export function hasReference(value: string): boolean {
  return value.match(REFERENCE) !== null
}

/** The value of a property as it may be shown. */
export function shownValue(key: string, value: string): string {
  if (!SECRET_KEY.test(key)) return value
  const references = value.match(REFERENCE)
  return references === null ? HIDDEN : `${HIDDEN} with ${references.join(', ')}`
}

interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
}

async function resolveValue(what: string, value: string, around: Surroundings, quoted: (secret: string) => string): Promise<string> {
  let text = ''
  let from = 0
  for (const match of value.matchAll(REFERENCE)) {
    const [whole, kind, argument] = match
    text += value.slice(from, match.index) + quoted(kind === 'env' ? fromEnvironment(what, argument, around.env) : await fromCommand(what, argument, around))
    from = match.index + whole.length
  }
  return text + value.slice(from)
}

function fromEnvironment(what: string, name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name]
  if (value === undefined) throw usageError(`${what} needs the environment variable ${name}, which is not set`, SEE)
  return value
}

/** Its standard output without the line break at the end. It may ask on the terminal. */
function fromCommand(what: string, command: string, { env, clock }: Surroundings): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'], env })
    let text = ''
    const giveUp = (why: string): void => {
      child.kill('SIGKILL')
      child.stdout.destroy() // what the command itself has started may still hold it
      reject(usageError(`${what}: the command for it ${why}`, SEE))
    }
    const late = clock.after(LONGEST_COMMAND_MS, () => giveUp(`is not done after ${LONGEST_COMMAND_MS / 1000} s`))
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.length > LONGEST_ANSWER) giveUp(`prints more than ${LONGEST_ANSWER / 1024} KiB`)
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      late.cancel()
      if (code === 0) resolve(text.replace(/\r?\n$/, ''))
      else reject(usageError(`${what}: the command for it failed (${signal ?? `exit ${code ?? '?'}`})`, SEE))
    })
  })
}
