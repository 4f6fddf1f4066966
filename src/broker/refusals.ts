// What a whole request is refused with where its API has no code for that: the same error for each thing it names, as
// Kafka's requests answer it (getErrorResponse). So it is when the metadata log takes no changes, or has failed.

import { AlterClientQuotas } from '../protocol/apis/alter-client-quotas.ts'
import { AlterConfigs } from '../protocol/apis/alter-configs.ts'
import { CreatePartitions } from '../protocol/apis/create-partitions.ts'
import { CreateTopics } from '../protocol/apis/create-topics.ts'
import { DeleteTopics } from '../protocol/apis/delete-topics.ts'
import { errorMessage, type KafkaError } from '../protocol/errors.ts'
import { IncrementalAlterConfigs } from '../protocol/apis/incremental-alter-configs.ts'
import { ZERO_UUID } from '../protocol/reader.ts'
import type { Api, RequestOf, ResponseInput } from '../protocol/schema.ts'

type Refusal<A extends Api> = (request: RequestOf<A>, error: KafkaError) => ResponseInput<A>

const REFUSALS: ReadonlyMap<number, Refusal<Api>> = new Map([
  of(CreateTopics, ({ topics }, error) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => ({ name, topicId: ZERO_UUID, ...itemOf(error), topicConfigErrorCode: 0, configs: [] })),
  })),
  // Names up to version 5, then both; what the version hasn't is empty.
  of(DeleteTopics, ({ topicNames, topics }, { code: errorCode }) => ({
    throttleTimeMs: 0,
    responses: [...topicNames.map((name) => ({ name, topicId: ZERO_UUID })), ...topics].map(({ name, topicId }) => {
      return { name, topicId, errorCode, errorMessage: null }
    }),
  })),
  of(CreatePartitions, ({ topics }, error) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, ...itemOf(error) })),
  })),
  of(AlterConfigs, (request, error) => ({ throttleTimeMs: 0, responses: resourcesOf(request, error) })),
  of(IncrementalAlterConfigs, (request, error) => ({ throttleTimeMs: 0, responses: resourcesOf(request, error) })),
  of(AlterClientQuotas, ({ entries }, { code: errorCode }) => ({
    throttleTimeMs: 0,
    entries: entries.map(({ entity }) => ({ errorCode, errorMessage: errorMessage(errorCode), entity })),
  })),
])

/** undefined: the API has no such answer. */
export function refusalOf(api: Api, request: RequestOf<Api>, error: KafkaError): ResponseInput<Api> | undefined {
  return REFUSALS.get(api.key)?.(request, error)
}

function of<A extends Api>(api: A, refusal: Refusal<A>): [number, Refusal<Api>] {
  return [api.key, refusal]
}

function itemOf({ code, message, isStandardText }: KafkaError): { errorCode: number; errorMessage: string | null } {
  return { errorCode: code, errorMessage: isStandardText ? null : message }
}

function resourcesOf({ resources }: RequestOf<typeof AlterConfigs | typeof IncrementalAlterConfigs>, error: KafkaError) {
  return resources.map(({ resourceType, resourceName }) => ({ ...itemOf(error), resourceType, resourceName }))
}
