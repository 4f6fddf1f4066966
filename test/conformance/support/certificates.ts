// Certificates for a TLS listener on 127.0.0.1, and the trust stores that clients can be given, made afresh by openssl and
// keytool: a CA, a server's key store, and the CA as PEM, PKCS12 and JKS; and another CA that signed nothing.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from './peers.ts'

export const STORE_PASSWORD = 'store-secret'

export interface Certificates {
  readonly keyStore: string // PKCS12
  readonly trustStores: Readonly<Record<'PEM' | 'PKCS12' | 'JKS', string>>
  readonly wrongAuthority: string // PEM
}

export function makeCertificates(directory: string): Certificates {
  const at = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => void output(['openssl'], args, { cwd: directory })
  for (const name of ['ca', 'other']) {
    const subject = ['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE']
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', `${name}.key`, '-out', `${name}.pem`)
  }
  writeFileSync(at('server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr')
  const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'server.ext', '-days', '2']
  openssl('x509', '-req', '-in', 'server.csr', ...signer, '-out', 'server.pem')
  const secret = `pass:${STORE_PASSWORD}`
  openssl('pkcs12', '-export', '-in', 'server.pem', '-inkey', 'server.key', '-out', 'server.p12', '-passout', secret)
  for (const [file, type] of [['trust.p12', 'PKCS12'], ['trust.jks', 'JKS']]) {
    const store = ['-keystore', at(file), '-storetype', type, '-storepass', STORE_PASSWORD]
    output(['keytool'], ['-importcert', '-noprompt', '-alias', 'ca', '-file', at('ca.pem'), ...store])
  }
  return {
    keyStore: at('server.p12'),
    trustStores: { PEM: at('ca.pem'), PKCS12: at('trust.p12'), JKS: at('trust.jks') },
    wrongAuthority: at('other.pem'),
  }
}
