// A member of a group that speaks the protocol by hand, in any version: for tests of brokers.

import { FindCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { Heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { JoinGroup } from '../../src/protocol/apis/join-group.ts'
import { LeaveGroup } from '../../src/protocol/apis/leave-group.ts'
import { OffsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { OffsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { SyncGroup } from '../../src/protocol/apis/sync-group.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { ConsumerProtocolSubscription, encodeConsumerProtocol } from '../../src/protocol/records/consumer-protocol.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import type { RequestInput } from '../../src/protocol/schema.ts'
import type { RawClient } from './raw-client.ts'

export interface CommitOptions {
  readonly memberId?: string
  readonly generation?: number
  readonly version?: number
  readonly metadata?: string | null
  readonly leaderEpoch?: number
  readonly topicId?: string
}

export class GroupClient {
  readonly client: RawClient
  readonly group: string

  constructor(client: RawClient, group: string) {
    this.client = client
    this.group = group
  }

  async findCoordinator() {
    const { coordinators } = await this.client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [this.group] })
    return coordinators[0]
  }

  async join(request: Partial<RequestInput<typeof JoinGroup>> = {}, version = 9) {
    const topics = ['t']
    const answer = await this.client.call(JoinGroup, version, {
      groupId: this.group,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: encodeConsumerProtocol(ConsumerProtocolSubscription, 1, { topics, ownedPartitions: [] }) }],
      ...request,
    })
    return { ...answer, error: errorName(answer.errorCode) }
  }

  /** Both JoinGroups of a new dynamic member. */
  async joinTwice(request: Partial<RequestInput<typeof JoinGroup>> = {}) {
    const { memberId, errorCode } = await this.join(request)
    if (errorCode !== ErrorCode.MEMBER_ID_REQUIRED) throw new Error(`JoinGroup: ${errorName(errorCode)}`)
    return this.join({ ...request, memberId })
  }

  async sync(memberId: string, generationId: number, assigned: Readonly<Record<string, string>> = {}, version = 5) {
    const assignments = Object.entries(assigned).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) }))
    const answer = await this.client.call(SyncGroup, version, { groupId: this.group, generationId, memberId, assignments })
    return { error: errorName(answer.errorCode), assignment: answer.assignment.toString() }
  }

  async heartbeat(memberId: string, generationId: number, groupInstanceId: string | null = null) {
    const { errorCode } = await this.client.call(Heartbeat, 4, { groupId: this.group, generationId, memberId, groupInstanceId })
    return errorName(errorCode)
  }

  async leave(...members: readonly { readonly memberId: string; readonly groupInstanceId?: string | null }[]) {
    const answer = await this.client.call(LeaveGroup, 5, { groupId: this.group, members } as RequestInput<typeof LeaveGroup>)
    return { error: errorName(answer.errorCode), members: answer.members.map(({ errorCode }) => errorName(errorCode)) }
  }

  async commit(topic: string, offset: bigint | number, options: CommitOptions = {}) {
    const { memberId = '', generation = -1, version = 9, metadata = null, leaderEpoch = -1, topicId = ZERO_UUID } = options
    const { topics } = await this.client.call(OffsetCommit, version, {
      groupId: this.group,
      generationIdOrMemberEpoch: generation,
      memberId,
      topics: [
        {
          name: topic,
          topicId,
          partitions: [
            { partitionIndex: 0, committedOffset: BigInt(offset), committedLeaderEpoch: leaderEpoch, committedMetadata: metadata },
          ],
        },
      ],
    })
    return errorName(topics[0].partitions[0].errorCode)
  }

  /** -1 when there is none. */
  async committed(topic: string, version = 9, requireStable = false) {
    const { groups } = await this.client.call(OffsetFetch, version, {
      topics: [],
      groupId: '',
      requireStable,
      groups: [{ groupId: this.group, topics: [{ name: topic, topicId: ZERO_UUID, partitionIndexes: [0] }] }],
    })
    const { committedOffset, committedLeaderEpoch, metadata, errorCode } = groups[0].topics[0].partitions[0]
    return { offset: Number(committedOffset), leaderEpoch: committedLeaderEpoch, metadata, error: errorName(errorCode) }
  }
}
