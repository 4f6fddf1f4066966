// Every client property of Apache Kafka 4.3 (AdminClientConfig, ProducerConfig, ConsumerConfig) and what it
// means here: a typed value, a few words that can be honoured, or a hint without effect on what a user sees.
// Defaults are Kafka's unless a comment says otherwise.

import { ConfigError } from './errors.ts'

export type Rule =
  | { readonly kind: 'int'; readonly fallback: number; readonly min: number; readonly max: number }
  | { readonly kind: 'bool'; readonly fallback: boolean }
  | {
      readonly kind: 'choice'
      readonly fallback: string
      readonly choices: readonly string[]
      readonly caseless: boolean
    }
  | { readonly kind: 'text' } // no default
  // Only these values (lower case) can be honoured; `why` ends the sentence for all others.
  | { readonly kind: 'only'; readonly values: readonly string[]; readonly why: string }

const INT_MAX = 2 ** 31 - 1

const int = (fallback: number, min = 0, max = INT_MAX): Rule => ({ kind: 'int', fallback, min, max })
const long = (fallback: number, min = 0): Rule => ({
  kind: 'int',
  fallback,
  min,
  max: Number.MAX_SAFE_INTEGER,
})
const bool = (fallback: boolean): Rule => ({ kind: 'bool', fallback })
const choice = (fallback: string, ...choices: string[]): Rule => ({
  kind: 'choice',
  fallback,
  choices,
  caseless: false,
})
const word = (fallback: string, ...choices: string[]): Rule => ({
  kind: 'choice',
  fallback,
  choices,
  caseless: true,
})
const only = (why: string, ...values: string[]): Rule => ({ kind: 'only', values, why })
const text: Rule = { kind: 'text' }
const number = text // of a feature that is not in use when it is allowed: nothing to check it against

const JAVA_CLASS = 'ktool runs no Java classes'
const BYTES_ONLY =
  'ktool has no Java serializers: records are bytes, or text (String and ByteArray say the same)'
const SERIALIZERS = ['String', 'ByteArray', 'Bytes', 'ByteBuffer'].flatMap((type) =>
  ['', 'de'].map((way) => `org.apache.kafka.common.serialization.${type}${way}serializer`.toLowerCase()),
)

// prettier-ignore
export const CONFIG_KEYS: Readonly<Record<string, Rule>> = {
  'bootstrap.servers': text,
  'client.id': text,

  // security
  'security.protocol': word('PLAINTEXT', 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
  'sasl.mechanism': text,
  'sasl.jaas.config': text,
  'ssl.truststore.location': text,
  'ssl.truststore.password': text,
  'ssl.truststore.type': text,
  'ssl.truststore.certificates': text,
  'ssl.keystore.location': text,
  'ssl.keystore.password': text,
  'ssl.keystore.type': text,
  'ssl.keystore.key': text,
  'ssl.keystore.certificate.chain': text,
  'ssl.key.password': text,
  'ssl.endpoint.identification.algorithm': word('https', 'https', ''),
  'ssl.enabled.protocols': text,
  'ssl.protocol': choice('TLSv1.3', 'TLSv1.3', 'TLSv1.2', 'TLS'),
  'ssl.cipher.suites': only('Node.js chooses the cipher suites', ''),
  'ssl.engine.factory.class': only(JAVA_CLASS, ''),
  'ssl.provider': only('TLS comes from Node.js', '', 'sunjsse'),
  'ssl.keymanager.algorithm': only('TLS comes from Node.js', 'sunx509', 'newsunx509', 'pkix'),
  'ssl.trustmanager.algorithm': only('TLS comes from Node.js', 'pkix', 'sunx509'),
  'ssl.secure.random.implementation': text, // Node's is always a secure one
  'security.providers': only(JAVA_CLASS, ''),
  'sasl.client.callback.handler.class': only(JAVA_CLASS, ''),
  'sasl.login.callback.handler.class': only(JAVA_CLASS, ''),
  'sasl.login.class': only(JAVA_CLASS, ''),
  // Of mechanisms that are refused; Kafka, too, reads them with their mechanism only.
  'sasl.kerberos.kinit.cmd': text,
  'sasl.kerberos.min.time.before.relogin': number,
  'sasl.kerberos.service.name': text,
  'sasl.kerberos.ticket.renew.jitter': number,
  'sasl.kerberos.ticket.renew.window.factor': number,
  ...Object.fromEntries(
    [
      'assertion.algorithm', 'assertion.claim.aud', 'assertion.claim.exp.seconds', 'assertion.claim.iss',
      'assertion.claim.jti.include', 'assertion.claim.nbf.seconds', 'assertion.claim.sub', 'assertion.file',
      'assertion.private.key.file', 'assertion.private.key.passphrase', 'assertion.template.file',
      'client.credentials.client.id', 'client.credentials.client.secret', 'clock.skew.seconds', 'expected.audience',
      'expected.issuer', 'header.urlencode', 'jwks.endpoint.refresh.ms', 'jwks.endpoint.retry.backoff.max.ms',
      'jwks.endpoint.retry.backoff.ms', 'jwks.endpoint.url', 'jwt.retriever.class', 'jwt.validator.class', 'scope',
      'scope.claim.name', 'sub.claim.name', 'token.endpoint.url',
    ].map((name) => [`sasl.oauthbearer.${name}`, text]),
  ),
  'sasl.login.connect.timeout.ms': number,
  'sasl.login.read.timeout.ms': number,
  'sasl.login.refresh.buffer.seconds': number,
  'sasl.login.refresh.min.period.seconds': number,
  'sasl.login.refresh.window.factor': number,
  'sasl.login.refresh.window.jitter': number,
  'sasl.login.retry.backoff.max.ms': number,
  'sasl.login.retry.backoff.ms': number,

  // connections
  'request.timeout.ms': int(30_000),
  'default.api.timeout.ms': int(60_000),
  'retries': int(INT_MAX),
  'retry.backoff.ms': long(100),
  'retry.backoff.max.ms': long(1_000),
  'reconnect.backoff.ms': long(50),
  'reconnect.backoff.max.ms': long(1_000),
  // Kafka: 10 s, growing to 30 s. A person waits in front of a command, and a reason has to be found after
  // it.
  'socket.connection.setup.timeout.ms': long(3_500, 1),
  'socket.connection.setup.timeout.max.ms': long(30_000),
  'connections.max.idle.ms': long(540_000, -1),
  'metadata.max.age.ms': long(300_000),
  'metadata.max.idle.ms': long(300_000, 5_000),
  'metadata.recovery.strategy': only('a client that lost all brokers goes back to bootstrap.servers', 'rebootstrap'),
  'metadata.recovery.rebootstrap.trigger.ms': long(300_000),
  'client.dns.lookup': only('all addresses of a name are tried, none is looked up backwards', 'use_all_dns_ips'),
  'send.buffer.bytes': int(131_072, -1), // sizes that Node leaves to the operating system
  'receive.buffer.bytes': int(65_536, -1),
  'bootstrap.controllers': only('ktool talks to brokers; give bootstrap.servers', ''),

  // about the client itself, not about what it does
  'config.providers': only(JAVA_CLASS, ''),
  'interceptor.classes': only(JAVA_CLASS, ''),
  'metric.reporters': only(JAVA_CLASS, '', 'org.apache.kafka.common.metrics.jmxreporter'),
  'auto.include.jmx.reporter': bool(true), // until Kafka 3.9
  'metrics.num.samples': int(2, 1),
  'metrics.recording.level': word('INFO', 'INFO', 'DEBUG', 'TRACE'),
  'metrics.sample.window.ms': long(30_000),
  'enable.metrics.push': bool(true), // brokers ask for metrics, clients may have none
  'key.serializer': only(BYTES_ONLY, ...SERIALIZERS),
  'value.serializer': only(BYTES_ONLY, ...SERIALIZERS),
  'key.deserializer': only(BYTES_ONLY, ...SERIALIZERS),
  'value.deserializer': only(BYTES_ONLY, ...SERIALIZERS),

  // producer
  'acks': choice('all', 'all', '-1', '0', '1'),
  'linger.ms': long(5),
  'batch.size': int(16_384),
  'buffer.memory': long(33_554_432),
  'compression.type': choice('none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'),
  'compression.gzip.level': int(-1, -1, 9),
  'compression.lz4.level': int(9, 1, 17),
  'compression.zstd.level': int(3, -131_072, 22),
  'enable.idempotence': bool(true),
  'max.request.size': int(1_048_576),
  'max.in.flight.requests.per.connection': int(5, 1),
  'max.block.ms': long(60_000),
  'delivery.timeout.ms': int(120_000),
  'partitioner.class': only(
    `${JAVA_CLASS}, and of Kafka's own it has DefaultPartitioner, UniformStickyPartitioner and RoundRobinPartitioner`, '',
    'org.apache.kafka.clients.producer.internals.defaultpartitioner',
    'org.apache.kafka.clients.producer.uniformstickypartitioner',
    'org.apache.kafka.clients.producer.roundrobinpartitioner',
  ),
  'partitioner.ignore.keys': bool(false),
  'partitioner.adaptive.partitioning.enable': bool(true), // which partition a record without a key goes to is free
  'partitioner.availability.timeout.ms': long(0),
  'transactional.id': text,
  'transaction.timeout.ms': int(60_000),
  'transaction.two.phase.commit.enable': only('transactions end with the producer that began them', 'false'),

  // consumer
  'group.id': text,
  'group.instance.id': text,
  'group.protocol': word('classic', 'classic', 'consumer'),
  'group.remote.assignor': text,
  'partition.assignment.strategy': text,
  'auto.offset.reset': text,
  'enable.auto.commit': bool(true),
  'auto.commit.interval.ms': int(5_000),
  'isolation.level': choice('read_uncommitted', 'read_uncommitted', 'read_committed'),
  'fetch.min.bytes': int(1),
  'fetch.max.bytes': int(52_428_800),
  'fetch.max.wait.ms': int(500),
  'max.partition.fetch.bytes': int(1_048_576),
  'max.poll.records': int(500, 1),
  'max.poll.interval.ms': int(300_000, 1),
  'session.timeout.ms': int(45_000),
  'heartbeat.interval.ms': int(3_000),
  'check.crcs': bool(true),
  'allow.auto.create.topics': bool(true),
  'exclude.internal.topics': bool(true),
  'client.rack': text,
  'share.acknowledgement.mode': only('share consumers acknowledge what they printed', 'implicit'),
  'share.acquire.mode': only('share consumers take whole batches', 'batch_optimized'),
  'internal.throw.on.fetch.stable.offset.unsupported': bool(false),
}

/** Whether there is such a client property, or was: what can't be honoured counts. */
export function isKnownKey(key: string): boolean {
  return Object.hasOwn(CONFIG_KEYS, key)
}

/** Properties checked against CONFIG_KEYS; values by key, defaults included. */
export class CheckedProperties {
  readonly #given: ReadonlyMap<string, string>

  /** Throws ConfigError for the first key that is unknown, wrong, or can't be honoured. */
  constructor(given: ReadonlyMap<string, string>) {
    this.#given = given
    for (const [key, value] of given) check(key, value.trim())
  }

  int(key: string): number {
    const rule = CONFIG_KEYS[key]
    const value = this.#given.get(key)
    if (value !== undefined) return Number(value)
    return rule.kind === 'int' ? rule.fallback : NaN
  }

  bool(key: string): boolean {
    const rule = CONFIG_KEYS[key]
    const value = this.#given.get(key)
    if (value !== undefined) return value.trim().toLowerCase() === 'true'
    return rule.kind === 'bool' && rule.fallback
  }

  /** One of the rule's choices, spelled as there. */
  choice(key: string): string {
    const rule = CONFIG_KEYS[key]
    if (rule.kind !== 'choice') return ''
    const value = this.#given.get(key)?.trim()
    return value === undefined ? rule.fallback : (findChoice(rule, value) ?? rule.fallback)
  }

  /** Trimmed; undefined when left out or empty. */
  text(key: string): string | undefined {
    return this.#given.get(key)?.trim() || undefined
  }

  /** As given, for passwords; undefined when left out. */
  secret(key: string): string | undefined {
    return this.#given.get(key)
  }

  /** Comma-separated; empty when left out. */
  list(key: string): string[] {
    return (this.#given.get(key) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  }
}

function check(key: string, value: string): void {
  const rule = Object.hasOwn(CONFIG_KEYS, key) ? CONFIG_KEYS[key] : undefined
  if (rule === undefined) throw new ConfigError(key, unknownKeyText(key))
  switch (rule.kind) {
    case 'int': {
      const { min, max } = rule
      if (/^[-+]?\d+$/.test(value) && Number(value) >= min && Number(value) <= max) return
      const range =
        max === INT_MAX || max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`
      throw new ConfigError(key, `${key}=${value} is not a whole number ${range}`)
    }
    case 'bool':
      if (/^(true|false)$/i.test(value)) return
      throw new ConfigError(key, `${key}=${value} is neither true nor false`)
    case 'choice':
      if (findChoice(rule, value) !== undefined) return
      throw new ConfigError(key, `${key}=${value} is not one of ${rule.choices.filter(Boolean).join(', ')}`)
    case 'only':
      for (const item of value.split(',')) {
        if (rule.values.includes(item.trim().toLowerCase())) continue
        throw new ConfigError(key, `${key}=${value} can't be honoured: ${rule.why}`)
      }
      return
    case 'text':
  }
}

function findChoice(rule: Rule & { kind: 'choice' }, value: string): string | undefined {
  if (!rule.caseless) return rule.choices.find((choice) => choice === value)
  return rule.choices.find((choice) => choice.toLowerCase() === value.toLowerCase())
}

/** A key is often a known one with a typing mistake, or with the prefix that Connect and others use. */
function unknownKeyText(key: string): string {
  const known = Object.keys(CONFIG_KEYS)
  const meant =
    known.find((name) => key.endsWith(`.${name}`)) ??
    known.find((name) => name.length > 6 && isOneEditApart(name, key))
  return `${key} is not a client property of Kafka${meant ? `: is ${meant} meant?` : ''}`
}

function isOneEditApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  return Math.max(a.length, b.length) - start - end <= (a.length === b.length ? 2 : 1)
}
