// Users with passwords for SCRAM logins. A password never leaves this machine: it is salted and hashed here (RFC 5802).

import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { AlterUserScramCredentials } from '../../protocol/apis/alter-user-scram-credentials.ts'
import { DescribeUserScramCredentials } from '../../protocol/apis/describe-user-scram-credentials.ts'
import { errorName, KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { resultOf, type Result } from './result.ts'
import { waitOf } from './topics.ts'

/** ScramMechanism of Java's admin client. */
const MECHANISMS = { 'SCRAM-SHA-256': { type: 1, hash: 'sha256', bytes: 32 }, 'SCRAM-SHA-512': { type: 2, hash: 'sha512', bytes: 64 } } as const
export type ScramMechanismName = keyof typeof MECHANISMS
export const SCRAM_MECHANISM_NAMES = Object.keys(MECHANISMS) as readonly ScramMechanismName[]

const SALT_BYTES = 24

export interface ScramUser {
  readonly user: string
  readonly credentials: Result<readonly { readonly mechanism: ScramMechanismName | 'UNKNOWN'; readonly iterations: number }[]>
}

/** Without `users` everybody who has a password; somebody without one is left out. Throws KafkaError where the broker refuses. */
export async function describeScramUsers(cluster: Cluster, users: readonly string[] = [], wait: Wait = {}): Promise<ScramUser[]> {
  const request = { users: users.length === 0 ? null : users.map((name) => ({ name })) }
  const response = await cluster.call(DescribeUserScramCredentials, request, waitOf(wait))
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode, response.errorMessage)
  const found = response.results.filter(({ errorCode }) => errorName(errorCode) !== 'RESOURCE_NOT_FOUND')
  return found.map(({ user, errorCode, errorMessage, credentialInfos }) => {
    const credentials = credentialInfos.map(({ mechanism, iterations }) => ({ mechanism: mechanismName(mechanism), iterations }))
    return { user, credentials: resultOf(errorCode, errorMessage, credentials) }
  })
}

function mechanismName(type: number): ScramMechanismName | 'UNKNOWN' {
  return SCRAM_MECHANISM_NAMES.find((name) => MECHANISMS[name].type === type) ?? 'UNKNOWN'
}

export interface ScramPassword {
  readonly mechanism: ScramMechanismName
  readonly iterations: number
  readonly password: string
}

/** Sets and takes back passwords of one user. Throws KafkaError where the broker, or this end, refuses. */
export async function alterScramUser(
  cluster: Cluster,
  user: string,
  { set, remove }: { readonly set: readonly ScramPassword[]; readonly remove: readonly ScramMechanismName[] },
  wait: Wait = {},
): Promise<void> {
  if (user === '') throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Username must not be empty')
  if (set.some(({ password }) => password === '')) throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Password must not be empty')
  const deletions = remove.map((mechanism) => ({ name: user, mechanism: MECHANISMS[mechanism].type }))
  const upsertions = set.map(({ mechanism, iterations, password }) => {
    const { type, hash, bytes } = MECHANISMS[mechanism]
    const salt = randomBytes(SALT_BYTES)
    return { name: user, mechanism: type, iterations, salt, saltedPassword: pbkdf2Sync(password, salt, iterations, bytes, hash) }
  })
  const { results } = await cluster.call(AlterUserScramCredentials, { deletions, upsertions }, { ...waitOf(wait), node: 'controller' })
  const refused = results.find(({ errorCode }) => errorCode !== 0)
  if (refused !== undefined) throw KafkaError.from(refused.errorCode, refused.errorMessage)
}
