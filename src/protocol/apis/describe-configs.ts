// Resource types: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.

import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const DescribeConfigs = api('DescribeConfigs', {
  key: 32,
  versions: [1, 4],
  flexible: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).nullable(),
    }),
    includeSynonyms: bool.or(false),
    includeDocumentation: bool.since(3).or(false),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        configSource: int8.or(-1).ignorable(),
        isSensitive: bool,
        synonyms: array({ name: string, value: string.nullable(), source: int8 }).ignorable(),
        configType: int8.since(3).or(0).ignorable(),
        documentation: string.since(3).nullable().ignorable(),
      }),
    }),
  },
})
