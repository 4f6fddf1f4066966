// What a handler is: a function from a decoded request to an answer. The table of them is in router.ts.

import type { Clock } from '../base/clock.ts'
import { withStack } from '../base/logger.ts'
import { KafkaError, ProtocolError } from '../protocol/errors.ts'
import type { Api, RequestOf, ResponseInput } from '../protocol/schema.ts'
import type { Broker } from './broker.ts'
import type { Connection } from './connection.ts'
import type { Operation, ResourceKind } from './security/acl.ts'

export interface RequestContext {
  readonly broker: Broker
  readonly apiVersion: number
  readonly clientId: string | null
  /** The name of the listener that the request came in on: answers give this listener's addresses. */
  readonly listener: string
  readonly principal: string
  readonly clientAddress: string
  readonly connection: Connection
  /** Whether the client may do this to the resource of that name. */
  readonly isAllowed: (operation: Operation, kind: ResourceKind, name: string) => boolean
  /** Whether the client may do this to any resource at all of the kind. */
  readonly isAllowedForSome: (operation: Operation, kind: ResourceKind) => boolean
  /** The connection's next request may start; this one's reply still leaves in its turn. For Produce only. */
  letNextStart(): void
}

/** Given instead of an answer where the protocol has none: Produce with acks=0. */
export const noReply = Symbol('no reply')

export type Answer<A extends Api> = ResponseInput<A> | typeof noReply

/**
 * A handler changes state only before its first await. A KafkaError it throws becomes the answer's top-level code, where
 * the API has one, or that of all its items (refusals.ts); errors of single items belong into the items.
 */
export type Handler<A extends Api> = (request: RequestOf<A>, context: RequestContext) => Answer<A> | Promise<Answer<A>>

const MAX_TURN_MS = 50

/** For long work, asked between its items: when it has lasted for a while, the others have their turn first. */
export function turns(clock: Clock): () => Promise<void> | undefined {
  let since = clock.monotonic()
  return () => {
    if (clock.monotonic() - since < MAX_TURN_MS) return undefined
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      since = clock.monotonic()
    })
  }
}

/** The code for one item of an answer. What is not a KafkaError is our mistake, or the disk's: it goes to the log. */
export function itemError(error: unknown, broker: Broker, what: string): KafkaError {
  if (error instanceof KafkaError) return error
  if (error instanceof ProtocolError) return new KafkaError('CORRUPT_MESSAGE', error.message)
  broker.logger.error(`${what} failed: ${withStack(error)}`)
  return new KafkaError('UNKNOWN_SERVER_ERROR')
}
