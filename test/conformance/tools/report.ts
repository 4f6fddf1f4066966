// The table of the differential suite, as markdown and as JSON.

import { type Column, COLUMNS } from './columns.ts'

/** One tool in one column. */
export interface Row {
  readonly tool: string
  readonly column: Column
  steps: number
  equal: number
  /** Different, as listed. */
  allowed: number
  /** Different otherwise, or not although listed, or never recorded. */
  differs: number
  /** Of all: ended with 0, with something else; came to a broker; spellings that Apache 4.3 no longer knows. */
  successes: number
  failures: number
  online: number
  old: number
}

const COUNTS = ['steps', 'equal', 'allowed', 'differs', 'successes', 'failures', 'online', 'old'] as const

export function emptyRow(tool: string, column: Column): Row {
  return { tool, column, steps: 0, equal: 0, allowed: 0, differs: 0, successes: 0, failures: 0, online: 0, old: 0 }
}

/** With less, equal columns would say little. */
const TOOLS = 20
const INVOCATIONS = 400
const OF_EACH_KIND = 6

/** Of a run of all plays in the column 'ours': what there is too little of. */
export function shortages(rows: readonly Row[]): readonly string[] {
  const ours = rows.filter(({ column }) => column === 'ours')
  const all = total(ours, 'ours')
  const tools = ours.flatMap(({ tool, successes, failures }) => [
    ...(successes < OF_EACH_KIND ? [`${tool}: ${successes} succeed`] : []),
    ...(failures < OF_EACH_KIND ? [`${tool}: ${failures} fail`] : []),
  ])
  return [
    ...(ours.length < TOOLS ? [`${ours.length} tools`] : []),
    ...(all.steps < INVOCATIONS ? [`${all.steps} invocations`] : []),
    ...(all.online * 2 < all.steps ? [`${all.online} of ${all.steps} reach a broker`] : []),
    ...tools,
  ]
}

function total(rows: readonly Row[], column: Column): Row {
  const all = emptyRow('', column)
  for (const row of rows) for (const key of COUNTS) all[key] += row[key]
  return all
}

export function report(rows: readonly Row[], hasApache: boolean): string {
  if (rows.length === 0) return ''
  const tools = [...new Set(rows.map(({ tool }) => tool))].sort()
  const lines = tools.map((tool) => line(tool, rows.filter((row) => row.tool === tool)))
  const all = COLUMNS.flatMap((column) => {
    const some = rows.filter((row) => row.column === column)
    return some.length === 0 ? [] : [total(some, column)]
  })
  return [
    '',
    hasApache ? '' : '******** NOT RUN: Apache Kafka; our faces on our broker, against the recorded answers ********',
    "Equal (+ allowed differences) of all; 'apache' is Apache's tool on Apache's broker against what was recorded.",
    "A tool's line has its steps in all plays. Reached: whether it came to the broker, counted in the column 'ours'.",
    '',
    '| tool | invocations | exit 0 | others | reached | old spellings | apache | face on Apache | Apache on ours | face on ours |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
    line(`${tools.length} tools`, all),
    '',
    JSON.stringify({ rows }),
    '',
  ].join('\n')
}

function line(name: string, rows: readonly Row[]): string {
  const counted = rows.find(({ column }) => column === 'ours') ?? rows[0]
  const cells = COLUMNS.map((column) => {
    const row = rows.find((row) => row.column === column)
    if (row === undefined) return '–'
    return `${row.equal}${row.allowed > 0 ? ` + ${row.allowed}` : ''} of ${row.steps}`
  })
  return `| ${[name, counted.steps, counted.successes, counted.failures, counted.online, counted.old, ...cells].join(' | ')} |`
}
