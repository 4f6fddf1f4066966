// kafka-consumer-groups: its options, and their checks in Apache's order.
//
// From older releases: --zookeeper (until 1.1; loopback means the broker here) and --new-consumer (until 1.1, says nothing).

import type { FaceIo } from '../../src/cli/apache/face.ts'
import { inHashOrder, optionHash } from '../../src/cli/apache/java-hash.ts'
import { checkInvalid, checkRequired, DEFAULT_OPTIONS, type Jopt, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'server to connect to', help: 'REQUIRED for all but --validate-regex: the broker to ask first, HOST:PORT.' },
  group: { arg: 'required', describedAs: 'consumer group', help: 'The group; may be given several times.' },
  topic: { arg: 'required', describedAs: 'topic', help: 'The topic whose offsets are reset or deleted, or some of its partitions: topic:0,1,2.' },
  'all-topics': { help: 'Reset all topics that the group has committed offsets for.' },
  list: { help: 'List the groups of consumers.' },
  describe: { help: 'Show how far groups are, or who is in them.' },
  'all-groups': { help: 'All groups of consumers.' },
  delete: { help: 'Delete groups without members, and all their offsets.' },
  timeout: { arg: 'required', type: 'Long', describedAs: 'timeout (ms)', default: '30000', help: 'How long each question may take.' },
  'command-config': { arg: 'required', describedAs: 'command config property file', help: 'A file of client properties.' },
  'reset-offsets': { help: 'Move groups without members to other offsets.' },
  'delete-offsets': { help: 'Delete offsets of one group.' },
  'dry-run': { help: 'Only show what --reset-offsets would do.' },
  execute: { help: 'Do what --reset-offsets shows.' },
  export: { help: 'Print what --reset-offsets plans as CSV.' },
  'to-offset': { arg: 'required', type: 'Long', describedAs: 'offset', help: 'Reset to this offset.' },
  'from-file': { arg: 'required', describedAs: 'path to CSV file', help: 'Reset to the offsets in this file.' },
  'to-datetime': { arg: 'required', describedAs: 'datetime', help: "Reset to the first offset at or after 'YYYY-MM-DDThh:mm:ss.sss'." },
  'by-duration': { arg: 'required', describedAs: 'duration', help: "Reset to the first offset of the last 'PnDTnHnMnS'." },
  'to-earliest': { help: 'Reset to the first offset.' },
  'to-latest': { help: 'Reset to the end.' },
  'to-current': { help: 'Reset to where the group is.' },
  'shift-by': { arg: 'required', type: 'Long', describedAs: 'number-of-offsets', help: 'Reset so many offsets on, or back when negative.' },
  members: { availableIf: ['describe'], help: 'Describe the members.' },
  verbose: { availableIf: ['describe'], help: 'Describe more.' },
  offsets: { availableIf: ['describe'], help: 'Describe offsets and lag; so it is, unless said.' },
  state: { availableIf: ['describe', 'list'], arg: 'optional', help: 'Describe or list states; list only groups in these.' },
  type: { availableIf: ['list'], arg: 'optional', help: 'List types; only groups of these.' },
  'validate-regex': { arg: 'required', describedAs: 'regex', help: 'Say whether this is a regular expression as RE2 has them.' },
  zookeeper: { arg: 'required', isHidden: true },
  'new-consumer': { isHidden: true },
} as const

export type Options = Jopt<keyof typeof OPTIONS>

const ACTIONS = ['list', 'describe', 'delete', 'reset-offsets', 'delete-offsets', 'validate-regex'] as const
const SCENARIOS = ['to-offset', 'to-datetime', 'by-duration', 'to-earliest', 'to-latest', 'to-current', 'shift-by', 'from-file'] as const
const NOT_EXECUTED =
  'WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will require either --dry-run or --execute ' +
  'to be specified. You should add the --dry-run option explicitly if you are scripting this command and want to keep the current default behavior ' +
  'without prompting.\n'

/** Throws JavaError for words that are no options, FaceExit for options that don't go together. */
export function parseOptions(argv: readonly string[], io: FaceIo): Options {
  const options = parseJopt(OPTIONS, argv)
  checkOptions(options, argv, io)
  if (ACTIONS.filter((action) => options.has(action)).length !== 1) {
    throw options.usage(`Command must include exactly one action: ${ACTIONS.map((action) => `--${action}`).join(', ')}`)
  }
  return options
}

function checkOptions(options: Options, argv: readonly string[], io: FaceIo): void {
  maybeHelp(options, argv, 'This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset consumer group offsets.')
  if (!options.has('validate-regex') && !options.has('zookeeper')) checkRequired(options, 'bootstrap-server')
  const needsGroup = (action: 'describe' | 'delete' | 'reset-offsets'): void => {
    if (!options.has('group') && !options.has('all-groups')) throw options.usage(`Option [${action}] takes one of these options: [group], [all-groups]`)
  }
  if (options.has('describe')) {
    needsGroup('describe')
    const views = ['members', 'offsets', 'state'] as const
    if (views.filter((view) => options.has(view)).length > 1) {
      throw options.usage('Option [describe] takes at most one of these options: [members], [offsets], [state]')
    }
    if (options.has('state') && options.value('state') !== undefined) throw options.usage('Option [describe] does not take a value for [state]')
  }
  if (options.has('delete')) {
    needsGroup('delete')
    if (options.has('topic')) throw options.usage('The consumer does not support topic-specific offset deletion from a consumer group.')
  }
  if (options.has('delete-offsets') && !(options.has('group') && options.has('topic'))) {
    throw options.usage('Option [delete-offsets] takes the following options: [group], [topic]')
  }
  if (options.has('reset-offsets')) {
    if (options.has('dry-run') && options.has('execute')) throw options.usage('Option [reset-offsets] only accepts one of [execute] and [dry-run]')
    if (!options.has('dry-run') && !options.has('execute')) io.err(NOT_EXECUTED)
    needsGroup('reset-offsets')
    for (const scenario of SCENARIOS) checkInvalid(options, scenario, inHashOrder(SCENARIOS, optionHash).filter((other) => other !== scenario))
  }
  checkInvalid(options, 'group', ['all-groups'])
  checkInvalid(options, 'group', ['list'])
  checkInvalid(options, 'topic', inHashOrder(['list', 'describe'] as const, optionHash))
}

/** What the tool reads for every action, before it asks anything. */
export function checkNumbers(options: Options): void {
  for (const offset of options.all('to-offset')) parseJopt(OPTIONS, ['--to-offset', offset]).long('to-offset')
  options.value('by-duration')
  options.long('shift-by')
}
