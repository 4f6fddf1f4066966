// Talks to a broker byte by byte: any request in any version, several in flight, and bytes that are no request at all.

import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { decodeResponsePayload, encodeRequestFrame } from '../../src/protocol/frames.ts'
import { BatchBuilder, type BatchOptions } from '../../src/protocol/batch-builder.ts'
import type { Api, Fields, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'

export class RawClient {
  /** Resolves when the connection is closed, by whom ever. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #waiting = new Map<number, (payload: Buffer) => void>()
  readonly #failed: ((error: Error) => void)[] = []
  /** In all. */
  bytesReceived = 0
  #received = Buffer.alloc(0)
  #nextId = 1
  /** Correlation ids in the order their replies came. */
  readonly replied: number[] = []
  /** Replies to what was written as bytes, by correlation id. */
  readonly unexpected = new Map<number, Buffer>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        for (const fail of this.#failed) fail(new Error('the broker closed the connection'))
        resolve()
      }),
    )
  }

  static open(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true }, () => resolve(new RawClient(socket)))
      socket.once('error', reject)
    })
  }

  /** Through TLS; rejects when there is no handshake. */
  static openTls(port: number, options: ConnectionOptions = {}): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', ...options }, () => resolve(new RawClient(socket)))
      socket.once('error', reject)
    })
  }

  /** Bytes as they are. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Rejects when the broker closes the connection instead of answering. */
  call<A extends Api>(api: A, version: number, request: RequestInput<A>, clientId: string | null = 'raw'): Promise<ResponseOf<A>> {
    const correlationId = this.#nextId++
    const plain: Api = api
    const reply = new Promise<ResponseOf<A>>((resolve, reject) => {
      this.#failed.push(reject)
      this.#waiting.set(correlationId, (payload) => resolve(decodeResponsePayload(plain, version, payload) as ResponseOf<A>))
    })
    this.#socket.write(Buffer.concat(encodeRequestFrame<Fields, Fields>(plain, version, { correlationId, clientId }, request)))
    return reply
  }

  /** For requests without a reply. */
  tell<A extends Api>(api: A, version: number, request: RequestInput<A>): void {
    const header = { correlationId: this.#nextId++, clientId: 'raw' }
    this.#socket.write(Buffer.concat(encodeRequestFrame<Fields, Fields>(api, version, header, request)))
  }

  /** Says that nothing more comes; replies may. */
  end(): void {
    this.#socket.end()
  }

  close(): void {
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    this.bytesReceived += chunk.length
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 8 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
      const end = 4 + this.#received.readInt32BE(0)
      const correlationId = this.#received.readInt32BE(4)
      const payload = this.#received.subarray(8, end)
      this.#received = this.#received.subarray(end)
      this.replied.push(correlationId)
      const settle = this.#waiting.get(correlationId)
      if (settle === undefined) this.unexpected.set(correlationId, payload)
      else settle(payload)
      this.#waiting.delete(correlationId)
    }
  }
}

/** One batch of text records; null values and keys as given. */
export function batchOf(
  values: readonly (string | null | { readonly key: string | null; readonly value: string | null; readonly timestamp?: number })[],
  options: Partial<BatchOptions> & { readonly timestamp?: number } = {},
): Buffer {
  const builder = new BatchBuilder(64 * 1024 * 1024)
  const { timestamp = 1_700_000_000_000, ...rest } = options
  for (const value of values) {
    const record = value !== null && typeof value === 'object' ? value : { key: null, value }
    const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
    builder.append(bytes(record.key), bytes(record.value), [], record.timestamp ?? timestamp)
  }
  return builder.finish({ codec: 'none', ...rest })
}
