// The commands there are, in the order of the help. Each is loaded when it runs.

import { runCli, type CommandEntry, type CommandTable } from '../src/cli/run.ts'

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  topics: {
    summary: 'Create, list, describe, change and delete topics.',
    load: async () => (await import('./topics.ts')).default,
  },
  produce: {
    summary: 'Write lines from a file or a pipe to a topic.',
    load: async () => (await import('./produce.ts')).default,
  },
  consume: {
    summary: 'Read a topic and print its records.',
    load: async () => (await import('./consume.ts')).default,
  },
  configs: {
    summary: 'Show and change the settings of topics and brokers.',
    load: async () => (await import('./configs.ts')).default,
  },
  'broker:start': {
    summary: 'Start the bundled broker in the background.',
    load: async () => (await import('./broker/start.ts')).default,
  },
  'broker:stop': {
    summary: 'Stop it.',
    load: async () => (await import('./broker/stop.ts')).default,
  },
  'broker:status': {
    summary: 'Say whether it runs, where, and how much it holds.',
    load: async () => (await import('./broker/status.ts')).default,
  },
  'broker:logs': {
    summary: 'Print its log.',
    load: async () => (await import('./broker/logs.ts')).default,
  },
  'broker:reset': {
    summary: 'Delete all its data.',
    load: async () => (await import('./broker/reset.ts')).default,
  },
  'broker:run': {
    summary: 'Run a broker in the foreground, for containers and supervisors.',
    load: async () => (await import('./broker/run.ts')).default,
  },
}

export const commands: CommandTable = new Map(Object.entries(COMMANDS))

export function main(argv: readonly string[]): Promise<void> {
  return runCli(argv, commands)
}
