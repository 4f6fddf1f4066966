// The API's side of SCRAM users: what may be set, removed and seen, with Kafka's answers (ScramControlManager, ScramImage).
// Passwords come salted and iterated; only what checks a login is kept.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { AlterUserScramCredentials } from '../../protocol/apis/alter-user-scram-credentials.ts'
import type { DescribeUserScramCredentials } from '../../protocol/apis/describe-user-scram-credentials.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { Operation } from '../metadata/controller.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { METADATA_VERSION, type NewRecord } from '../metadata/records.ts'
import { MAX_ITERATIONS, MIN_ITERATIONS, SCRAM_MECHANISMS, scramKeys, type ScramMechanism } from './scram.ts'

type AlterRequest = RequestOf<typeof AlterUserScramCredentials>
type AlterResult = ResponseInput<typeof AlterUserScramCredentials>['results'][number]
type DescribeResult = ResponseInput<typeof DescribeUserScramCredentials>['results'][number]

const FIRST_METADATA_VERSION = 11 // 3.5-IV2

/** One credential a user and request; the good ones are changed, whatever becomes of the others. */
export function alterScramUsers(request: AlterRequest, image: MetadataImage): Operation<AlterResult[]> {
  const records = new Map<string, NewRecord>()
  const errors = new Map<string, KafkaError>()
  const take = (name: string, record: () => NewRecord): void => {
    if (errors.has(name)) return
    try {
      if (records.delete(name)) {
        throw new KafkaError('DUPLICATE_RESOURCE', 'A user credential cannot be altered twice in the same request')
      }
      if ((image.features.get(METADATA_VERSION) ?? 0) < FIRST_METADATA_VERSION) {
        throw new KafkaError('UNSUPPORTED_VERSION', 'The current metadata.version does not support SCRAM')
      }
      records.set(name, record())
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      errors.set(name, error)
    }
  }
  for (const { name, mechanism } of request.deletions) {
    take(name, () => {
      const { type } = checkedMechanism(name, mechanism)
      if (image.scramUsers.find(type, name) === undefined) {
        throw new KafkaError('RESOURCE_NOT_FOUND', 'Attempt to delete a user credential that does not exist')
      }
      return { name: 'RemoveUserScramCredentialRecord', value: { name, mechanism } }
    })
  }
  for (const { name, mechanism, iterations, salt, saltedPassword } of request.upsertions) {
    take(name, () => {
      const keys = scramKeys(checkedMechanism(name, mechanism), saltedPassword)
      if (iterations < MIN_ITERATIONS) throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Too few iterations')
      if (iterations > MAX_ITERATIONS) throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Too many iterations')
      return { name: 'UserScramCredentialRecord', value: { name, mechanism, iterations, salt, ...keys } }
    })
  }
  const done = [...records.keys()].map((user) => ({ user, errorCode: ErrorCode.NONE, errorMessage: null }))
  const failed = [...errors].map(([user, { code, message }]) => ({ user, errorCode: code, errorMessage: message }))
  return { records: [...records.values()], result: [...done, ...failed] }
}

/** `names` empty or null: everybody. */
export function describeScramUsers(names: readonly string[] | null, image: MetadataImage): DescribeResult[] {
  const isAsked = names !== null && names.length > 0
  const users = new Set<string>()
  const twice = new Set<string>()
  for (const name of isAsked ? names : []) (users.has(name) ? twice : users).add(name)
  if (!isAsked) for (const { name } of image.scramUsers.records()) users.add(name)
  return [...users].map((user) => {
    const failed = (code: number, errorMessage: string) => ({ user, errorCode: code, errorMessage, credentialInfos: [] })
    if (twice.has(user)) {
      const text = 'Cannot describe SCRAM credentials for the same user twice in a single request: '
      return failed(ErrorCode.DUPLICATE_RESOURCE, text + user)
    }
    const credentialInfos = SCRAM_MECHANISMS.flatMap(({ type: mechanism }) => {
      const found = image.scramUsers.find(mechanism, user)
      return found === undefined ? [] : [{ mechanism, iterations: found.iterations }]
    })
    if (credentialInfos.length === 0) {
      return failed(ErrorCode.RESOURCE_NOT_FOUND, `Attempt to describe a user credential that does not exist: ${user}`)
    }
    return { user, errorCode: ErrorCode.NONE, errorMessage: null, credentialInfos }
  })
}

function checkedMechanism(user: string, type: number): ScramMechanism {
  if (user === '') throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Username must not be empty')
  const mechanism = SCRAM_MECHANISMS.find((one) => one.type === type)
  if (mechanism === undefined) throw new KafkaError('UNSUPPORTED_SASL_MECHANISM', 'Unknown SCRAM mechanism')
  return mechanism
}
