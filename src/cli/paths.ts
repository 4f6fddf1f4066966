// Where ktool keeps things on this machine, by the XDG base directories. Nothing here touches the disk.

import { tmpdir, homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { controlSocketName, runtimeDirectory } from '../base/control-messages.ts'

export interface LocalPaths {
  /** Of the bundled broker, when none is named. */
  readonly dataDirectory: string
  /** Control sockets and start locks. */
  readonly runtimeDirectory: string
  /** Logs. */
  readonly stateDirectory: string
  /** Contexts. */
  readonly configDirectory: string
}

export function localPaths(env: NodeJS.ProcessEnv): LocalPaths {
  const home = env.HOME || homedir()
  return {
    dataDirectory: join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'ktool'),
    runtimeDirectory: runtimeDirectory(env, tmpdir(), process.getuid?.() ?? 0),
    stateDirectory: join(env.XDG_STATE_HOME || join(home, '.local', 'state'), 'ktool'),
    configDirectory: join(env.XDG_CONFIG_HOME || join(home, '.config'), 'ktool'),
  }
}

/** The log of a broker started in the background. The default data directory's has the plain name. */
export function brokerLogFile(paths: LocalPaths, dataDirectory: string): string {
  if (resolve(dataDirectory) === resolve(paths.dataDirectory)) return join(paths.stateDirectory, 'broker.log')
  return join(paths.stateDirectory, `broker-${controlSocketName(dataDirectory).replace('.sock', '')}.log`)
}
