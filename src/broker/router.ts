// From a request's bytes to a handler and from its answer to bytes. The one table of APIs is here: what it lists is what
// ApiVersions advertises and what is served.

import type { Api, RequestOf, ResponseInput } from '../protocol/schema.ts'
import type { Broker } from './broker.ts'
import type { Connection } from './connection.ts'

export interface RequestContext {
  readonly broker: Broker
  readonly apiVersion: number
  readonly clientId: string | null
  /** The name of the listener that the request came in on: answers give this listener's addresses. */
  readonly listener: string
  readonly principal: string
  readonly clientAddress: string
  readonly connection: Connection
  /** The connection's next request may start; this one's reply still leaves in its turn. For Produce only. */
  letNextStart(): void
}

/** Given instead of an answer where the protocol has none: Produce with acks=0. */
export const noReply = Symbol('no reply')

export type Answer<A extends Api> = ResponseInput<A> | typeof noReply

/**
 * A handler changes state only before its first await. A KafkaError it throws becomes the answer's top-level code,
 * where the API has one; errors of single items belong into the items.
 */
export type Handler<A extends Api> = (request: RequestOf<A>, context: RequestContext) => Answer<A> | Promise<Answer<A>>
