// Apache's tools in a JVM that stays (java/Tools.java), a command at a time.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { kafkaTools, toolAnswer, type ToolCommand, toolLine } from './peers.ts'

export interface Answer {
  /** null: ended by a signal; -2: the time was up. */
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ToolsJvm {
  run(command: ToolCommand): Promise<Answer>
  stop(): Promise<void>
}

export function startTools(cwd: string, env: NodeJS.ProcessEnv): ToolsJvm {
  const [command, ...args] = kafkaTools()
  const child = spawn(command, [...args, '0'], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4000)))
  child.stdin.on('error', () => undefined) // it ended; the lines say so too
  const closed = once(child, 'close')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    run: async (tool) => {
      child.stdin.write(toolLine(tool))
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`the JVM of Apache's tools ended:\n${complaint}`)
      const { exit, stdout, stderr } = toolAnswer(value)
      return { exit, stdout: stdout.toString(), stderr: stderr.toString() }
    },
    stop: async () => {
      child.kill('SIGKILL') // a client that a tool left open is no member any more, and complains to nobody
      await closed
    },
  }
}
