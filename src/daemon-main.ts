// `ktool broker run`: the flags become the daemon's options, and the daemon takes the process. When a command started us in the
// background, it waits at the other end of the IPC channel for one StartReport.

import { ConfigError } from './broker/config/broker-configs.ts'
import { runDaemon } from './broker/daemon.ts'
import { MetadataLogError } from './broker/metadata/replay.ts'
import { diskStartError, StartError } from './broker/start-error.ts'
import { brokerSettings, parseBrokerFlags } from './cli/broker-flags.ts'
import { clientAddress, runningBrokers } from './cli/control.ts'
import { CliError, ExitCode, failureOf, operationError } from './cli/errors.ts'
import { askedFormat, Output } from './cli/output.ts'
import { localPaths } from './cli/paths.ts'
import type { StartReport } from './cli/start-report.ts'
import { DiskError } from './storage/disk.ts'
import { LogStoreError } from './storage/log-store.ts'

export { serverStart } from './server-start.ts'

export async function main(argv: readonly string[]): Promise<void> {
  try {
    const settings = await brokerSettings(parseBrokerFlags(argv), localPaths(process.env).dataDirectory)
    process.exitCode = await runDaemon({ ...settings, onReady: (ready, warnings) => report({ ready, warnings }) })
  } catch (error) {
    const failure = failureOf(await startFailure(error))
    const { code, message, hint, exitCode } = failure
    new Output(process, askedFormat(argv)).fail(failure)
    report({ failed: { code, message, hint, exitCode } })
    process.exitCode = failure.exitCode
  }
}

const START_ERRORS = [StartError, LogStoreError, MetadataLogError, DiskError]

/** The daemon's own errors say in their message what to do; here they get a code and an exit code. */
async function startFailure(error: unknown): Promise<unknown> {
  if (error instanceof ConfigError) return new CliError({ code: 'CONFIG', message: error.message, exitCode: ExitCode.usage }, error)
  const isKnown = START_ERRORS.some((kind) => error instanceof kind)
  if (!isKnown) return error
  const { message } = error instanceof DiskError ? diskStartError(error) : (error as Error)
  const port = /\bport (\d+) is in use\b/.exec(message)?.[1]
  if (port === undefined) return operationError('BROKER_NOT_STARTED', message)
  const free = '`ktool broker start --port 0` takes any free one'
  const running = await runningBrokers(localPaths(process.env).runtimeDirectory)
  const holder = running.find(({ listeners }) => listeners.some((listener) => listener.port === Number(port)))
  if (holder === undefined) return operationError('BROKER_NOT_STARTED', message, free)
  const { dataDirectory, pid } = holder
  const what = `port ${port} is in use: the ktool broker on ${dataDirectory} (pid ${pid}) listens there`
  const hint = `take that one with -b ${clientAddress(holder)}, or stop it with \`ktool broker stop --data-dir ${dataDirectory}\`; ${free}`
  return operationError('BROKER_NOT_STARTED', what, hint)
}

function report(message: StartReport): void {
  // The starter goes away as soon as it has read this; the channel must not keep us alive, nor its end stop us.
  process.send?.(message, undefined, undefined, () => {
    if (process.connected) process.disconnect()
  })
}
