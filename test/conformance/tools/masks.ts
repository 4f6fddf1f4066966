// Masks that several plays need.

import type { Mask } from './play.ts'

/** Java's admin client has two texts for a call that takes too long; which it is depends on what it does at that moment. */
export const timedOut: Mask = {
  why: 'whether it waits or asks when the time is up, and how often it has asked',
  apply: (text) =>
    text.replaceAll(/Call\(callName=(\w+(?:\(api=\w+\))?), deadlineMs=.*?\) timed out at \w+ after \d+ attempt\(s\)/g, 'Timed out waiting for a node assignment. Call: $1'),
}
