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
  /** Of all: ended with 0, with something else; spellings that Apache 4.3 no longer knows. */
  successes: number
  failures: number
  old: number
}

export function report(rows: readonly Row[], hasApache: boolean): string {
  if (rows.length === 0) return ''
  const tools = [...new Set(rows.map(({ tool }) => tool))]
  const lines = tools.map((tool) => line(tool, rows.filter((row) => row.tool === tool)))
  const all = COLUMNS.flatMap((column) => {
    const some = rows.filter((row) => row.column === column)
    const sum = (key: 'steps' | 'equal' | 'allowed' | 'differs' | 'successes' | 'failures' | 'old') => some.reduce((total, row) => total + row[key], 0)
    return some.length === 0 ? [] : [{ tool: '', column, steps: sum('steps'), equal: sum('equal'), allowed: sum('allowed'), differs: sum('differs'), successes: sum('successes'), failures: sum('failures'), old: sum('old') }]
  })
  return [
    '',
    hasApache ? '' : '******** NOT RUN: Apache Kafka; our faces on our broker, against the recorded answers ********',
    "Equal (+ allowed differences) of all; 'apache' is Apache's tool on Apache's broker against what was recorded.",
    '',
    '| tool | invocations | exit 0 | others | old spellings | apache | face on Apache | Apache on ours | face on ours |',
    '|---|---|---|---|---|---|---|---|---|',
    ...lines,
    line(`${tools.length} tools`, all),
    '',
    JSON.stringify({ rows }),
    '',
  ].join('\n')
}

function line(name: string, rows: readonly Row[]): string {
  const most = rows.reduce((one, other) => (other.steps > one.steps ? other : one))
  const cells = COLUMNS.map((column) => {
    const row = rows.find((row) => row.column === column)
    if (row === undefined) return '–'
    return `${row.equal}${row.allowed > 0 ? ` + ${row.allowed}` : ''} of ${row.steps}`
  })
  return `| ${[name, most.steps, most.successes, most.failures, most.old, ...cells].join(' | ')} |`
}
