// Which APIs this broker serves, and its features. The first request of nearly every client, so that its refusal, too,
// has a form that every client can read (KIP-511).

import { ApiVersions } from '../../protocol/apis/api-versions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { Handler } from '../handler.ts'
import type { Route } from '../router.ts'
import { finalizedFeatures, SUPPORTED_FEATURES } from '../metadata/features.ts'

// ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export function apiVersionsHandler(routes: () => readonly Route[]): Handler<typeof ApiVersions> {
  return (request, { apiVersion, broker }) => {
    if (apiVersion >= 3 && !(SOFTWARE_NAME.test(request.clientSoftwareName) && SOFTWARE_NAME.test(request.clientSoftwareVersion))) {
      return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [], throttleTimeMs: 0, supportedFeatures: [], finalizedFeatures: [] }
    }
    return {
      errorCode: ErrorCode.NONE,
      apiKeys: routes().map(describeRoute),
      throttleTimeMs: 0,
      // Clients of version 3 fail on a feature whose minimum is 0 (KAFKA-17011).
      supportedFeatures: SUPPORTED_FEATURES.filter(({ minVersion }) => apiVersion >= 4 || minVersion > 0),
      // Clients take levels only from a later epoch than the one they know.
      finalizedFeaturesEpoch: broker.metadata.quorum.endOffset - 1,
      finalizedFeatures: finalizedFeatures(broker.metadata.image).map(({ name, level }) => ({
        name,
        maxVersionLevel: level,
        minVersionLevel: level,
      })),
    }
  }
}

/** The answer to a version we don't have, in version 0: only this API's own range. */
export function unsupportedApiVersions(own: Route): ResponseInput<typeof ApiVersions> {
  return {
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: [describeRoute(own)],
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeatures: [],
  }
}

function describeRoute({ api, advertised: [minVersion, maxVersion] }: Route) {
  return { apiKey: api.key, minVersion, maxVersion }
}
