// AlterConfigs (33): a resource's whole configuration is replaced; what is not named goes back to its default.

import { ErrorCode } from '../../protocol/errors.ts'
import type { AlterConfigs } from '../../protocol/apis/alter-configs.ts'
import { alterConfigs } from '../config/alter-resources.ts'
import { ConfigOperation } from '../config/alterations.ts'
import type { Handler } from '../handler.ts'

export const handleAlterConfigs: Handler<typeof AlterConfigs> = async (request, context) => {
  const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    changes: configs.map(({ name, value }) => ({ name, operation: ConfigOperation.set, value })),
  }))
  const errors = await alterConfigs(context, resources, { replacesAll: true, validateOnly: request.validateOnly })
  const responses = resources.map(({ resourceType, resourceName }, index) => {
    const error = errors[index]
    return { errorCode: error?.code ?? ErrorCode.NONE, errorMessage: error?.message ?? null, resourceType, resourceName }
  })
  return { throttleTimeMs: 0, responses }
}
