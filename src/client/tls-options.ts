// TLS settings in Node's words.

import net from 'node:net'
import type tls from 'node:tls'
import type { TlsSettings } from './wire.ts'

export function tlsConnectOptions(host: string, settings: TlsSettings): tls.ConnectionOptions {
  const { ca, identity, checkHost, minVersion, maxVersion } = settings
  return {
    minVersion,
    maxVersion,
    ...(ca && { ca: [...ca] }),
    ...(identity && { cert: identity.chain, key: identity.key, passphrase: identity.passphrase }),
    ...(!net.isIP(host) && { servername: host }), // SNI has no addresses (RFC 6066 §3)
    ...(!checkHost && { checkServerIdentity: () => undefined }),
  }
}
