// DescribeUserScramCredentials (50): who has a SCRAM password, with which mechanism and how many iterations. No secrets.

import type { DescribeUserScramCredentials } from '../../protocol/apis/describe-user-scram-credentials.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'
import { describeScramUsers } from '../security/users.ts'

export const handleDescribeUserScramCredentials: Handler<typeof DescribeUserScramCredentials> = ({ users }, context) => {
  if (!context.isAllowed('DESCRIBE', 'CLUSTER', CLUSTER_NAME)) throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
  const results = describeScramUsers(users?.map(({ name }) => name) ?? null, context.broker.metadata.image)
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, results }
}
