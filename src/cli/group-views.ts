// How groups look: a heading and a table for each. What is not known is `-`, or null in JSON.

import type { GroupDescription } from '../client/admin.ts'
import { type CliError, errorJson, failureLine } from './errors.ts'
import type { Column, Output } from './output.ts'
import type { GroupReset, ResetRow } from './verbs/group-resets.ts'
import type { GroupOffsets, OffsetOutcome } from './verbs/groups.ts'

function groupJson({ groupId, coordinator, assignor, members, ...rest }: GroupDescription): object {
  return { group: groupId, ...rest, coordinator, assignor: assignor || null, memberCount: members.length }
}

/** Groups that can't be described are told among the others. */
export type Failures = readonly { readonly group: string; readonly error: CliError }[]

function failuresJson(failures: Failures): object[] {
  return failures.map(({ group, error }) => ({ group, error: errorJson(error) }))
}

export async function showOffsets(all: readonly GroupOffsets[], failures: Failures, output: Output, isVerbose: boolean): Promise<void> {
  if (output.isJson) {
    const groups = all.map(({ group, rows }) => ({
      ...groupJson(group),
      offsets: rows.map(({ member, ...row }) => ({
        ...row,
        memberId: member?.memberId ?? null,
        instanceId: member?.instanceId ?? null,
        clientId: member?.clientId ?? null,
        host: member?.host ?? null,
      })),
    }))
    output.json({ groups: [...groups, ...failuresJson(failures)] })
    return
  }
  for (const [i, { group, rows }] of all.entries()) {
    const known = rows.flatMap(({ lag }) => (lag === null ? [] : [lag]))
    const total = known.length === 0 ? [] : [`lag ${known.reduce((sum, lag) => sum + lag, 0)}${known.length < rows.length ? ' at least' : ''}`]
    await heading(group, total, i, output)
    if (rows.length === 0) continue
    await output.table(
      [
        { heading: 'topic' },
        { heading: 'partition', align: 'right' },
        ...(isVerbose ? [{ heading: 'epoch', align: 'right' } as const] : []),
        { heading: 'offset', align: 'right' },
        { heading: 'end', align: 'right' },
        { heading: 'lag', align: 'right' },
        { heading: 'client' },
        { heading: 'host' },
        ...(isVerbose ? [{ heading: 'member' }] : []),
      ],
      rows.map(({ topic, partition, leaderEpoch, offset, logEndOffset, lag, member }) => [
        topic ?? '-',
        count(partition),
        ...(isVerbose ? [count(leaderEpoch)] : []),
        count(offset),
        count(logEndOffset),
        count(lag),
        member?.clientId ?? '-',
        host(member?.host),
        ...(isVerbose ? [member?.memberId ?? '-'] : []),
      ]),
    )
  }
}

export async function showMembers(groups: readonly GroupDescription[], failures: Failures, output: Output, isVerbose: boolean): Promise<void> {
  if (output.isJson) {
    const shown = groups.map((group) => ({ ...groupJson(group), members: group.members }))
    output.json({ groups: [...shown, ...failuresJson(failures)] })
    return
  }
  for (const [i, group] of groups.entries()) {
    await heading(group, [], i, output)
    if (group.members.length === 0) continue
    const isStatic = group.members.some(({ instanceId }) => instanceId !== null)
    const hasTarget = isVerbose && group.type === 'Consumer'
    const columns: Column[] = [
      { heading: 'member' },
      ...(isStatic ? [{ heading: 'instance' }] : []),
      { heading: 'client' },
      { heading: 'host' },
      { heading: 'partitions', align: 'right' },
      ...(isVerbose ? [{ heading: 'assigned' }] : []),
      ...(hasTarget ? [{ heading: 'epoch', align: 'right' } as const, { heading: 'to be assigned' }] : []),
    ]
    const rows = group.members.map((member) => [
      member.memberId,
      ...(isStatic ? [member.instanceId ?? '-'] : []),
      member.clientId,
      host(member.host),
      String(member.assignment.length),
      ...(isVerbose ? [places(member.assignment)] : []),
      ...(hasTarget ? [count(member.epoch), places(member.targetAssignment ?? [])] : []),
    ])
    await output.table(columns, rows)
  }
}

export async function showStates(groups: readonly GroupDescription[], failures: Failures, output: Output): Promise<void> {
  if (output.isJson) {
    output.json({ groups: [...groups.map(groupJson), ...failuresJson(failures)] })
    return
  }
  await output.table(
    [
      { heading: 'group' },
      { heading: 'state' },
      { heading: 'type' },
      { heading: 'members', align: 'right' },
      { heading: 'assignor' },
      { heading: 'coordinator' },
      { heading: 'epoch', align: 'right' },
      { heading: 'assigned', align: 'right' },
    ],
    groups.map(({ groupId, state, type, members, assignor, coordinator, epoch, assignmentEpoch }) => [
      groupId, state, type, String(members.length), assignor || '-', `${coordinator.nodeId} at ${coordinator.host}:${coordinator.port}`,
      count(epoch), count(assignmentEpoch),
    ]), // prettier-ignore
  )
}

export async function showResets(resets: readonly GroupReset[], output: Output, isDone: boolean): Promise<void> {
  if (output.isJson) {
    output.json({
      executed: isDone,
      groups: resets.map(({ group, state, rows, error }) => ({
        group, state, offsets: rows.map((row) => ({ ...row, error: errorJson(row.error) })), error: errorJson(error),
      })),
    }) // prettier-ignore
    return
  }
  const rows = resets.flatMap(({ group, rows: moves }) => moves.map((row) => ({ group, row })))
  if (rows.length > 0) {
    await output.table(
      [
        { heading: 'group' },
        { heading: 'topic' },
        { heading: 'partition', align: 'right' },
        { heading: 'offset', align: 'right' },
        { heading: 'new offset', align: 'right' },
        { heading: 'remark' },
      ],
      rows.map(({ group, row }) => [group, row.topic, String(row.partition), count(row.from), String(row.to), remark(row)]),
    )
  }
  for (const { error } of resets) if (error !== null) output.talk(`ktool: ${failureLine(error)}`)
}

export async function showOffsetRemoval(group: string, offsets: readonly OffsetOutcome[], output: Output, isDone: boolean): Promise<void> {
  if (output.isJson) {
    output.json({ executed: isDone, group, offsets: offsets.map((each) => ({ ...each, error: errorJson(each.error) })) })
    return
  }
  await output.table(
    [{ heading: 'topic' }, { heading: 'partition', align: 'right' }, { heading: 'offset', align: 'right' }, { heading: 'remark' }],
    offsets.map(({ topic, partition, offset, error }) => {
      const said = error !== null ? failureLine(error) : offset === null ? 'nothing to delete' : isDone ? 'deleted' : ''
      return [topic, String(partition), count(offset), said]
    }),
  )
}

const MOVED = { first: 'the first there is', end: 'the end', noRecord: 'no record that young: the end' } as const

function remark({ moved, error }: ResetRow): string {
  if (error !== null) return failureLine(error)
  return moved === null ? '' : MOVED[moved]
}

async function heading(group: GroupDescription, more: readonly string[], index: number, output: Output): Promise<void> {
  if (index > 0) output.line('')
  const { groupId, state, members, assignor, type } = group
  const facts = [
    state,
    `${members.length} member${members.length === 1 ? '' : 's'}`,
    ...(assignor === '' ? [] : [assignor]),
    ...(type === 'Consumer' ? ['KIP-848'] : []),
    ...more,
  ]
  await output.heading(groupId, `  ${facts.join(', ')}`)
}

function count(value: number | null): string {
  return value === null ? '-' : String(value)
}

/** Without the slash that Java puts in front. */
function host(text: string | undefined): string {
  return text === undefined ? '-' : text.replace(/^\//, '')
}

/** `orders:0,1 users:3` */
function places(assigned: readonly { readonly topic: string; readonly partition: number }[]): string {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of assigned) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return [...topics].map(([topic, partitions]) => `${topic}:${partitions.join(',')}`).join(' ') || '-'
}
