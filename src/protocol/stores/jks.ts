// Java's own key store format, "JKS": the default of keytool until Java 8. Private keys are hidden with a
// stream of SHA-1 digests, and one digest over everything, the password included, tells a wrong password.

import { createHash } from 'node:crypto'
import { algorithm, childrenOf, octets, readDer, StoreError } from './der.ts'
import type { StoreContents } from './store-contents.ts'

export const JKS_MAGIC = 0xfeedfeed
const SUN_KEY_PROTECTOR = '1.3.6.1.4.1.42.2.17.1.1'
const DIGEST_SIZE = 20
const PRIVATE_KEY = 1
const TRUSTED_CERTIFICATE = 2

/** Without `password` nothing is verified, as in Java, and keys stay shut. Throws StoreError. */
export function readJks(
  bytes: Buffer,
  password: string | undefined,
  keyPassword: string | undefined,
): StoreContents {
  const body = bytes.subarray(0, Math.max(bytes.length - DIGEST_SIZE, 0))
  if (password !== undefined) {
    const digest = sha1(utf16(password), Buffer.from('Mighty Aphrodite', 'latin1'), body)
    if (!digest.equals(bytes.subarray(body.length))) throw new StoreError('the password is wrong', 'password')
  }
  const from = new JksReader(body)
  from.int32() // the magic number, which brought us here
  const version = from.int32()
  if (version !== 1 && version !== 2) throw new StoreError(`it is of version ${version}, which is not known`)
  const certificates: Buffer[] = []
  const keys: Buffer[] = []
  const readCertificate = () => {
    if (version === 2) from.take(from.uint16()) // its type, X.509
    return from.take(from.int32())
  }
  for (let left = from.int32(); left > 0; left--) {
    const tag = from.int32()
    from.take(from.uint16()) // alias
    from.take(8) // date
    if (tag === TRUSTED_CERTIFICATE) certificates.push(readCertificate())
    else if (tag === PRIVATE_KEY) {
      const hidden = from.take(from.int32())
      const secret = keyPassword ?? password
      if (secret !== undefined) keys.push(revealKey(hidden, secret))
      for (let chain = from.int32(); chain > 0; chain--) certificates.push(readCertificate())
    } else throw new StoreError(`an entry has type ${tag}, which is not known`)
  }
  return { certificates, keys }
}

/** An EncryptedPrivateKeyInfo: 20 bytes of salt, the key under a stream made from it, a digest. */
function revealKey(hidden: Buffer, password: string): Buffer {
  const [method, value] = childrenOf(readDer(hidden))
  if (algorithm(method).id !== SUN_KEY_PROTECTOR)
    throw new StoreError('a key is hidden in a way that is not known')
  const bytes = octets(value)
  const secret = utf16(password)
  const key = Buffer.from(bytes.subarray(DIGEST_SIZE, bytes.length - DIGEST_SIZE))
  let stream = bytes.subarray(0, DIGEST_SIZE)
  for (let at = 0; at < key.length; at++) {
    if (at % DIGEST_SIZE === 0) stream = sha1(secret, stream)
    key[at] ^= stream[at % DIGEST_SIZE]
  }
  if (!sha1(secret, key).equals(bytes.subarray(-DIGEST_SIZE))) {
    throw new StoreError('the password of the key is wrong', 'keyPassword')
  }
  return key
}

function sha1(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

class JksReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(size: number): Buffer {
    if (size < 0 || size > this.#bytes.length - this.#at)
      throw new StoreError('it ends in the middle of an entry')
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }

  int32(): number {
    return this.take(4).readInt32BE()
  }

  uint16(): number {
    return this.take(2).readUInt16BE()
  }
}
