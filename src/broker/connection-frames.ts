// Cuts a stream of bytes into frames: a 4-byte length and as many bytes. A frame that lies in one chunk is a view of it;
// a longer one is gathered in a buffer that grows with what has come, never to what was declared.

import { ProtocolError } from '../protocol/errors.ts'

const FIRST_CAPACITY = 64 * 1024

export class FrameReader {
  #maxFrame: number
  #limitName = 'socket.request.max.bytes'
  readonly #chunks: Buffer[] = []
  #at = 0 // in the first chunk
  #buffered = 0 // in all chunks
  #declared = -1 // of the frame that has begun
  #gathered: Buffer | undefined
  #filled = 0

  constructor(maxFrame: number) {
    this.#maxFrame = maxFrame
  }

  /** From the next frame on; `name` is the setting that says so. */
  limit(maxFrame: number, name: string): void {
    this.#maxFrame = maxFrame
    this.#limitName = name
  }

  /** Bytes received and not given out yet. */
  get held(): number {
    return this.#buffered + this.#filled
  }

  /** What waits here costs about this much: a chunk has its price, however small. */
  get cost(): number {
    return this.#buffered + this.#chunks.length * 512
  }

  get isMidFrame(): boolean {
    return this.#declared >= 0 || this.#buffered > 0
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
  }

  /** The next whole frame without its length, undefined when more bytes are needed. ProtocolError for a bad length. */
  next(): Buffer | undefined {
    if (this.#declared < 0) {
      if (this.#buffered < 4) return undefined
      const length = this.#takeByte() * 0x1000000 + this.#takeByte() * 0x10000 + this.#takeByte() * 0x100 + this.#takeByte()
      if (length > this.#maxFrame) throw new ProtocolError(describeLength(length, this.#maxFrame, this.#limitName))
      this.#declared = length
    }
    const declared = this.#declared
    if (declared === 0) {
      this.#declared = -1
      return Buffer.alloc(0)
    }
    if (this.#gathered === undefined && this.#buffered > 0 && this.#chunks[0].length - this.#at >= declared) {
      this.#declared = -1
      return this.#takeView(declared)
    }
    this.#gather(declared)
    if (this.#filled < declared || this.#gathered === undefined) return undefined
    const frame = this.#gathered.subarray(0, declared)
    this.#gathered = undefined
    this.#filled = 0
    this.#declared = -1
    return frame
  }

  #gather(declared: number): void {
    while (this.#filled < declared && this.#chunks.length > 0) {
      const room = Math.min(declared, Math.max(FIRST_CAPACITY, (this.#filled + this.#buffered) * 2))
      if (this.#gathered === undefined) this.#gathered = Buffer.allocUnsafeSlow(room)
      else if (this.#filled === this.#gathered.length) {
        const larger = Buffer.allocUnsafeSlow(room)
        this.#gathered.copy(larger, 0, 0, this.#filled)
        this.#gathered = larger
      }
      const chunk = this.#chunks[0]
      const size = Math.min(chunk.length - this.#at, declared - this.#filled, this.#gathered.length - this.#filled)
      chunk.copy(this.#gathered, this.#filled, this.#at, this.#at + size)
      this.#filled += size
      this.#advance(size)
    }
  }

  #takeView(size: number): Buffer {
    const view = this.#chunks[0].subarray(this.#at, this.#at + size)
    this.#advance(size)
    return view
  }

  #takeByte(): number {
    const byte = this.#chunks[0][this.#at]
    this.#advance(1)
    return byte
  }

  #advance(size: number): void {
    this.#at += size
    this.#buffered -= size
    if (this.#at === this.#chunks[0].length) {
      this.#chunks.shift()
      this.#at = 0
    }
  }
}

// What other protocols' first bytes read as, taken for a length.
const GREETINGS = new Map([
  ['GET ', 'HTTP'], ['POST', 'HTTP'], ['PUT ', 'HTTP'], ['HEAD', 'HTTP'], ['OPTI', 'HTTP'], ['PRI ', 'HTTP'], ['SSH-', 'SSH'],
]) // prettier-ignore

function describeLength(length: number, max: number, limit: string): string {
  if (Math.floor(length / 0x10000) === 0x1603) return 'a TLS client on a plaintext listener'
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return greetingIn(bytes) ?? `a frame of ${length | 0} bytes; ${limit} is ${max}`
}

/** What else than Kafka's protocol, or TLS, a stranger's first bytes are; undefined when they look like neither. */
export function greetingIn(bytes: Buffer): string | undefined {
  const protocol = GREETINGS.get(bytes.toString('latin1', 0, 4))
  if (protocol === undefined) return undefined
  return `${protocol === 'HTTP' ? 'an HTTP' : `an ${protocol}`} client on a Kafka listener`
}
