// Errors by the names of the Java classes that Apache's tools print: the first line of a stack trace is `class: message`.

import { ConfigError, ConnectError, TimeoutError } from '../../client/errors.ts'
import { KafkaError, type ErrorName } from '../../protocol/errors.ts'
import { CliError } from '../errors.ts'

/** An exception of a Java tool. */
export class JavaError extends Error {
  override readonly name = 'JavaError'
  /** With its package. */
  readonly className: string

  constructor(className: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.className = className
  }
}

export function illegalArgument(message: string): JavaError {
  return new JavaError('java.lang.IllegalArgumentException', message)
}

export function runtimeException(message: string): JavaError {
  return new JavaError('java.lang.RuntimeException', message)
}

/** Throwable.toString. */
export function throwableText(error: JavaError): string {
  return error.message === '' ? error.className : `${error.className}: ${error.message}`
}

/** What Future.get throws where the client's `call` failed with `error`. */
export function executionException(error: unknown, call?: string): JavaError {
  const cause = toJava(error, call)
  return new JavaError('java.util.concurrent.ExecutionException', throwableText(cause), { cause })
}

/** new RuntimeException(cause). */
export function wrappedInRuntime(cause: JavaError): JavaError {
  return new JavaError('java.lang.RuntimeException', throwableText(cause), { cause })
}

// Where the class (Errors.java) is not the error's name in camel case with Exception behind it, or not beside the others.
const CLASSES: Partial<Record<ErrorName, string>> = {
  UNKNOWN_SERVER_ERROR: 'UnknownServerException',
  INVALID_RECORD: 'org.apache.kafka.common.InvalidRecordException',
  CORRUPT_MESSAGE: 'CorruptRecordException',
  REQUEST_TIMED_OUT: 'TimeoutException',
  MESSAGE_TOO_LARGE: 'RecordTooLargeException',
  STALE_CONTROLLER_EPOCH: 'ControllerMovedException',
  OFFSET_METADATA_TOO_LARGE: 'OffsetMetadataTooLarge',
  RECORD_LIST_TOO_LARGE: 'RecordBatchTooLargeException',
  TOPIC_AUTHORIZATION_FAILED: 'TopicAuthorizationException',
  GROUP_AUTHORIZATION_FAILED: 'GroupAuthorizationException',
  CLUSTER_AUTHORIZATION_FAILED: 'ClusterAuthorizationException',
  TOPIC_ALREADY_EXISTS: 'TopicExistsException',
  INVALID_CONFIG: 'InvalidConfigurationException',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'OutOfOrderSequenceException',
  DUPLICATE_SEQUENCE_NUMBER: 'DuplicateSequenceException',
  INVALID_PRODUCER_ID_MAPPING: 'InvalidPidMappingException',
  INVALID_TRANSACTION_TIMEOUT: 'InvalidTxnTimeoutException',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'TransactionalIdAuthorizationException',
  KAFKA_STORAGE_ERROR: 'KafkaStorageException',
  SASL_AUTHENTICATION_FAILED: 'SaslAuthenticationException',
  DELEGATION_TOKEN_AUTH_DISABLED: 'DelegationTokenDisabledException',
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: 'UnsupportedByAuthenticationException',
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: 'DelegationTokenAuthorizationException',
  NON_EMPTY_GROUP: 'GroupNotEmptyException',
  PRINCIPAL_DESERIALIZATION_FAILURE: 'PrincipalDeserializationException',
  FETCH_SESSION_TOPIC_ID_ERROR: 'FetchSessionTopicIdException',
  INVALID_REGULAR_EXPRESSION: 'InvalidRegularExpression',
}

/** `org.apache.kafka.common.errors.…` of one of Kafka's errors. */
function classOf(error: ErrorName): string {
  const camel = error
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')
  const name = CLASSES[error] ?? (camel.endsWith('Exception') ? camel : `${camel}Exception`)
  return name.includes('.') ? name : `org.apache.kafka.common.errors.${name}`
}

/** The exception that Java's client throws where ours throws `error`. `call`: the admin call it happened in, for time-outs. */
export function toJava(error: unknown, call?: string): JavaError {
  if (error instanceof JavaError) return error
  if (error instanceof CliError && error.cause !== undefined) return toJava(error.cause, call)
  if (error instanceof KafkaError) return new JavaError(classOf(error.error), messageOf(error), { cause: error })
  if (error instanceof ConnectError && !error.retriable) return connectException(error)
  if (error instanceof ConnectError || error instanceof TimeoutError) {
    const text = call === undefined ? error.message : `Timed out waiting for a node assignment. Call: ${call}`
    return new JavaError('org.apache.kafka.common.errors.TimeoutException', text, { cause: error })
  }
  if (error instanceof ConfigError) {
    return new JavaError('org.apache.kafka.common.config.ConfigException', error.message, { cause: error })
  }
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT' && 'path' in error) {
    return new JavaError('java.nio.file.NoSuchFileException', String(error.path), { cause: error })
  }
  if (!(error instanceof Error)) return runtimeException(String(error))
  return new JavaError(`ktool.${error.name}`, error.message, { cause: error })
}

/** Files.newInputStream: for the one that `error` comes from. Undefined where the file could be read and is wrong otherwise. */
export function unreadableFile({ cause }: ConfigError, path: string): JavaError | undefined {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOENT') return new JavaError('java.nio.file.NoSuchFileException', path, { cause })
  if (code === 'EISDIR') return new JavaError('java.io.IOException', 'Is a directory', { cause })
  return code === 'EACCES' ? new JavaError('java.nio.file.AccessDeniedException', path, { cause }) : undefined
}

/** Our client has its own text for an API that a broker lacks. */
function messageOf({ error, message }: KafkaError): string {
  const api = error === 'UNSUPPORTED_VERSION' ? /^The broker \S+ does not support (\w+)\.$/.exec(message)?.[1] : undefined
  return api === undefined ? message : `The node does not support ${api.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`
}

function connectException(error: ConnectError): JavaError {
  const isLogin = /^(sasl|authentication)/.test(error.reason)
  const className = isLogin ? 'SaslAuthenticationException' : 'SslAuthenticationException'
  return new JavaError(`org.apache.kafka.common.errors.${className}`, `${error.message} ${error.hint}`.trim(), { cause: error })
}

/** As `called`, where the tool doesn't look into the ExecutionException of a future. */
export async function awaited<T>(call: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw executionException(error, call)
  }
}

/** What `work` gives; what it fails with becomes the exception of the Java client's `call`. */
export async function called<T>(call: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toJava(error, call)
  }
}
