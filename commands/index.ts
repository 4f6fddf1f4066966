// The commands there are, in the order of the help. All in one file of the bundle: a file more costs a start more than its
// code does. What is heavy (tables, prompts, codecs, the wire) is loaded when it is needed.

import type { CommandEntry, CommandTable } from '../src/cli/command-table.ts'
import { completions, localNames } from '../src/cli/completion.ts'
import { runCli } from '../src/cli/run.ts'
import Acls from './acls.ts'
import BrokerLogs from './broker/logs.ts'
import BrokerReset from './broker/reset.ts'
import BrokerRun from './broker/run.ts'
import BrokerStart from './broker/start.ts'
import BrokerStatus from './broker/status.ts'
import BrokerStop from './broker/stop.ts'
import ClusterOverview from './cluster.ts'
import Completion from './completion.ts'
import Configs from './configs.ts'
import Consume from './consume.ts'
import Context from './context.ts'
import Faces from './faces.ts'
import Groups from './groups.ts'
import Offsets from './offsets.ts'
import LogDump from './log/dump.ts'
import LogVerify from './log/verify.ts'
import Produce from './produce.ts'
import Records from './records.ts'
import Topics from './topics.ts'
import Transactions from './transactions.ts'

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  topics: { command: Topics, summary: 'Create, list, describe, change and delete topics.' },
  produce: { command: Produce, summary: 'Write lines from a file or a pipe to a topic.' },
  consume: { command: Consume, summary: 'Read a topic and print its records.' },
  offsets: { command: Offsets, summary: 'See where partitions begin and end, and where a time is in them.' },
  groups: { command: Groups, summary: 'See how far consumer groups are; move and delete them.' },
  transactions: { command: Transactions, summary: 'Look at transactions; find and end those that hang.' },
  cluster: { command: ClusterOverview, summary: 'Look at the nodes of a cluster, their disks and what they can do.' },
  configs: { command: Configs, summary: 'Show and change the settings of topics, brokers, users and others.' },
  context: { command: Context, summary: 'Keep clusters by name, and choose one.' },
  completion: { command: Completion, summary: 'Complete words in bash, zsh or fish.' },
  acls: { command: Acls, summary: 'Show, add and remove rules about who may do what.' },
  records: { command: Records, summary: 'Delete the oldest records of a topic.' },
  'log:dump': { command: LogDump, summary: 'Show what is in the files of a log.' },
  'log:verify': { command: LogVerify, summary: 'Check the files of logs: checksums, offsets, indexes.' },
  faces: { command: Faces, summary: "Link Apache's tool names (kafka-topics.sh, …) to ktool." },
  'broker:start': { command: BrokerStart, summary: 'Start the bundled broker in the background.' },
  'broker:stop': { command: BrokerStop, summary: 'Stop the bundled broker.' },
  'broker:status': { command: BrokerStatus, summary: 'Say whether the bundled broker runs, where, and how much it holds.' },
  'broker:logs': { command: BrokerLogs, summary: "Print the bundled broker's log." },
  'broker:reset': { command: BrokerReset, summary: "Delete all the bundled broker's data." },
  'broker:run': { command: BrokerRun, summary: 'Run a broker in the foreground, for containers and supervisors.' },
}

export const commands: CommandTable = new Map(Object.entries(COMMANDS))

export async function main(argv: readonly string[]): Promise<void> {
  if (argv[0] !== '__complete') return runCli(argv, commands)
  const words = argv.slice(1)
  for (const word of await completions(words, commands, localNames(words, process.env))) process.stdout.write(`${word}\n`)
}
