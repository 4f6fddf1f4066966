// `ktool broker run`: the flags become the daemon's options, and the daemon takes the process. When a command started us in the
// background, it waits at the other end of the IPC channel for one StartReport.

import { runDaemon } from './broker/daemon.ts'
import type { BrokerStatus } from './base/control-messages.ts'
import { brokerSettings, parseBrokerFlags } from './cli/broker-flags.ts'
import { failureOf } from './cli/errors.ts'
import { askedFormat, Output } from './cli/output.ts'
import { localPaths } from './cli/paths.ts'
import type { StartReport } from './cli/start-report.ts'

export async function main(argv: readonly string[]): Promise<void> {
  try {
    const settings = await brokerSettings(parseBrokerFlags(argv), localPaths(process.env).dataDirectory)
    process.exitCode = await runDaemon({ ...settings, onReady: (ready: BrokerStatus) => report({ ready }) })
  } catch (error) {
    const failure = failureOf(error)
    const { code, message, hint, exitCode } = failure
    new Output(process, askedFormat(argv)).fail(failure)
    report({ failed: { code, message, hint, exitCode } })
    process.exitCode = failure.exitCode
  }
}

function report(message: StartReport): void {
  // The starter goes away as soon as it has read this; the channel must not keep us alive, nor its end stop us.
  process.send?.(message, undefined, undefined, () => {
    if (process.connected) process.disconnect()
  })
}
