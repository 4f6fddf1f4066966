// What consumer groups see of this broker: whether it serves them, and its settings with those of the group itself.

import type { BrokerConfig } from '../../config/broker-configs.ts'
import type { GroupConsumerConfig } from '../../config/group-consumer-config.ts'
import { brokerConfigValue } from '../../config/resolve.ts'
import { numberOf } from '../../config/values.ts'
import { GROUP_VERSION } from '../../metadata/records.ts'
import { ResourceType } from '../../metadata/image.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { ConsumerSettings } from './settings.ts'

const REGEX_REFRESH_MS = 600_000 // group.consumer.regex.refresh.interval.ms, internal in Kafka
const ASSIGNMENT_INTERVAL = 'assignment.interval.ms'

/** Clients look at the finalized level first, so nobody who knows asks in vain. */
export function areConsumerGroupsServed({ groupConsumer }: BrokerConfig, image: MetadataImage): boolean {
  return groupConsumer.isServed && (image.features.get(GROUP_VERSION) ?? 0) >= 1
}

export function consumerSettings(config: BrokerConfig, image: MetadataImage, groupId: string): ConsumerSettings {
  const { groupConsumer } = config
  const { migrationPolicy, maxSize, assignors } = groupConsumer
  const own = image.configs(ResourceType.group, groupId)
  return {
    sessionTimeoutMs: within(groupConsumer.sessionTimeout, own.get('consumer.session.timeout.ms')),
    heartbeatIntervalMs: within(groupConsumer.heartbeatInterval, own.get('consumer.heartbeat.interval.ms')),
    assignmentIntervalMs: assignmentInterval(groupConsumer, own.get(`consumer.${ASSIGNMENT_INTERVAL}`), config, image),
    maxSize,
    classicMaxSize: config.groupMaxSize,
    assignors,
    canUpgrade: migrationPolicy === 'bidirectional' || migrationPolicy === 'upgrade',
    canDowngrade: migrationPolicy === 'bidirectional' || migrationPolicy === 'downgrade',
    regexRefreshMs: REGEX_REFRESH_MS,
  }
}

/** What a group has set holds between the broker's bounds, which may have become other ones since. */
function within({ value, min, max }: GroupConsumerConfig['sessionTimeout'], own: string | undefined): number {
  return own === undefined ? value : Math.min(Math.max(numberOf(own), min), max)
}

/** Of these the one that can be changed while the broker runs. */
function assignmentInterval({ assignmentInterval: bounds }: GroupConsumerConfig, own: string | undefined, config: BrokerConfig, image: MetadataImage): number {
  if (own !== undefined) return within(bounds, own)
  const nobodySet = image.configs(ResourceType.broker, '').size === 0 && image.configs(ResourceType.broker, String(config.nodeId)).size === 0
  return nobodySet ? bounds.value : numberOf(brokerConfigValue(config, image, `group.consumer.${ASSIGNMENT_INTERVAL}`))
}
