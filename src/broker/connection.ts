// One client's connection, as handlers see it.

export interface Connection {
  readonly listener: string
  readonly principal: string
  readonly remoteAddress: string
  /** Calls `listener` once, when the client is gone or the broker closes the connection; returns how to forget it. */
  onClose(listener: () => void): () => void
}
