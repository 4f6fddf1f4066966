// AddRaftVoter (80): the quorum is static, as Kafka's is below level 1 of kraft.version.

import type { AddRaftVoter } from '../../protocol/apis/add-raft-voter.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleAddRaftVoter: Handler<typeof AddRaftVoter> = (_, context) => {
  checkCluster(context, 'ALTER')
  throw new KafkaError('UNSUPPORTED_VERSION', "Cluster doesn't support adding voter because the kraft.version feature is 0")
}
