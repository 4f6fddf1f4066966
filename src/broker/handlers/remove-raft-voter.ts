// RemoveRaftVoter (81): the quorum is static, as Kafka's is below level 1 of kraft.version.

import type { RemoveRaftVoter } from '../../protocol/apis/remove-raft-voter.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleRemoveRaftVoter: Handler<typeof RemoveRaftVoter> = (_, context) => {
  checkCluster(context, 'ALTER')
  throw new KafkaError('UNSUPPORTED_VERSION', "Cluster doesn't support removing voter because the kraft.version feature is 0")
}
