// The subject of a client's certificate as Kafka names it: the text of RFC 2253 that Java's X500Principal gives, last part
// first. Read from the certificate's bytes, because Node's own text has another order and other escapes.

import { childrenOf, oid, readDer, SEQUENCE, SET, type Der } from '../../protocol/stores/der.ts'
import type { PrincipalMapping } from './principal-mapping.ts'

// Those that RFC 2253 names; others are shown as numbers.
const KEYWORDS = new Map([
  ['2.5.4.3', 'CN'], ['2.5.4.6', 'C'], ['2.5.4.7', 'L'], ['2.5.4.8', 'ST'], ['2.5.4.9', 'STREET'], ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'], ['0.9.2342.19200300.100.1.1', 'UID'], ['0.9.2342.19200300.100.1.25', 'DC'],
]) // prettier-ignore

// T61String, PrintableString, IA5String, UTF8String, UniversalString, BMPString, GeneralString
const TEXT_TAGS: ReadonlySet<number> = new Set([0x14, 0x13, 0x16, 0x0c, 0x1c, 0x1e, 0x1b])

/** Of a certificate in DER; undefined when `mapping` has no rule for it. Throws StoreError for bytes that are none. */
export function certificatePrincipal(certificate: Buffer, mapping: PrincipalMapping): string | undefined {
  const name = mapping(distinguishedName(certificate))
  return name === undefined ? undefined : `User:${name}`
}

/** The subject of a certificate in DER. */
export function distinguishedName(certificate: Buffer): string {
  // Certificate ::= { { [0] version, serial, algorithm, issuer, validity, subject, … }, … }
  const [toBeSigned] = childrenOf(readDer(certificate), SEQUENCE)
  const fields = childrenOf(toBeSigned, SEQUENCE)
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4]
  return childrenOf(subject, SEQUENCE)
    .reverse()
    .map((part) => childrenOf(part, SET).map(attribute).join('+'))
    .join(',')
}

function attribute(der: Der): string {
  const [type, value] = childrenOf(der, SEQUENCE)
  const id = oid(type)
  const keyword = KEYWORDS.get(id)
  if (keyword === undefined || !TEXT_TAGS.has(value.tag)) return `${keyword ?? id}=#${value.whole.toString('hex')}`
  return `${keyword}=${escaped(value.body.toString('utf8'))}`
}

function escaped(text: string): string {
  const inner = text.replace(/[,=+<>#;"\\]/g, '\\$&').replaceAll('\0', '\\00')
  const spaces = (run: string): string => run.replace(/[ \r]/g, '\\$&')
  return inner.replace(/^[ \r]+/, spaces).replace(/[ \r]+$/, spaces)
}
