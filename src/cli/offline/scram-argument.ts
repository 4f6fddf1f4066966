// `kafka-storage format --add-scram 'SCRAM-SHA-256=[name=alice,password=secret]'`: the argument to the record that goes into the
// metadata log (RFC 5802; ScramParser and ScramFormatter of Kafka).

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { integer } from '../apache/jopt.ts'
import { FormatterError } from './formatter-error.ts'

export interface ScramRecord {
  readonly name: string
  readonly mechanism: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
  readonly iterations: number
}

interface Mechanism {
  readonly type: number
  readonly label: string
  readonly digest: string
  readonly bytes: number
}

const MECHANISMS: Readonly<Record<string, Mechanism>> = {
  'SCRAM-SHA-256': { type: 1, label: 'SCRAM_SHA_256', digest: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { type: 2, label: 'SCRAM_SHA_512', digest: 'sha512', bytes: 64 },
}
const FEWEST_ITERATIONS = 4096
const MOST_ITERATIONS = 16384

/** Throws FormatterError. */
export function scramRecord(argument: string): ScramRecord {
  const input = argument.trim()
  const equals = input.indexOf('=')
  if (equals < 0) throw new FormatterError(`Failed to find equals sign in SCRAM argument '${input}'`)
  const mechanism = MECHANISMS[input.slice(0, equals)] as Mechanism | undefined
  const text = input.slice(equals + 1)
  if (mechanism === undefined) throw new FormatterError(`The add-scram mechanism ${input.slice(0, equals)} is not supported.`)
  if (!text.startsWith('[')) throw new FormatterError('Expected configuration string to start with [')
  if (!text.endsWith(']')) throw new FormatterError('Expected configuration string to end with ]')
  return recordOf(mechanism, componentsOf(text.slice(1, -1)))
}

function componentsOf(text: string): Map<string, string> {
  const components = new Map<string, string>()
  for (const component of text.split(',')) {
    const equals = component.indexOf('=')
    if (equals < 0) throw new FormatterError(`No equals sign found in SCRAM component: ${component}`)
    const value = component.slice(equals + 1)
    const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    components.set(component.slice(0, equals), isQuoted ? value.slice(1, -1) : value)
  }
  return components
}

function recordOf(mechanism: Mechanism, components: Map<string, string>): ScramRecord {
  const take = (name: string): string | undefined => {
    const value = components.get(name)
    components.delete(name)
    return value
  }
  const name = take('name')
  if (name === undefined) throw new FormatterError("You must supply 'name' to add-scram")
  const saltText = take('salt')
  const givenSalt = saltText === undefined ? undefined : base64(saltText, `Failed to decode given salt: ${saltText}`)
  const iterationsText = take('iterations')
  const iterations = iterationsText === undefined ? FEWEST_ITERATIONS : Number(integer(iterationsText, 2n ** 31n) ?? NaN)
  if (Number.isNaN(iterations)) throw new FormatterError(`Failed to parse iterations count: ${iterationsText ?? ''}`)
  const [password, saltedText] = [take('password'), take('saltedpassword')]
  if (password === undefined && saltedText === undefined) {
    throw new FormatterError("You must supply one of 'password' or 'saltedpassword' to add-scram")
  }
  if (password === undefined && givenSalt === undefined) throw new FormatterError("You must supply 'salt' with 'saltedpassword' to add-scram")
  const givenSalted = password === undefined ? base64(saltedText ?? '', `Failed to decode given saltedPassword: ${saltedText ?? ''}`) : undefined
  if (components.size > 0) throw new FormatterError(`Unknown SCRAM configurations: ${[...components.keys()].sort().join(', ')}`)
  if (iterations < FEWEST_ITERATIONS) throw new FormatterError(`The 'iterations' value must be >= ${FEWEST_ITERATIONS} for add-scram using ${mechanism.label}`)
  if (iterations > MOST_ITERATIONS) throw new FormatterError(`The 'iterations' value must be <= ${MOST_ITERATIONS} for add-scram using ${mechanism.label}`)
  const { type, digest, bytes } = mechanism
  const salt = givenSalt ?? Buffer.from(randomSalt())
  const salted = givenSalted ?? pbkdf2Sync(password ?? '', salt, iterations, bytes, digest)
  const hmac = (text: string): Buffer => createHmac(digest, salted).update(text).digest()
  const storedKey = createHash(digest).update(hmac('Client Key')).digest()
  return { name, mechanism: type, salt, storedKey, serverKey: hmac('Server Key'), iterations }
}

/** 130 random bits in base 36, as Kafka makes its salts. */
function randomSalt(): string {
  return (BigInt(`0x${randomBytes(17).toString('hex')}`) >> 6n).toString(36)
}

function base64(text: string, message: string): Buffer {
  const isWhole = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?$/.test(text)
  if (!isWhole) throw new FormatterError(message)
  return Buffer.from(text, 'base64')
}
