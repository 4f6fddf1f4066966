// PKCS#12 files (RFC 7292), as keytool and openssl write them: certificates and private keys out of nested
// containers, each of which may be encrypted. Node's own reader wants a key in every file, which Java's trust
// stores don't have.

import {
  algorithm, bodyOf, childrenOf, explicit, octets, oid, readDer, SEQUENCE, SET, StoreError, type Der,
} from './der.ts' // prettier-ignore
import { decryptWithPassword, isMacValid } from './password-ciphers.ts'
import type { StoreContents } from './store-contents.ts'

const DATA = '1.2.840.113549.1.7.1'
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6'
const BAG = '1.2.840.113549.1.12.10.1'
const X509 = '1.2.840.113549.1.9.22.1'
const MAX_DEPTH = 5

/** `keyPassword` is for private keys. Throws StoreError. */
export function readPkcs12(
  bytes: Buffer,
  password: string | undefined,
  keyPassword: string | undefined,
): StoreContents {
  const [, authSafe, macData] = childrenOf(readDer(bytes)) as (Der | undefined)[]
  const [typeValue, content] = childrenOf(authSafe)
  if (oid(typeValue) !== DATA) throw new StoreError('it is signed with a certificate instead of a password')
  const safe = octets(explicit(content, 0))
  if (macData !== undefined && password !== undefined && !isMacValid(macData, password, safe)) {
    throw new StoreError('the password is wrong', 'password')
  }
  const contents: { certificates: Buffer[]; keys: Buffer[] } = { certificates: [], keys: [] }
  for (const part of childrenOf(readDer(safe))) {
    const bags = readDer(openPart(part, password))
    collect(bags, keyPassword ?? password, contents, 0)
  }
  return contents
}

/** One ContentInfo's bytes, in plain. */
function openPart(part: Der, password: string | undefined): Buffer {
  const [typeValue, content] = childrenOf(part)
  const type = oid(typeValue)
  if (type === DATA) return octets(explicit(content, 0))
  if (type !== ENCRYPTED_DATA) throw new StoreError(`a part of it is of type ${type}, which is not known`)
  const [, info] = childrenOf(explicit(content, 0))
  const [, method, encrypted] = childrenOf(info)
  return decryptWithPassword(algorithm(method), needed(password), bodyOf(encrypted, 0x80))
}

function collect(
  bags: Der,
  password: string | undefined,
  into: { certificates: Buffer[]; keys: Buffer[] },
  depth: number,
): void {
  if (depth > MAX_DEPTH) throw new StoreError('its containers are nested too deeply')
  for (const bag of childrenOf(bags)) {
    const [idValue, wrapped, attributes] = childrenOf(bag) as (Der | undefined)[]
    if (attributes !== undefined) bodyOf(attributes, SET)
    const value = explicit(wrapped, 0)
    switch (oid(idValue)) {
      case `${BAG}.1`:
        into.keys.push(value.whole)
        break
      case `${BAG}.2`: {
        const [method, encrypted] = childrenOf(value)
        into.keys.push(
          decryptWithPassword(algorithm(method), needed(password), octets(encrypted), 'keyPassword'),
        )
        break
      }
      case `${BAG}.3`: {
        const [type, certificate] = childrenOf(value)
        if (oid(type) === X509) into.certificates.push(octets(explicit(certificate, 0)))
        break
      }
      case `${BAG}.6`:
        collect({ ...value, tag: SEQUENCE }, password, into, depth + 1)
        break
      default: // revocation lists and other secrets, which TLS has no use for
    }
  }
}

function needed(password: string | undefined): string {
  if (password === undefined) throw new StoreError('it is encrypted and no password is given', 'password')
  return password
}
