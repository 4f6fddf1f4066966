// The manual pages, made from the commands' own definitions as help is: ktool(1), and one page a command.
// A test compares them with man/, and writes them anew when run with -u.

import packageJson from '../../package.json' with { type: 'json' }
import { FACE_NAMES } from '../cli/apache/face-names.ts'
import { commandHelp, type CommandHelp } from '../cli/help.ts'
import type { CommandTable } from '../cli/command-table.ts'

// Of the version's release: pages must not change with the day they are made on.
const RELEASED = '2026-11-21'

const DESCRIPTION = `ktool is a Kafka command line for people without a JVM, and a Kafka for people without a cluster. The commands work
on any Apache Kafka cluster. With none named, they use the bundled broker, a single node for development and tests that speaks Kafka's
protocol and writes Kafka's own files. A cluster is named by a flag (--bootstrap-server, --command-config or --context), else by the
environment, else by the current context; else it is the broker on this machine.`

const PROPERTIES = `--command-config FILE and -X NAME=VALUE take those of Kafka's clients: TLS with PEM, PKCS12 and JKS stores, client certificates,
SASL PLAIN and SCRAM. A property that ktool can't honour is an error that names it. \${env:NAME} stands for an environment variable and
\${command:pass show kafka} for what a command prints: they keep a password out of the file.`

const PROPERTIES_EXAMPLE = `security.protocol=SASL_SSL
ssl.truststore.location=/etc/kafka/truststore.p12
ssl.truststore.password=changeit
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="me" password="\${env:PW}";`

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['KTOOL_BOOTSTRAP_SERVERS', 'The cluster to talk to when no flag names one. It goes before the current context.'],
  [
    'KTOOL_COMMAND_CONFIG',
    "A file of Kafka's client properties to go with it; alone, its bootstrap.servers is the cluster. Not read when a flag names the cluster or another file. No broker is started by itself where it is set.",
  ],
  ['KTOOL_AUTO_START', '0 keeps topics --create and produce from starting the bundled broker.'],
  [
    'KAFKA_BOOTSTRAP_SERVERS, BOOTSTRAP_SERVERS, KAFKA_BROKERS',
    'Are not read; but where one of them is set, a cluster is meant, and no broker is started by itself.',
  ],
  ['NO_COLOR, FORCE_COLOR', 'No colour when the first is not empty; colour when the second is 1, 2 or 3, even in a pipe.'],
  ['XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR', "The bundled broker's data, its log, and its control socket are below these. Control sockets are those of a user, not of a HOME."],
  ['XDG_CONFIG_HOME', 'Contexts are below it.'],
  ['KTOOL_DEBUG', '1 prints the stack trace of an error.'],
]

const EXIT_STATUS: readonly (readonly [string, string])[] = [
  ['0', 'Done.'],
  ['1', 'The operation failed, or a part of it did.'],
  ['2', 'The command line or a configuration is wrong, or the context refuses: it is read-only, or for another cluster.'],
  ['3', 'The cluster could not be reached, or refused the login; or no broker runs.'],
  ['4', 'An expectation or a deadline was not met.'],
  ['130, 143', 'Ended by SIGINT or SIGTERM.'],
]

const FILES: readonly (readonly [string, string])[] = [
  ['~/.local/share/ktool', "The bundled broker's data, in Kafka's format."],
  ['~/.local/state/ktool/broker.log', 'The log of a broker started in the background.'],
  ['~/.config/ktool/contexts', "What `ktool context` keeps, a file of Kafka's client properties for each, readable by its owner only."],
  ['~/.config/ktool/current-context', 'The name of the current one.'],
]

/** By file name. */
export function manualPages(table: CommandTable): ReadonlyMap<string, string> {
  const helps = [...table].map(([id, entry]) => commandHelp(id, entry))
  return new Map([['ktool.1', overview(helps)], ...helps.map((help) => [`${pageName(help.id)}.1`, commandPage(help)] as const)])
}

function overview(helps: readonly CommandHelp[]): string {
  return page('ktool', 'a Kafka command line without a JVM, and a Kafka without a cluster', [
    ['SYNOPSIS', '.B ktool\n.I command\n[\\fIoptions\\fR]'],
    ['DESCRIPTION', paragraph(DESCRIPTION)],
    ['COMMANDS', helps.map(({ id, summary }) => `.TP\n.BR ${pageName(id)} (1)\n${escape(summary)}`).join('\n')],
    ['CLIENT PROPERTIES', `${paragraph(PROPERTIES)}\n.PP\n.RS 4\n.nf\n${escape(PROPERTIES_EXAMPLE)}\n.fi\n.RE`],
    ['ENVIRONMENT', terms(ENVIRONMENT)],
    ['FILES', terms(FILES)],
    ['EXIT STATUS', terms(EXIT_STATUS)],
    ['SEE ALSO', FACE_NAMES.toSorted().map((name) => `.BR ${escape(name)} (1)`).join(',\n')],
  ])
}

function commandPage(help: CommandHelp): string {
  const sections: (readonly [string, string])[] = [
    ['SYNOPSIS', help.usage.map((line) => `.B ktool ${escape(line)}`).join('\n.br\n')],
    ['DESCRIPTION', paragraph(help.description === '' ? help.summary : help.description)],
    ...help.groups.map(({ heading, flags }) => {
      const list = flags.map(({ usage, summary }) => [usage.trim(), summary] as const)
      return [heading === 'Options' ? 'OPTIONS' : `${heading.toUpperCase()} OPTIONS`, terms(list)] as const
    }),
    ['EXIT STATUS', terms(EXIT_STATUS.filter(([code]) => help.exits.includes(code)))],
  ]
  if (help.examples.length > 0) {
    const examples = help.examples.map(({ description, command }) => `.PP\n${escape(description)}:\n.PP\n.RS 4\n.nf\n${escape(command)}\n.fi\n.RE`)
    sections.push(['EXAMPLES', examples.join('\n').replace(/^\.PP\n/, '')])
  }
  sections.push(['SEE ALSO', '.BR ktool (1)'])
  return page(pageName(help.id), help.summary.replace(/\.$/, '').replace(/^./, (first) => first.toLowerCase()), sections)
}

export function page(name: string, summary: string, sections: readonly (readonly [string, string])[]): string {
  const head = `.\\" Made from the commands; see src/build/man.ts.\n.TH ${name.toUpperCase()} 1 "${RELEASED}" "ktool ${packageJson.version}" "ktool manual"`
  const body = sections.map(([heading, text]) => `.SH ${heading}\n${text}\n`).join('')
  return `${head}\n.SH NAME\n${name} \\- ${escape(summary)}\n${body}`
}

function pageName(id: string): string {
  return `ktool-${id.replaceAll(':', '-')}`
}

export function terms(list: readonly (readonly [string, string])[]): string {
  return list.map(([term, text]) => `.TP\n.B ${escape(term)}\n${paragraph(text)}`).join('\n')
}

/** roff wants each sentence on a line of its own, and no long lines. */
export function paragraph(text: string): string {
  const sentences = text.replace(/\s+/g, ' ').trim().split(/(?<=[.;:]) /)
  return sentences.map(escape).join('\n')
}

/** Text as it is, line by line. */
export function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '\\&...')
    .replace(/^([.'])/gm, '\\&$1')
}
