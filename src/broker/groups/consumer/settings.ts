// What consumer groups are told from outside: limits and intervals, the assignors by name, what may be converted.

import type { Assignor } from './assignors/assignor.ts'
import { range } from './assignors/range.ts'
import { uniform } from './assignors/uniform.ts'
import type { Now } from '../../coordinator/shard.ts'
import type { GroupTopics } from '../topics.ts'

/** What one group is run by. */
export interface ConsumerSettings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** How long an assignment stands at least; 0: until there is a reason for another. */
  readonly assignmentIntervalMs: number
  readonly maxSize: number
  readonly classicMaxSize: number
  /** Names, the default first. */
  readonly assignors: readonly string[]
  readonly canUpgrade: boolean
  readonly canDowngrade: boolean
  /** How old what a regex was resolved to may become. */
  readonly regexRefreshMs: number
}

/** What an operation on a group looks at besides the group. */
export interface ConsumerWorld {
  readonly topics: GroupTopics
  readonly settings: ConsumerSettings
  readonly now: Now
}

export const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniform],
  ['range', range],
])
