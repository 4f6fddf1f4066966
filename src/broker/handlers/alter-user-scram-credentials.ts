// AlterUserScramCredentials (51): sets and removes passwords of SCRAM users. Whoever logs in next meets them.

import type { AlterUserScramCredentials } from '../../protocol/apis/alter-user-scram-credentials.ts'
import { itemError, type Handler } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'
import { alterScramUsers } from '../security/users.ts'
import { KafkaError } from '../../protocol/errors.ts'

export const handleAlterUserScramCredentials: Handler<typeof AlterUserScramCredentials> = async (request, context) => {
  const { broker } = context
  try {
    if (!context.isAllowed('ALTER', 'CLUSTER', CLUSTER_NAME)) throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
    const results = await broker.metadata.submit((image) => alterScramUsers(request, image))
    return { throttleTimeMs: 0, results }
  } catch (error) {
    const { code, message } = itemError(error, broker, 'AlterUserScramCredentials')
    const users = new Set([...request.deletions, ...request.upsertions].map(({ name }) => name))
    const results = [...users].map((user) => ({ user, errorCode: code, errorMessage: message }))
    return { throttleTimeMs: 0, results }
  }
}
