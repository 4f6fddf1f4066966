// The bundled broker of this machine: started in the background, found again, and started by itself where a command may.
// Two starts at once give one broker: the second waits on the first one's lock. The lock names a process; a dead one's is void.

import { spawn } from 'node:child_process'
import { link, mkdir, open, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { controlSocketName, type BrokerStatus } from '../base/control-messages.ts'
import { askDaemon, clientAddress, STATUS_TIMEOUT_MS } from './control.ts'
import { CliError, ExitCode, operationError } from './errors.ts'
import { brokerLogFile, type LocalPaths } from './paths.ts'
import type { StartReport } from './start-report.ts'

export interface StartResult {
  readonly status: BrokerStatus
  /** False when it ran already. */
  readonly started: boolean
  /** What the broker warned of while it started: text for people. */
  readonly warnings: readonly string[]
}

// A start recovers the logs first, which can take a while after a crash. The child's end ends the wait, too.
const START_TIMEOUT_MS = 300_000
const POLL_MS = 25

/** Why no broker may be started by itself: the variable that says so. */
export function autoStartForbidden(env: NodeJS.ProcessEnv): string | undefined {
  if (env.KTOOL_AUTO_START === '0') return 'KTOOL_AUTO_START=0'
  return ['KTOOL_COMMAND_CONFIG', 'KAFKA_BOOTSTRAP_SERVERS', 'BOOTSTRAP_SERVERS', 'KAFKA_BROKERS'].find((name) => env[name])
}

export async function autoStart(paths: LocalPaths, env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<BrokerStatus> {
  const { status, started } = await startInBackground(paths, env, paths.dataDirectory, [])
  if (started) {
    say(`started the bundled broker on ${clientAddress(status)} (data in ${status.dataDirectory}; stop it with \`ktool broker stop\`)`)
  }
  return status
}

/** The broker on `dataDirectory`, or undefined when none runs there. */
export async function brokerOn(paths: LocalPaths, dataDirectory: string): Promise<BrokerStatus | undefined> {
  const reply = await askDaemon(await socketPath(paths, dataDirectory), { command: 'status' }, STATUS_TIMEOUT_MS)
  return reply?.ok ? reply.status : undefined
}

/** Asks the broker on `dataDirectory` for a clean stop, and waits for it. */
export async function requestStop(paths: LocalPaths, dataDirectory: string, timeoutMs: number): Promise<void> {
  const reply = await askDaemon(await socketPath(paths, dataDirectory), { command: 'stop' }, timeoutMs)
  if (reply !== undefined && !reply.ok) throw operationError('STOP_FAILED', `the broker did not stop: ${reply.message}`)
}

/**
 * Resolves when the broker answers; what kept it from starting is the error. `flags` are those of `broker run`.
 * Without a data directory it is one that makes its own, and nobody else can be starting the same.
 */
export async function startInBackground(
  paths: LocalPaths,
  env: NodeJS.ProcessEnv,
  dataDirectory: string | undefined,
  flags: readonly string[],
): Promise<StartResult> {
  await mkdir(paths.runtimeDirectory, { recursive: true, mode: 0o700 })
  if (dataDirectory === undefined) {
    return await spawnBroker(env, join(paths.stateDirectory, 'broker-ephemeral.log'), flags)
  }
  const lock = (await socketPath(paths, dataDirectory)).replace(/sock$/, 'start')
  const deadline = systemClock.monotonic() + START_TIMEOUT_MS
  while (!(await takeLock(lock))) {
    if (systemClock.monotonic() > deadline) {
      throw new CliError({ code: 'START_TIMEOUT', message: 'another start of the broker does not end', exitCode: ExitCode.failed })
    }
    await pause()
  }
  try {
    const running = await brokerOn(paths, dataDirectory)
    if (running !== undefined) return { status: running, started: false, warnings: [] }
    return await spawnBroker(env, brokerLogFile(paths, dataDirectory), flags)
  } finally {
    await rm(lock, { force: true })
  }
}

/** Directories that don't exist yet have no real path; the daemon makes them and finds the same name. */
export async function realDirectory(dataDirectory: string): Promise<string> {
  return realpath(dataDirectory).catch(() => resolve(dataDirectory))
}

async function socketPath(paths: LocalPaths, dataDirectory: string): Promise<string> {
  return join(paths.runtimeDirectory, controlSocketName(await realDirectory(dataDirectory)))
}

async function spawnBroker(env: NodeJS.ProcessEnv, logFile: string, flags: readonly string[]): Promise<StartResult> {
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 })
  const log = await open(logFile, 'a', 0o600)
  try {
    const main = process.argv[1] ?? ''
    const child = spawn(process.execPath, [main, 'broker', 'run', ...flags, '--log-file', logFile], {
      detached: true,
      cwd: '/',
      env,
      // A child that kept our stdout would hang `$(ktool broker start)`.
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    })
    const report = await new Promise<StartReport>((resolve, reject) => {
      child.once('message', (message) => resolve(message as StartReport))
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        const message = `the broker ended while it started (${signal ?? `exit code ${code ?? '?'}`})`
        reject(operationError('BROKER_NOT_STARTED', message, `see ${logFile}`))
      })
    })
    if ('failed' in report) throw new CliError(report.failed)
    child.disconnect()
    child.unref()
    return { status: report.ready, started: true, warnings: report.warnings }
  } finally {
    await log.close()
  }
}

/** Starts ktool with these words (the path it is called by comes first) and lets it go; what it says goes to `logFile`. */
export async function startDetached(words: readonly string[], env: NodeJS.ProcessEnv, logFile: string): Promise<void> {
  await mkdir(dirname(logFile), { recursive: true })
  const log = await open(logFile, 'w')
  try {
    const child = spawn(process.execPath, [...words], { detached: true, env, stdio: ['ignore', log.fd, log.fd] })
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    child.unref()
  } finally {
    await log.close()
  }
}

async function takeLock(path: string): Promise<boolean> {
  const own = `${path}.${process.pid}`
  await writeFile(own, `${process.pid}\n`, { mode: 0o600 })
  try {
    await link(own, path) // atomic, and the file is never seen without its content
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = Number(await readFile(path, 'utf8').catch(() => '0'))
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true })
    return false
  } finally {
    await rm(own, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => systemClock.after(POLL_MS, resolve, true))
}
