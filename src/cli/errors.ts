// What went wrong, as one line for a person and one object for a program, and the exit code that goes with it.
// Every error that leaves a command passes failureOf(); anything it doesn't know is a defect of ours and says so.

import { stripVTControlCharacters } from 'node:util'
import { ConfigError, ConnectError, TimeoutError } from '../client/errors.ts'
import { KafkaError, ProtocolError, type ErrorName } from '../protocol/errors.ts'

/** The same for every command (DECISIONS.md, Exit codes). */
export const ExitCode = { done: 0, failed: 1, usage: 2, unreachable: 3, unmet: 4, interrupted: 130, terminated: 143 } as const

export interface Failure {
  /** For programs: Kafka's error name where there is one. */
  readonly code: string
  readonly message: string
  /** What to do about it: a clause that goes on from the message, or sentences of its own. */
  readonly hint: string | null
  readonly exitCode: number
}

/** A failure that a command names itself. */
export class CliError extends Error implements Failure {
  override readonly name = 'CliError'
  readonly code: string
  readonly hint: string | null
  readonly exitCode: number

  constructor(failure: { code: string; message: string; exitCode: number; hint?: string | null | undefined }, cause?: unknown) {
    super(failure.message, { cause })
    this.code = failure.code
    this.hint = failure.hint ?? null
    this.exitCode = failure.exitCode
  }
}

/** A mistake in the command line or in a configuration: exit 2. */
export function usageError(message: string, hint?: string | null): CliError {
  return new CliError({ code: 'USAGE', message, hint, exitCode: ExitCode.usage })
}

/** The operation was tried and failed: exit 1. */
export function operationError(code: string, message: string, hint?: string | null): CliError {
  return new CliError({ code, message, hint, exitCode: ExitCode.failed })
}

/** An expectation or a deadline was not met: exit 4. */
export function expectationError(code: string, message: string, hint?: string | null): CliError {
  return new CliError({ code, message, hint, exitCode: ExitCode.unmet })
}

const LOGIN_ERRORS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
])

export function failureOf(error: unknown): Failure {
  if (error instanceof CliError) {
    const { code, message, hint, exitCode } = error // plain: an error's message is lost when it is spread
    return { code, message, hint, exitCode }
  }
  if (error instanceof ConnectError) {
    const code = error.reason.replace(/[A-Z]/g, '_$&').toUpperCase()
    return { code, message: error.message, hint: error.hint || null, exitCode: ExitCode.unreachable }
  }
  if (error instanceof TimeoutError) {
    return { code: 'TIMEOUT', message: error.message, hint: null, exitCode: ExitCode.unreachable }
  }
  if (error instanceof KafkaError) {
    const exitCode = LOGIN_ERRORS.has(error.error) ? ExitCode.unreachable : ExitCode.failed
    return { code: error.error, message: error.message, hint: null, exitCode }
  }
  if (error instanceof ProtocolError) {
    const hint = 'It answers, but not as a Kafka broker does.'
    return { code: 'PROTOCOL', message: error.message, hint, exitCode: ExitCode.unreachable }
  }
  if (error instanceof ConfigError) {
    return { code: 'CONFIG', message: error.message, hint: null, exitCode: ExitCode.usage }
  }
  if (!(error instanceof Error)) return defect(String(error))
  if (error.name === 'ExitPromptError') {
    // inquirer: Ctrl-C, or the terminal went away
    return { code: 'INTERRUPTED', message: 'interrupted', hint: null, exitCode: ExitCode.interrupted }
  }
  if (isParseError(error)) return parseFailure(error)
  return isSystemError(error) ? systemFailure(error) : defect(error.message)
}

/** What became of one of several things, in JSON. */
export function errorJson(error: CliError | null): object | null {
  return error && { code: error.code, message: error.message, hint: error.hint }
}

/** One line, whatever the message brought along. */
export function failureLine(failure: Failure): string {
  const message = oneLine(failure.message)
  if (failure.hint === null) return message
  const hint = oneLine(failure.hint)
  const sentence = message.replace(/\.$/, '')
  return /^[A-Z]/.test(hint) ? `${sentence}. ${hint}` : `${sentence}; ${hint}`
}

function defect(message: string): Failure {
  const hint = 'this is a defect in ktool; KTOOL_DEBUG=1 shows where'
  return { code: 'INTERNAL', message: `unexpected: ${message}`, hint, exitCode: ExitCode.failed }
}

/** What a file, a disk or the machine refused, as Node tells it: `ENOTDIR: not a directory, scandir '/x'`. */
function systemFailure({ code, message, syscall = '', path }: NodeJS.ErrnoException): Failure {
  const why = /^E\w+: (.*?),/.exec(message)?.[1] ?? message
  return { code: code ?? 'SYSTEM', message: `${path ?? syscall}: ${why} (${code ?? ''})`, hint: null, exitCode: ExitCode.failed }
}

function isSystemError(error: Error): error is NodeJS.ErrnoException {
  return 'syscall' in error && 'errno' in error
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*[\r\n]+\s*/g, ' ')
}

// oclif's own errors carry `oclif`. Their texts are fit for people once the advice and the line breaks are gone.
function isParseError(error: Error): boolean {
  return 'oclif' in error
}

function parseFailure(error: Error): Failure {
  // On a terminal oclif dims its texts.
  const message = oneLine(stripVTControlCharacters(error.message).replace(/\s*See more help with --help\s*/g, ''))
    .replace(/^Parsing (--\S+) Expected (.*)$/, '$1 takes $2')
    .replace(/^Parsing (--\S+) /, '$1: ')
    .replace(/^Expected (--[^=\s]+)=(.*) to be one of: /, "$1 is '$2', but must be one of ")
    .replace(/^Flag (--\S+) /, '$1 ')
    .replace(/^The following errors? occurred: /, '')
    .replace(/^Missing required flag (\S+)$/, '--$1 is missing')
  return { code: 'USAGE', message, hint: null, exitCode: ExitCode.usage }
}
