// The part of kafkajs 2.2.4 that kafkajs-wire.ts touches; kafkajs has no types for it.
// test/client/wire.test.ts checks that it is there.

declare module 'kafkajs/src/network/connection.js' {
  import type { Socket } from 'node:net'

  interface Logger {
    namespace(): Logger
    debug(): void
    info(): void
    warn(): void
    error(): void
  }

  interface ConnectionOptions {
    host: string
    port: number
    logger: Logger
    socketFactory: (options: { onConnect: () => void }) => Socket
    clientId: string
    ssl: object | null
    sasl: { mechanism: string; username: string; password: string } | null
    connectionTimeout: number
    requestTimeout: number
    enforceRequestTimeout: boolean
  }

  interface QueueEntry {
    entry: {
      apiKey: number
      apiName: string
      apiVersion: number
      correlationId: number
      resolve: (answer: { payload: Buffer | null }) => void
      reject: (error: Error) => void
    }
    expectResponse: boolean
    sendRequest: () => void
  }

  interface RequestQueue {
    inflight: Map<number, unknown>
    push(request: QueueEntry): void
    fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void
    scheduleCheckPendingRequests(): void
  }

  export default class Connection {
    constructor(options: ConnectionOptions)
    requestQueue: RequestQueue
    chunks: Buffer[]
    bytesBuffered: number
    bytesNeeded: number
    sessionLifetime: { toString(): string } // ms, an integer of their own kind
    reauthenticationThreshold: number // ms
    connect(): Promise<boolean>
    authenticate(): Promise<void>
    isAuthenticated(): boolean
    setVersions(versions: Record<number, { minVersion: number; maxVersion: number }>): void
    setSupportAuthenticationProtocol(isSupported: boolean): void
    nextCorrelationId(): number
    processData(bytes: Buffer): void
    rejectRequests(error: Error): void
  }
}
