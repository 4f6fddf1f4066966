// What a face of one of Apache's tools is: words in, text on two streams and an exit code out. A face prints as it goes and
// ends early by throwing: FaceExit where the tool ends itself, JavaError for an exception that the tool doesn't catch.
// Frames of stack traces are left out; the first line of a trace is Java's.

import { throwableText, toJava } from './java-errors.ts'

export interface FaceIo {
  /** System.out and System.err. */
  out(text: string): void
  err(text: string): void
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
}

/** Gives the exit code. */
export type Face = (argv: readonly string[], io: FaceIo) => Promise<number>

/** The tool ends here: Exit.exit(code), with what it has left to say. */
export class FaceExit extends Error {
  override readonly name = 'FaceExit'
  readonly code: number
  readonly out: string
  readonly err: string

  constructor(code: number, said: { readonly out?: string; readonly err?: string } = {}) {
    super(said.err ?? said.out ?? `exit ${code}`)
    this.code = code
    this.out = said.out ?? ''
    this.err = said.err ?? ''
  }
}

/** The first line of an exception's stack trace, with its line break. */
export function traceOf(error: unknown): string {
  return `${throwableText(toJava(error))}\n`
}

/** What most tools do with an exception that reaches their main: its message, then its trace, on System.err. */
export function printTrace(io: FaceIo, error: unknown): void {
  io.err(`${toJava(error).message}\n${traceOf(error)}\n`)
}

/** Runs a face to its end. Rejects for defects of ours only. */
export async function runFace(face: Face, argv: readonly string[], io: FaceIo): Promise<number> {
  try {
    return await face(argv, io)
  } catch (error) {
    if (error instanceof FaceExit) {
      if (error.out !== '') io.out(error.out)
      if (error.err !== '') io.err(error.err)
      return error.code
    }
    io.err(`Exception in thread "main" ${traceOf(error)}`)
    return 1
  }
}
