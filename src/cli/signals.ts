// Ctrl-C and termination of a command that streams: the first asks it to come to an end, a second one ends it at once.

import { ExitCode } from './errors.ts'

export interface Signals {
  /** The code to exit with once a signal came. */
  readonly exitCode: number | undefined
  /** Signals do again what they do without us. */
  release(): void
}

/** Calls `stop` at the first SIGINT or SIGTERM. */
export function onSignals(stop: () => void): Signals {
  let exitCode: number | undefined
  const on = (code: number) => () => {
    release()
    exitCode = code
    stop()
  }
  const interrupt = on(ExitCode.interrupted)
  const terminate = on(ExitCode.terminated)
  const release = (): void => {
    process.removeListener('SIGINT', interrupt)
    process.removeListener('SIGTERM', terminate)
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', terminate)
  return {
    get exitCode() {
      return exitCode
    },
    release,
  }
}
