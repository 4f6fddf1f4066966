// IncrementalAlterConfigs (44): single configs set, reset, or changed as lists.

import { ErrorCode } from '../../protocol/errors.ts'
import type { IncrementalAlterConfigs } from '../../protocol/apis/incremental-alter-configs.ts'
import { alterConfigs } from '../config/alter-resources.ts'
import type { Handler } from '../handler.ts'

export const handleIncrementalAlterConfigs: Handler<typeof IncrementalAlterConfigs> = async (request, context) => {
  const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    changes: configs.map(({ name, configOperation, value }) => ({ name, operation: configOperation, value })),
  }))
  const errors = await alterConfigs(context, resources, { replacesAll: false, validateOnly: request.validateOnly })
  const responses = resources.map(({ resourceType, resourceName }, index) => {
    const error = errors[index]
    return { errorCode: error?.code ?? ErrorCode.NONE, errorMessage: error?.message ?? null, resourceType, resourceName }
  })
  return { throttleTimeMs: 0, responses }
}
