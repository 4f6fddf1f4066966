// DescribeAcls (29): the ACLs a filter matches, grouped by the pattern they are about.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DescribeAcls } from '../../protocol/apis/describe-acls.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { Handler } from '../handler.ts'
import { matchesFilter } from '../security/acl-filter.ts'
import { checkCluster } from '../security/cluster.ts'

type Resource = ResponseInput<typeof DescribeAcls>['resources'][number]
type Rules = Resource['acls'][number][]

export const handleDescribeAcls: Handler<typeof DescribeAcls> = (request, context) => {
  const { broker } = context
  checkCluster(context, 'DESCRIBE')
  if (broker.authorizer === undefined) {
    throw new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured on the broker')
  }
  const resources = new Map<string, Resource & { readonly acls: Rules }>()
  for (const [, acl] of broker.metadata.image.acls.entries()) {
    if (!matchesFilter(acl, request)) continue
    const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl
    const key = `${resourceType} ${patternType} ${resourceName}`
    let resource = resources.get(key)
    if (resource === undefined) {
      resource = { resourceType, resourceName, patternType, acls: [] }
      resources.set(key, resource)
    }
    resource.acls.push({ principal, host, operation, permissionType })
  }
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, resources: [...resources.values()] }
}
