// Members of groups in foreign programs, which print the value of each record that they get.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Peer } from './peers.ts'

export interface Member {
  readonly values: string[]
  stop(): Promise<void>
}

/** How a client becomes a member of group `g` of topic `t`. */
export type Join = (address: string) => Member | Promise<Member>

export const program = ([command, ...first]: Peer, args: (address: string) => readonly string[]): Join => (address) => {
  const child = spawn(command, [...first, ...args(address)], { stdio: ['ignore', 'pipe', 'pipe'] })
  return processMember(child)
}

function processMember(child: ChildProcess & { stdout: NodeJS.ReadableStream | null }): Member {
  const values: string[] = []
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => values.push(line))
  child.stderr?.resume()
  return {
    values,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await exit
      clearTimeout(late)
    },
  }
}
