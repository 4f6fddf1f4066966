// What a broker can do. Its response header is never flexible, so that any client can read the refusal (see
// frames.ts).

import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

export const ApiVersions = api('ApiVersions', {
  key: 18,
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: string.since(3).ignorable(),
    clientSoftwareVersion: string.since(3).ignorable(),
  },
  response: {
    errorCode: int16,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: int32.since(1).ignorable(),
    supportedFeatures: array({ name: string, minVersion: int16, maxVersion: int16 }).ignorable().tagged(0, 3),
    finalizedFeaturesEpoch: int64.or(-1).ignorable().tagged(1, 3),
    finalizedFeatures: array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 })
      .ignorable()
      .tagged(2, 3),
    zkMigrationReady: bool.or(false).ignorable().tagged(3, 3),
  },
})
