// SCRAM-SHA-256 and -512 (RFC 5802, RFC 7677), the server's part. What is stored of a password can check a login and
// can't be used for one. A user who isn't there goes through the same steps, with a salt that stays the same, and fails at
// the end like a wrong password: neither answer nor time tells who has an account.

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { LoginError, type SaslExchange } from './sasl.ts'
import { parseClientFinal, parseClientFirst, serverFirst, type ClientFirst } from './scram-messages.ts'

export interface ScramMechanism {
  readonly name: string
  /** In records and requests. */
  readonly type: number
  readonly hash: 'sha256' | 'sha512'
  /** Bytes of a key. */
  readonly size: number
}

export const SCRAM_MECHANISMS: readonly ScramMechanism[] = [
  { name: 'SCRAM-SHA-256', type: 1, hash: 'sha256', size: 32 },
  { name: 'SCRAM-SHA-512', type: 2, hash: 'sha512', size: 64 },
]

export const MIN_ITERATIONS = 4096
export const MAX_ITERATIONS = 16384

/** As UserScramCredentialRecord holds it. */
export interface ScramCredential {
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
  readonly iterations: number
}

export interface ScramUsers {
  find(mechanism: number, user: string): ScramCredential | undefined
  /** One of them, to make up others like it; undefined where there are none. */
  any(mechanism: number): ScramCredential | undefined
}

/** What is kept of a password that was salted and iterated already. */
export function scramKeys({ hash }: ScramMechanism, saltedPassword: Buffer): { storedKey: Buffer; serverKey: Buffer } {
  const clientKey = hmac(hash, saltedPassword, 'Client Key')
  return { storedKey: createHash(hash).update(clientKey).digest(), serverKey: hmac(hash, saltedPassword, 'Server Key') }
}

/** For one process: what a stranger's made-up salt comes from. */
const secret = randomBytes(32)
const KAFKA_SALT_BYTES = 26 // ScramFormatter.secureRandomString

export class ScramExchange implements SaslExchange {
  readonly #mechanism: ScramMechanism
  readonly #users: ScramUsers
  readonly #newNonce: () => string
  #first: ClientFirst | undefined
  #credential: ScramCredential | undefined
  #isKnown = false
  #nonce = ''
  #serverFirst = ''

  constructor(mechanism: ScramMechanism, users: ScramUsers, newNonce = () => randomBytes(24).toString('base64url')) {
    this.#mechanism = mechanism
    this.#users = users
    this.#newNonce = newNonce
  }

  step(token: Buffer): { reply: Buffer; user: string | undefined } {
    return this.#first === undefined ? this.#begin(token) : this.#end(token, this.#first)
  }

  #begin(token: Buffer): { reply: Buffer; user: undefined } {
    const first = parseClientFirst(token)
    if (first === undefined) throw new LoginError()
    const { user, authorizationId } = first
    if (authorizationId !== '' && authorizationId !== user) {
      throw new LoginError('Authentication failed: Client requested an authorization id that is different from username')
    }
    const { type, size } = this.#mechanism
    const found = first.isToken ? undefined : this.#users.find(type, user)
    this.#isKnown = found !== undefined && found.storedKey.length === size && found.iterations >= MIN_ITERATIONS
    this.#credential = found !== undefined && this.#isKnown ? found : this.#madeUp(user)
    this.#nonce = first.nonce + this.#newNonce()
    this.#first = first
    this.#serverFirst = serverFirst(this.#nonce, this.#credential.salt, this.#credential.iterations)
    return { reply: Buffer.from(this.#serverFirst), user: undefined }
  }

  #end(token: Buffer, first: ClientFirst): { reply: Buffer; user: string } {
    const credential = this.#credential
    this.#credential = undefined // one attempt
    const final = parseClientFinal(token)
    if (final === undefined || credential === undefined) throw new LoginError()
    // librdkafka before 2.6.1 puts its own nonce in front once more; what makes it fresh, our part, is there all the same.
    if (final.nonce !== this.#nonce && final.nonce !== first.nonce + this.#nonce) throw new LoginError()
    if (final.channelBinding !== Buffer.from(first.gs2Header).toString('base64')) throw new LoginError()
    const { hash, size } = this.#mechanism
    if (final.proof.length !== size) throw new LoginError()
    const message = `${first.bare},${this.#serverFirst},${final.withoutProof}`
    const clientKey = hmac(hash, credential.storedKey, message)
    for (let i = 0; i < size; i++) clientKey[i] ^= final.proof[i]
    const isRight = timingSafeEqual(createHash(hash).update(clientKey).digest(), credential.storedKey)
    const signature = hmac(hash, credential.serverKey, message)
    if (!isRight || !this.#isKnown) throw new LoginError()
    return { reply: Buffer.from(`v=${signature.toString('base64')}`), user: first.user }
  }

  /** Like the others here, and the same each time it is asked for. */
  #madeUp(user: string): ScramCredential {
    const { type, hash, size } = this.#mechanism
    const like = this.#users.any(type)
    const bytes = hmac('sha512', secret, `${type} ${user}`)
    const salt = bytes.subarray(0, Math.min(like?.salt.length ?? KAFKA_SALT_BYTES, bytes.length))
    const key = hmac(hash, secret, `key ${type} ${user}`).subarray(0, size)
    return { salt, storedKey: key, serverKey: key, iterations: Math.max(like?.iterations ?? 0, MIN_ITERATIONS) }
  }
}

function hmac(hash: string, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest()
}
