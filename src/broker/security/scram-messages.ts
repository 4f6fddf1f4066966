// SCRAM's messages as the server reads and writes them (RFC 5802 §7), within Kafka's limits: no channel binding, no
// mandatory extensions, other extensions passed over. Anything else is undefined: what is wrong is nobody's business.

export interface ClientFirst {
  /** What the client must repeat, as base64, in its final message. */
  readonly gs2Header: string
  /** '' where there is none. */
  readonly authorizationId: string
  readonly user: string
  readonly nonce: string
  /** A delegation token's id instead of a user's name (KIP-48). */
  readonly isToken: boolean
  /** The message without its header, for the signatures. */
  readonly bare: string
}

export interface ClientFinal {
  readonly channelBinding: string
  readonly nonce: string
  readonly proof: Buffer
  readonly withoutProof: string
}

const PRINTABLE = /^[\x21-\x2b\x2d-\x7e]+$/ // a nonce: no comma
const EXTENSION = /^[A-Za-z]+=[^\0]+$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function parseClientFirst(bytes: Buffer): ClientFirst | undefined {
  const text = textOf(bytes)
  if (text === undefined) return undefined
  const [flag, authorization = '', name = '', nonce = '', ...extensions] = text.split(',')
  // `y`: the client could bind the channel and thinks that we can't, which is so.
  if (flag !== 'n' && flag !== 'y') return undefined
  if (authorization !== '' && !authorization.startsWith('a=')) return undefined
  if (!name.startsWith('n=') || !nonce.startsWith('r=') || !PRINTABLE.test(nonce.slice(2))) return undefined
  if (!extensions.every((extension) => EXTENSION.test(extension))) return undefined
  const user = unescapeName(name.slice(2))
  const authorizationId = authorization === '' ? '' : unescapeName(authorization.slice(2))
  if (user === undefined || authorizationId === undefined) return undefined
  const gs2Header = `${flag},${authorization},`
  const isToken = extensions.some((extension) => extension.toLowerCase() === 'tokenauth=true')
  return { gs2Header, authorizationId, user, nonce: nonce.slice(2), isToken, bare: text.slice(gs2Header.length) }
}

export function parseClientFinal(bytes: Buffer): ClientFinal | undefined {
  const text = textOf(bytes)
  if (text === undefined) return undefined
  const parts = text.split(',')
  const proof = parts.pop() ?? ''
  const [channel = '', nonce = '', ...extensions] = parts
  if (!channel.startsWith('c=') || !nonce.startsWith('r=') || !proof.startsWith('p=')) return undefined
  const isWhole = BASE64.test(channel.slice(2)) && PRINTABLE.test(nonce.slice(2)) && BASE64.test(proof.slice(2))
  if (!isWhole || !extensions.every((extension) => EXTENSION.test(extension))) return undefined
  return {
    channelBinding: channel.slice(2),
    nonce: nonce.slice(2),
    proof: Buffer.from(proof.slice(2), 'base64'),
    withoutProof: text.slice(0, text.length - proof.length - 1),
  }
}

export function serverFirst(nonce: string, salt: Buffer, iterations: number): string {
  return `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
}

/** Not empty; `,` and `=` come escaped, and nothing else does. */
function unescapeName(text: string): string | undefined {
  if (text === '' || text.includes('\0') || /=(?!2C|3D)/.test(text)) return undefined
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined // not UTF-8
  }
}
