// Reads ASN.1 in its distinguished encoding, as far as key stores need it. Bytes that are not DER throw
// StoreError.

/** A store that can't be read; `wrong` says which password is to blame, as far as can be told. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly wrong: 'password' | 'keyPassword' | undefined

  constructor(message: string, wrong?: 'password' | 'keyPassword') {
    super(message)
    this.wrong = wrong
  }
}

export interface Der {
  readonly tag: number
  readonly body: Buffer
  /** Tag and length included. */
  readonly whole: Buffer
}

export const SEQUENCE = 0x30
export const SET = 0x31
const OCTET_STRING = 0x04
const INTEGER = 0x02
const OID = 0x06

/** The one value that `bytes` start with. */
export function readDer(bytes: Buffer): Der {
  if (bytes.length < 2) throw new StoreError('it ends in the middle of a value')
  let length = bytes[1]
  let start = 2
  if (length >= 0x80) {
    const size = length & 0x7f
    if (size === 0)
      throw new StoreError('it has values of indefinite length (BER); write it anew with keytool or openssl')
    if (size > 4 || bytes.length < 2 + size) throw new StoreError('a value has a bad length')
    length = bytes.readUIntBE(2, size)
    start += size
  }
  if (length > bytes.length - start) throw new StoreError('it ends in the middle of a value')
  return {
    tag: bytes[0],
    body: bytes.subarray(start, start + length),
    whole: bytes.subarray(0, start + length),
  }
}

/** The values inside a constructed one; the tag is checked. */
export function childrenOf(der: Der | undefined, tag = SEQUENCE): Der[] {
  const children: Der[] = []
  for (let rest = bodyOf(der, tag); rest.length > 0; ) {
    const child = readDer(rest)
    children.push(child)
    rest = rest.subarray(child.whole.length)
  }
  return children
}

export function bodyOf(der: Der | undefined, tag: number): Buffer {
  if (der?.tag !== tag) throw new StoreError(`it has tag ${der?.tag ?? 'nothing'} where ${tag} belongs`)
  return der.body
}

/** The value inside an explicit context tag. */
export function explicit(der: Der | undefined, number: number): Der {
  return readDer(bodyOf(der, 0xa0 + number))
}

export function octets(der: Der | undefined): Buffer {
  return bodyOf(der, OCTET_STRING)
}

/** A small unsigned integer, such as a count of iterations. */
export function integer(der: Der | undefined): number {
  const body = bodyOf(der, INTEGER)
  if (body.length < 1 || body.length > 6) throw new StoreError('a number is too large')
  return body.readIntBE(0, body.length)
}

/** In dotted form. */
export function oid(der: Der | undefined): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of bodyOf(der, OID)) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    arcs.push(arc)
    arc = 0
  }
  const [first = 0, ...rest] = arcs
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

export interface Algorithm {
  readonly id: string
  readonly parameters: Der | undefined
}

export function algorithm(der: Der | undefined): Algorithm {
  const [id, parameters] = childrenOf(der)
  return { id: oid(id), parameters }
}
