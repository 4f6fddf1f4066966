// Questions to a person, on terminals only; the only importer of inquirer, loaded when a question is asked. Asked on stderr,
// so that stdout stays data.

import { printable } from '../base/logger.ts'
import type { Cluster } from '../client/cluster.ts'
import { CliError, ExitCode, usageError } from './errors.ts'
import type { Output } from './output.ts'
import { listTopicNames } from './verbs/topics.ts'

/** Whether somebody is there to answer. */
export function canAsk(output: Output): boolean {
  return process.stdin.isTTY && process.stderr.isTTY && !process.env.CI && !output.isJson
}

/** For what can't be undone: true goes on; a no is said, and is exit 1. Without a terminal it takes `--yes`. */
export async function confirmed(question: string, output: Output, yes: boolean): Promise<boolean> {
  if (yes) return true
  if (!canAsk(output)) throw usageError(`${question.replace(/\?$/, '')}: nobody is there to say yes`, 'add --yes to go on')
  const isYes = await askYesNo(printable(question))
  if (!isYes) {
    output.talk('nothing was changed')
    process.exitCode = ExitCode.failed
  }
  return isYes
}

/** y, yes, n or no; Enter alone and the end of the input are no. What is none of them is asked again: it is no answer. */
async function askYesNo(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await new Promise((resolve, reject) => {
      lines.setPrompt(`${question} (y/N) `)
      lines.on('line', (line) => {
        const word = line.trim().toLowerCase()
        if (['y', 'yes'].includes(word)) resolve(true)
        else if (['', 'n', 'no'].includes(word)) resolve(false)
        else lines.prompt()
      })
      lines.on('SIGINT', () => {
        process.stderr.write('\n')
        reject(new CliError({ code: 'INTERRUPTED', message: 'interrupted', exitCode: ExitCode.interrupted }))
      })
      lines.on('close', () => {
        process.stderr.write('\n')
        resolve(false)
      })
      lines.prompt()
    })
  } finally {
    lines.removeAllListeners('close')
    lines.close()
  }
}

export async function choose(question: string, choices: readonly string[]): Promise<string> {
  return (await prompt<{ answer: string }>({ type: 'select', name: 'answer', message: question, choices: choices.map((value) => ({ name: printable(value), value })), pageSize: 15 })).answer
}

/** One of the cluster's topics. */
export async function chooseTopic(cluster: Cluster, question: string): Promise<string> {
  const names = await listTopicNames(cluster, { names: [], isPattern: false, excludeInternal: true })
  if (names.length === 0) throw usageError('there are no topics')
  return choose(question, names)
}

export async function askText(question: string): Promise<string> {
  return (await prompt<{ answer: string }>({ type: 'input', name: 'answer', message: question })).answer.trim()
}

async function prompt<T>(question: object): Promise<T> {
  const { createPromptModule } = await import('inquirer')
  return (await createPromptModule({ output: process.stderr })([question] as never)) as T
}
