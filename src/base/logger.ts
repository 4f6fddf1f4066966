// The log of a long-lived process: one line an event, on a sink of the caller's choice.
// Text from clients and disks is made printable and cut, so that it can't forge lines or colours.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Logger {
  /** Lines below it are left out. May be changed at any time. */
  level?: LogLevel
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
const LONGEST_LINE = 2000

/** A logger that writes `2026-11-21T14:00:00.000Z INFO message` lines at or above `level` to `sink`. */
export function createLogger(sink: (line: string) => void, now: () => number, level: LogLevel = 'info'): Logger {
  const write = (at: LogLevel) => (message: string) => {
    if (LEVELS.indexOf(at) < LEVELS.indexOf(logger.level ?? level)) return
    sink(`${new Date(now()).toISOString()} ${at.toUpperCase()} ${printable(message).slice(0, LONGEST_LINE)}\n`)
  }
  const logger: Logger = { level, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  return logger
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** An error for the log: with its stack, where it has one. */
export function withStack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** `text` with control characters, bidirectional overrides and zero-width characters shown as escapes. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
