// ssl.truststore.* and ssl.keystore.*: PEM text or files, PKCS#12 and JKS files, as PEM for Node. A file's format is told
// by its bytes, as Java does for its two; naming a type that the file doesn't have is an error. Broker and client have the
// same settings and read them here.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { SettingError } from '../setting-error.ts'
import { StoreError } from './der.ts'
import { JKS_MAGIC, readJks } from './jks.ts'
import { readPkcs12 } from './pkcs12.ts'
import type { StoreContents } from './store-contents.ts'

/** Where the settings come from, by Kafka's names. */
export interface SslSettings {
  /** undefined where it is not given. */
  text(key: string): string | undefined
  /** A password, as it is: blanks count. */
  secret(key: string): string | undefined
  /** The bytes of a file that the setting `key` names. */
  read(path: string, key: string): Promise<Buffer>
}

/** PEM. */
export interface SslIdentity {
  readonly key: string
  /** Our certificate first. */
  readonly chain: string
}

type StoreFormat = 'PEM' | 'PKCS12' | 'JKS'

const CERTIFICATE_BLOCK =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g
const KEY_BLOCK = /-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----[^]+?-----END \1-----/
const JCEKS_MAGIC = 0xcececece

/** The authorities to trust, as PEM; undefined without a trust store, which means those that Node trusts. */
export async function readTrust(values: SslSettings): Promise<readonly string[] | undefined> {
  const inline = values.text('ssl.truststore.certificates')
  if (inline !== undefined)
    return pemCertificates(
      inlinePem(values, 'ssl.truststore', 'certificates', inline),
      'ssl.truststore.certificates',
    )
  const key = 'ssl.truststore.location'
  const path = values.text(key)
  if (path === undefined) return undefined
  const password = values.secret('ssl.truststore.password')
  const store = await openStore(values, 'ssl.truststore', path)
  if (store.format === 'PEM') {
    if (password !== undefined) {
      throw new SettingError(
        'ssl.truststore.password',
        'ssl.truststore.password has no meaning for a PEM trust store',
      )
    }
    return pemCertificates(store.bytes.toString('latin1'), key)
  }
  // No password for keys: of a key entry only the certificate is trusted.
  const { certificates } = readStore(store, path, password, password, 'ssl.truststore')
  if (certificates.length === 0) throw new SettingError(key, `${key}: ${path} holds no certificates`)
  return certificates.map(certificatePem)
}

/** Our own certificate with its chain, and its key; undefined without a key store. */
export async function readIdentity(values: SslSettings): Promise<SslIdentity | undefined> {
  const keyPassword = values.secret('ssl.key.password')
  const inlineKey = values.text('ssl.keystore.key')
  const inlineChain = values.text('ssl.keystore.certificate.chain')
  if (inlineKey !== undefined || inlineChain !== undefined) {
    if (inlineKey === undefined || inlineChain === undefined) {
      const missing = inlineKey === undefined ? 'ssl.keystore.key' : 'ssl.keystore.certificate.chain'
      throw new SettingError(
        missing,
        `ssl.keystore.key and ssl.keystore.certificate.chain go together: ${missing} is missing`,
      )
    }
    const key = inlinePem(values, 'ssl.keystore', 'key', inlineKey)
    const chain = inlinePem(values, 'ssl.keystore', 'certificate.chain', inlineChain)
    return pemIdentity(key, chain, keyPassword, 'ssl.keystore.key')
  }
  const path = values.text('ssl.keystore.location')
  if (path === undefined) return undefined
  const password = values.secret('ssl.keystore.password')
  const store = await openStore(values, 'ssl.keystore', path)
  if (store.format === 'PEM') {
    if (password !== undefined) {
      const text = 'ssl.keystore.password has no meaning for a PEM key store: its key has ssl.key.password'
      throw new SettingError('ssl.keystore.password', text)
    }
    const text = store.bytes.toString('latin1')
    return pemIdentity(text, text, keyPassword, 'ssl.keystore.location')
  }
  const { certificates, keys } = readStore(store, path, password, keyPassword ?? password, 'ssl.keystore')
  if (keys.length === 0)
    throw new SettingError('ssl.keystore.location', `ssl.keystore.location: ${path} holds no private key`)
  const key = createPrivateKey({ key: keys[0], format: 'der', type: 'pkcs8' })
  const chain = chainOf(key, certificates.map((der) => new X509Certificate(der))) // prettier-ignore
  if (chain.length === 0) {
    throw new SettingError(
      'ssl.keystore.location',
      `ssl.keystore.location: ${path} holds no certificate for its key`,
    )
  }
  return { key: key.export({ format: 'pem', type: 'pkcs8' }).toString(), chain: chain.join('') }
}

interface OpenedStore {
  readonly bytes: Buffer
  readonly format: StoreFormat
}

async function openStore(values: SslSettings, prefix: string, path: string): Promise<OpenedStore> {
  const bytes = await values.read(path, `${prefix}.location`)
  const format = formatOf(bytes)
  const type = values.text(`${prefix}.type`)?.toUpperCase()
  if (format === undefined) {
    const isJceks = bytes.length > 4 && bytes.readUInt32BE() === JCEKS_MAGIC
    const what = isJceks
      ? 'is a JCEKS store: convert it with keytool -importkeystore -deststoretype PKCS12'
      : 'is neither PEM, PKCS12 nor JKS'
    throw new SettingError(`${prefix}.location`, `${prefix}.location: ${path} ${what}`)
  }
  if (type !== undefined && type !== 'PEM' && type !== 'PKCS12' && type !== 'JKS') {
    throw new SettingError(
      `${prefix}.type`,
      `${prefix}.type=${type} can't be honoured: ktool has PEM, PKCS12, JKS`,
    )
  }
  // Java reads its two formats under either name; PEM has to be said there, and may be here.
  if (type !== undefined && (type === 'PEM') !== (format === 'PEM')) {
    throw new SettingError(`${prefix}.type`, `${prefix}.type=${type}, but ${path} is ${format}`)
  }
  return { bytes, format }
}

function formatOf(bytes: Buffer): StoreFormat | undefined {
  if (bytes.length >= 4 && bytes.readUInt32BE() === JKS_MAGIC) return 'JKS'
  if (bytes[0] === 0x30) return 'PKCS12'
  return bytes.includes('-----BEGIN ') ? 'PEM' : undefined
}

function readStore(
  store: OpenedStore,
  path: string,
  password: string | undefined,
  keyPassword: string | undefined,
  prefix: string,
): StoreContents {
  try {
    const read = store.format === 'JKS' ? readJks : readPkcs12
    return read(store.bytes, password, keyPassword)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const key =
      error.wrong === undefined
        ? `${prefix}.location`
        : error.wrong === 'password'
          ? `${prefix}.password`
          : 'ssl.key.password'
    throw new SettingError(key, `${key}: can't open ${path}: ${error.message}`, { cause: error })
  }
}

/** Kafka takes inline PEM with type PEM only. */
function inlinePem(values: SslSettings, prefix: string, what: string, pem: string): string {
  const type = values.text(`${prefix}.type`)?.toUpperCase()
  if (type === undefined || type === 'PEM') return pem
  throw new SettingError(`${prefix}.type`, `${prefix}.${what} needs ${prefix}.type=PEM, not ${type}`)
}

function pemCertificates(text: string, key: string): string[] {
  const blocks = (text.match(CERTIFICATE_BLOCK) ?? []).map(inLines)
  if (blocks.length === 0) throw new SettingError(key, `${key}: there is no certificate in PEM format`)
  for (const block of blocks) {
    try {
      new X509Certificate(block)
    } catch (error) {
      throw new SettingError(key, `${key}: a certificate is damaged`, { cause: error })
    }
  }
  return blocks
}

/** In a properties file a PEM block often is one line, with blanks where line ends belong. */
function inLines(block: string): string {
  const match = /^(-----BEGIN [A-Z ]+-----)([^]*)(-----END [A-Z ]+-----)$/.exec(block)
  if (!match || match[2].includes(':')) return block // old headers need their lines
  return `${match[1]}\n${match[2].replace(/\s+/g, '').replace(/.{1,64}/g, '$&\n')}${match[3]}\n`
}

function pemIdentity(
  keyText: string,
  chainText: string,
  password: string | undefined,
  source: string,
): SslIdentity {
  const found = KEY_BLOCK.exec(keyText)?.[0]
  const block = found && inLines(found)
  if (block === undefined) throw new SettingError(source, `${source}: there is no private key in PEM format`)
  let key: KeyObject
  try {
    key = createPrivateKey({
      key: block,
      format: 'pem',
      ...(password !== undefined && { passphrase: password }),
    })
  } catch (error) {
    const why = password === undefined ? 'it may need ssl.key.password' : 'ssl.key.password may be wrong'
    throw new SettingError(source, `${source}: can't read the private key, ${why}`, { cause: error })
  }
  const chain = pemCertificates(chainText, source)
  if (!new X509Certificate(chain[0]).checkPrivateKey(key)) {
    throw new SettingError(source, `${source}: the private key is not the first certificate's`)
  }
  return { key: key.export({ format: 'pem', type: 'pkcs8' }).toString(), chain: `${chain.join('\n')}\n` }
}

/** The key's certificate, then its issuer, and so on, as far as the store goes. PEM. */
function chainOf(key: KeyObject, certificates: readonly X509Certificate[]): string[] {
  const chain: X509Certificate[] = []
  let next = certificates.find((certificate) => certificate.checkPrivateKey(key))
  while (next !== undefined && !chain.includes(next)) {
    const current = next
    chain.push(current)
    next = certificates.find((certificate) => current !== certificate && current.checkIssued(certificate))
  }
  return chain.map((certificate) => certificate.toString())
}

function certificatePem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`
}
