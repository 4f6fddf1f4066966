// SASL PLAIN (RFC 4616), the server's part: names and passwords of a JAAS entry. Passwords are compared as digests under a
// key of this process, in the same time for any name.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { LoginError, type SaslExchange } from './sasl.ts'

export type PlainUsers = ReadonlyMap<string, Buffer>

const digestKey = randomBytes(32)
const nobody = randomBytes(32)

/** `user_NAME=PASSWORD` among the options of PlainLoginModule. */
export function plainUsers(options: ReadonlyMap<string, string>): PlainUsers {
  const users = new Map<string, Buffer>()
  for (const [name, password] of options) {
    if (name.startsWith('user_')) users.set(name.slice('user_'.length), digest(password))
  }
  return users
}

/** One message decides. */
export function plainExchange(users: PlainUsers): SaslExchange {
  return {
    step(token) {
      const { authorizationId, user, password } = parsePlain(token)
      const isRight = timingSafeEqual(digest(password), users.get(user) ?? nobody)
      if (!isRight) throw new LoginError('Authentication failed: Invalid username or password')
      if (authorizationId !== '' && authorizationId !== user) {
        throw new LoginError('Authentication failed: Client requested an authorization id that is different from username')
      }
      return { reply: Buffer.alloc(0), user }
    },
  }
}

/** `[authorization id] NUL name NUL password`. Throws LoginError, with Kafka's texts. */
export function parsePlain(token: Buffer): { authorizationId: string; user: string; password: string } {
  const parts = token.toString('utf8').split('\0')
  if (parts.length !== 3) {
    // Kafka stops counting at four.
    throw new LoginError(`Invalid SASL/PLAIN response: expected 3 tokens, got ${Math.min(parts.length, 4)}`)
  }
  const [authorizationId, user, password] = parts
  if (user === '') throw new LoginError('Authentication failed: username not specified')
  if (password === '') throw new LoginError('Authentication failed: password not specified')
  return { authorizationId, user, password }
}

function digest(password: string): Buffer {
  return createHmac('sha256', digestKey).update(password).digest()
}
