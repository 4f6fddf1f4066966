// CreateAcls (30). What is there already is created once more without a word, as in Kafka.

import { errorMessage, ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { CreateAcls } from '../../protocol/apis/create-acls.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { createAcls } from '../security/acl-changes.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleCreateAcls: Handler<typeof CreateAcls> = async (request, context) => {
  const { broker } = context
  try {
    checkCluster(context, 'ALTER')
    if (broker.authorizer === undefined) throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured.')
    const wanted = request.creations.map(({ resourcePatternType: patternType, ...acl }) => ({ ...acl, patternType }))
    const results = await broker.metadata.submit((image) => createAcls(image.acls, wanted))
    return { throttleTimeMs: 0, results: results.map(resultOf) }
  } catch (error) {
    const refused = itemError(error, broker, 'creating ACLs')
    return { throttleTimeMs: 0, results: request.creations.map(() => resultOf(refused)) }
  }
}

function resultOf(error: KafkaError | undefined): { errorCode: number; errorMessage: string | null } {
  if (error === undefined) return { errorCode: ErrorCode.NONE, errorMessage: null }
  return { errorCode: error.code, errorMessage: error.message || errorMessage(error.code) }
}
