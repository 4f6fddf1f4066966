// DescribeCluster (60): this node, at the address of the listener that was asked.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DescribeCluster } from '../../protocol/apis/describe-cluster.ts'
import { clusterOperations, NOT_ASKED } from '../authorized-operations.ts'
import { advertisedOn } from '../advertised.ts'
import type { Handler } from '../handler.ts'

const BROKERS = 1
const CONTROLLERS = 2

export const handleDescribeCluster: Handler<typeof DescribeCluster> = (request, context) => {
  const { broker, listener } = context
  const refusal = refusalOf(request.endpointType)
  if (refusal !== undefined) {
    return { throttleTimeMs: 0, errorCode: refusal.code, errorMessage: refusal.message, clusterId: '', brokers: [] }
  }
  const { nodeId, host, port } = advertisedOn(broker, listener)
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    brokers: [{ brokerId: nodeId, host, port, rack: broker.config.rack, isFenced: false }],
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations(context) : NOT_ASKED,
  }
}

function refusalOf(endpointType: number): KafkaError | undefined {
  if (endpointType === BROKERS) return undefined
  if (endpointType !== CONTROLLERS) {
    return new KafkaError('UNSUPPORTED_ENDPOINT_TYPE', `Unsupported endpoint type ${endpointType}`)
  }
  const what = 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
  return new KafkaError('MISMATCHED_ENDPOINT_TYPE', what)
}
