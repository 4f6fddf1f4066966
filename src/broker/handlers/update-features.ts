// UpdateFeatures (57): raises and lowers finalized feature levels, all or none.

import { ErrorCode, errorMessage, KafkaError } from '../../protocol/errors.ts'
import type { UpdateFeatures } from '../../protocol/apis/update-features.ts'
import { defaultBrokerValue } from '../config/resolve.ts'
import type { Handler } from '../handler.ts'
import { featureUpdateRecords } from '../metadata/feature-updates.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleUpdateFeatures: Handler<typeof UpdateFeatures> = async (request, context) => {
  const { broker } = context
  checkCluster(context, 'ALTER')
  try {
    await broker.metadata.submit((image) => {
      const minIsr = defaultBrokerValue(broker.config, 'min.insync.replicas')
      const records = featureUpdateRecords(image, broker.nodeId, minIsr, request.featureUpdates)
      return { records: request.validateOnly ? [] : records, result: undefined }
    })
  } catch (error) {
    if (!(error instanceof KafkaError) || error.error !== 'INVALID_UPDATE_VERSION') throw error
    const text = `The update failed for all features since the following feature had an error: ${error.message}`
    return { throttleTimeMs: 0, errorCode: error.code, errorMessage: text, results: [] }
  }
  const results = request.featureUpdates.map(({ feature }) => {
    return { feature, errorCode: ErrorCode.NONE, errorMessage: errorMessage(ErrorCode.NONE) }
  })
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, results }
}
