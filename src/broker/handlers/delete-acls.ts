// DeleteAcls (31): all that a filter matches goes; the answer lists it.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DeleteAcls } from '../../protocol/apis/delete-acls.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import type { Acl } from '../security/acl.ts'
import { deleteAcls } from '../security/acl-changes.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleDeleteAcls: Handler<typeof DeleteAcls> = async (request, context) => {
  const { broker } = context
  try {
    checkCluster(context, 'ALTER')
    if (broker.authorizer === undefined) throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured.')
    const results = await broker.metadata.submit((image) => deleteAcls(image.acls, request.filters))
    return { throttleTimeMs: 0, filterResults: results.map(resultOf) }
  } catch (error) {
    const refused = itemError(error, broker, 'deleting ACLs')
    return { throttleTimeMs: 0, filterResults: request.filters.map(() => resultOf(refused)) }
  }
}

function resultOf(result: readonly Acl[] | KafkaError): ResponseInput<typeof DeleteAcls>['filterResults'][number] {
  if (result instanceof KafkaError) return { errorCode: result.code, errorMessage: result.message, matchingAcls: [] }
  const matchingAcls = result.map((acl) => ({ errorCode: ErrorCode.NONE, errorMessage: null, ...fieldsOf(acl) }))
  return { errorCode: ErrorCode.NONE, errorMessage: null, matchingAcls }
}

function fieldsOf({ resourceType, resourceName, patternType, principal, host, operation, permissionType }: Acl): Acl {
  return { resourceType, resourceName, patternType, principal, host, operation, permissionType }
}
