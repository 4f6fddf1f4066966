// DeleteTopics (20), by name, from version 6 on by id too.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DeleteTopics } from '../../protocol/apis/delete-topics.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import type { NewRecord } from '../metadata/records.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

interface Wanted {
  readonly name: string | null
  readonly topicId: string
}

type TopicResult = ResponseInput<typeof DeleteTopics>['responses'][number]

export const handleDeleteTopics: Handler<typeof DeleteTopics> = async (request, context) => {
  const { broker, apiVersion } = context
  const named: Wanted[] = request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  const wanted = apiVersion >= 6 ? request.topics : named
  const responses = await broker.metadata.submit((image) => {
    const records: NewRecord[] = []
    const gone = new Set<string>()
    const results = unique(wanted).map(({ one, isDuplicate }): TopicResult => {
      try {
        if (!broker.config.deleteTopics) {
          throw new KafkaError(apiVersion < 3 ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED')
        }
        const topic = findTopic(image, one, isDuplicate, context)
        // Named once and given by id once: one of them is enough.
        if (gone.has(topic.id)) {
          throw new KafkaError('INVALID_REQUEST', 'The provided topic name maps to an ID that was already supplied.')
        }
        gone.add(topic.id)
        records.push({ name: 'RemoveTopicRecord', value: { topicId: topic.id } })
        return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE }
      } catch (error) {
        const { code, message } = itemError(error, broker, 'deleting a topic')
        const name = one.name ?? nameFor(one.topicId, image, context)
        return { name, topicId: one.topicId, errorCode: code, errorMessage: message }
      }
    })
    return { records, result: results }
  })
  return { throttleTimeMs: 0, responses }
}

/** What a refusal by id calls the topic: its name, when it is refused that the client may see, and not delete. */
function nameFor(topicId: string, image: MetadataImage, context: RequestContext): string | null {
  const name = image.topicById(topicId)?.name
  return name !== undefined && !mayOn(context, 'DELETE', name) && mayOn(context, 'DESCRIBE', name) ? name : null
}

function mayOn({ isAllowed }: RequestContext, operation: 'DELETE' | 'DESCRIBE', name: string): boolean {
  return isAllowed('DELETE', 'CLUSTER', CLUSTER_NAME) || isAllowed(operation, 'TOPIC', name)
}

function findTopic(
  image: MetadataImage,
  { name, topicId }: Wanted,
  isDuplicate: boolean,
  context: RequestContext,
): TopicImage {
  if (name === null && topicId === ZERO_UUID) {
    throw new KafkaError('INVALID_REQUEST', 'Neither topic name nor id were specified.')
  }
  if (name !== null && topicId !== ZERO_UUID) {
    throw new KafkaError('INVALID_REQUEST', 'You may not specify both topic name and topic id.')
  }
  if (isDuplicate) throw new KafkaError('INVALID_REQUEST', `Duplicate topic ${name === null ? 'id' : 'name'}.`)
  // Before anything that would tell whether there is such a topic.
  if (name !== null && !mayOn(context, 'DESCRIBE', name)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
  const topic = name === null ? image.topicById(topicId) : image.topic(name)
  if (topic === undefined) throw new KafkaError(name === null ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
  if (!mayOn(context, 'DELETE', topic.name)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
  return topic
}

/** Each name or id once, in the order of the request. */
function unique(wanted: readonly Wanted[]): { one: Wanted; isDuplicate: boolean }[] {
  const byKey = new Map<string, { one: Wanted; isDuplicate: boolean }>()
  for (const one of wanted) {
    const key = JSON.stringify([one.name, one.topicId])
    byKey.set(key, { one, isDuplicate: byKey.has(key) })
  }
  return [...byKey.values()]
}
