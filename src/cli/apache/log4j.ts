// Log lines as Apache's tools print them on stderr (tools-log4j2.yaml: warnings and above).

import { systemClock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { FaceIo } from './face.ts'

export type Log4jLevel = 'INFO' | 'WARN' | 'ERROR'

/** `logger` is the Java class that speaks. Text may have several lines: a stack trace ends with a line break. */
export function logLine(io: FaceIo, level: Log4jLevel, text: string, logger: string): void {
  io.err(`[${timestamp(systemClock.now())}] ${level} ${text} (${logger})\n`)
}

/** What our client has to say, as if Java's network client said it. */
export function clientLogger(io: FaceIo, clientId: string): Logger {
  const write = (level: Log4jLevel) => (text: string) => logLine(io, level, `[${clientId}] ${text}`, 'org.apache.kafka.clients.NetworkClient')
  return { debug() {}, info() {}, warn: write('WARN'), error: write('ERROR') }
}

function timestamp(at: number): string {
  const date = new Date(at)
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time},${String(date.getMilliseconds()).padStart(3, '0')}`
}
