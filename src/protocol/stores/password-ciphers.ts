// Password-based decryption and authentication in PKCS#12 files: PBES2 and PBMAC1 (RFC 8018), and the key
// derivation of RFC 7292 appendix B with the ciphers that were usual before 2021. Node has all but RC2, see
// rc2.ts.

import { createDecipheriv, createHash, createHmac, hash as digestOf, pbkdf2Sync } from 'node:crypto'
import { algorithm, childrenOf, integer, octets, StoreError, type Algorithm, type Der } from './der.ts'
import { decryptRc2Cbc } from './rc2.ts'

// keytool writes 10,000 and openssl 2,048; a hostile count would keep us busy for hours.
const MAX_ITERATIONS = 10_000_000

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const PBMAC1 = '1.2.840.113549.1.5.14'
const PKCS12_PBE = '1.2.840.113549.1.12.1'

const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

const HASHES: Readonly<
  Record<string, { readonly name: string; readonly size: number; readonly block: number }>
> = {
  '1.3.14.3.2.26': { name: 'sha1', size: 20, block: 64 },
  '2.16.840.1.101.3.4.2.4': { name: 'sha224', size: 28, block: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', size: 32, block: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', size: 48, block: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', size: 64, block: 128 },
}
const SHA1 = HASHES['1.3.14.3.2.26']

const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keySize: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keySize: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keySize: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keySize: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keySize: 24 },
}

/**
 * Throws StoreError for an unknown method, and one that blames the password when the bytes don't come out
 * right.
 */
export function decryptWithPassword(
  method: Algorithm,
  password: string,
  bytes: Buffer,
  blame: 'password' | 'keyPassword' = 'password',
): Buffer {
  const decrypt = method.id === PBES2 ? pbes2(method.parameters, password) : legacy(method, password)
  try {
    return decrypt(bytes)
  } catch {
    throw new StoreError(
      blame === 'password' ? 'the password is wrong' : 'the password of the key is wrong',
      blame,
    )
  }
}

type Decrypt = (bytes: Buffer) => Buffer

function pbes2(parameters: Der | undefined, password: string): Decrypt {
  const [derivation, encryption] = childrenOf(parameters)
  const { id, parameters: iv } = algorithm(encryption)
  const cipher = CIPHERS[id] as (typeof CIPHERS)[string] | undefined
  if (cipher === undefined) throw new StoreError(`its cipher ${id} is not known`)
  const key = pbkdf2Key(algorithm(derivation), password, cipher.keySize)
  return nodeDecrypt(cipher.name, key, octets(iv))
}

function pbkdf2Key(derivation: Algorithm, password: string, size: number): Buffer {
  if (derivation.id !== PBKDF2) throw new StoreError(`its key derivation ${derivation.id} is not known`)
  const [salt, iterations, ...rest] = childrenOf(derivation.parameters)
  const prf = rest.find((item) => item.tag === 0x30) // a key length may stand in between
  const hmac = prf === undefined ? 'sha1' : HMACS[algorithm(prf).id]
  return pbkdf2Sync(password, octets(salt), bounded(integer(iterations)), size, hmac)
}

function legacy(method: Algorithm, password: string): Decrypt {
  const [saltValue, iterationsValue] = method.id.startsWith(`${PKCS12_PBE}.`)
    ? childrenOf(method.parameters)
    : []
  const salt = octets(saltValue)
  const iterations = bounded(integer(iterationsValue))
  const derive = (purpose: number, size: number) => pkcs12Key(password, salt, iterations, purpose, size, SHA1)
  const iv = derive(2, 8)
  switch (method.id.slice(PKCS12_PBE.length + 1)) {
    case '3':
      return nodeDecrypt('des-ede3-cbc', derive(1, 24), iv)
    case '4': {
      const key = derive(1, 16)
      return nodeDecrypt('des-ede3-cbc', Buffer.concat([key, key.subarray(0, 8)]), iv)
    }
    case '5':
      return (bytes) => decryptRc2Cbc(derive(1, 16), iv, bytes)
    case '6':
      return (bytes) => decryptRc2Cbc(derive(1, 5), iv, bytes)
    default:
      throw new StoreError(`its encryption ${method.id} is not known`)
  }
}

function nodeDecrypt(name: string, key: Buffer, iv: Buffer): Decrypt {
  return (bytes) => {
    const decipher = createDecipheriv(name, key, iv)
    return Buffer.concat([decipher.update(bytes), decipher.final()])
  }
}

/** Whether the MAC of a PKCS#12 file (its MacData) fits `content`. */
export function isMacValid(macData: Der, password: string, content: Buffer): boolean {
  const [digestInfo, saltValue, iterationsValue] = childrenOf(macData) as (Der | undefined)[]
  const [methodValue, macValue] = childrenOf(digestInfo)
  const method = algorithm(methodValue)
  if (method.id === PBMAC1) {
    const [derivation, hmacValue] = childrenOf(method.parameters)
    const hmac = HMACS[algorithm(hmacValue).id]
    const key = pbkdf2Key(algorithm(derivation), password, createHash(hmac).digest().length)
    return createHmac(hmac, key).update(content).digest().equals(octets(macValue))
  }
  const hash = HASHES[method.id] as (typeof HASHES)[string] | undefined
  if (hash === undefined) throw new StoreError(`its digest ${method.id} is not known`)
  const iterations = iterationsValue === undefined ? 1 : bounded(integer(iterationsValue))
  const key = pkcs12Key(password, octets(saltValue), iterations, 3, hash.size, hash)
  return createHmac(hash.name, key).update(content).digest().equals(octets(macValue))
}

function bounded(iterations: number): number {
  if (iterations >= 1 && iterations <= MAX_ITERATIONS) return iterations
  throw new StoreError(`it wants ${iterations} iterations`)
}

/** RFC 7292 appendix B.2. Purposes: 1 key, 2 initial vector, 3 MAC key. */
function pkcs12Key(
  password: string,
  salt: Buffer,
  iterations: number,
  purpose: number,
  size: number,
  hash: { readonly name: string; readonly block: number },
): Buffer {
  const { block } = hash
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16()
  const diversifier = Buffer.alloc(block, purpose)
  const input = Buffer.concat([repeatTo(salt, block), repeatTo(text, block)])
  const pieces: Buffer[] = []
  for (let got = 0; got < size; ) {
    let piece = digestOf(hash.name, Buffer.concat([diversifier, input]), 'buffer')
    for (let i = 1; i < iterations; i++) piece = digestOf(hash.name, piece, 'buffer')
    pieces.push(piece)
    got += piece.length
    const addend = repeatTo(piece, block).subarray(0, block)
    for (let at = 0; at < input.length; at += block) addInto(input.subarray(at, at + block), addend)
  }
  return Buffer.concat(pieces).subarray(0, size)
}

/** `bytes` repeated to the next multiple of `block`; nothing stays nothing. */
function repeatTo(bytes: Buffer, block: number): Buffer {
  const size = Math.ceil(bytes.length / block) * block
  return size === 0 ? bytes : Buffer.alloc(size, bytes)
}

/** target += addend + 1, as big-endian numbers of the same size. */
function addInto(target: Buffer, addend: Buffer): void {
  let carry = 1
  for (let i = target.length - 1; i >= 0; i--) {
    carry += target[i] + addend[i]
    target[i] = carry & 0xff
    carry >>= 8
  }
}
