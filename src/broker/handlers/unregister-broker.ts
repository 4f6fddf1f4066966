// UnregisterBroker (64): there is one broker, and it does not forget itself while it runs. Apache would: the record makes
// its only broker re-register at once, and the partitions lose their leader until it has.

import { KafkaError } from '../../protocol/errors.ts'
import type { UnregisterBroker } from '../../protocol/apis/unregister-broker.ts'
import type { Handler } from '../handler.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleUnregisterBroker: Handler<typeof UnregisterBroker> = ({ brokerId }, context) => {
  checkCluster(context, 'ALTER')
  if (brokerId === context.broker.nodeId) {
    throw new KafkaError('INVALID_REQUEST', `Broker ID ${brokerId} is the only broker of this cluster and runs.`)
  }
  throw new KafkaError('BROKER_ID_NOT_REGISTERED', `Broker ID ${brokerId} is not currently registered`)
}
