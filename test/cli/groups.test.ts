// `ktool groups` and `ktool transactions` from the outside.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()

beforeAll(async () => {
  await sandbox.broker('--ephemeral', '--topic', 't:2', '--topic', 'u:1', '--property', 'group.initial.rebalance.delay.ms=0')
  await sandbox.run(['produce', '--topic', 'u'], { input: '1\n2\n3\n4\n5\n' })
  await sandbox.run(['consume', '--group', 'readers', '--topic', 'u', '--from-beginning', '-n', '3'])
}, 30_000)
afterAll(() => sandbox.close())

const ktool = async (words: string): Promise<string> => {
  const { stdout, stderr, code } = await sandbox.run(words.split(' '))
  return `${stdout}${stderr.replace(/^acting on .*\n/m, '')}${code === 0 ? '' : `exit ${code}\n`}`
}

describe('ktool groups', () => {
  it('lists', async () => {
    expect(await ktool('groups --list')).toBe('readers\n')
    expect(await ktool('groups --list --state --type')).toBe('GROUP    TYPE     STATE\nreaders  Classic  Empty\n')
    expect(await ktool('groups --list --state stable')).toBe('GROUP  TYPE  STATE\n')
    expect(await ktool('groups --list --state stabel')).toMatch(/^ktool: --state 'stabel' is not one of Stable.*exit 2\n$/s)
  })

  it('describes, unknown being something else than 0', async () => {
    expect(await ktool('groups --describe --group readers')).toBe(
      'readers  Empty, 0 members, lag 2\nTOPIC  PARTITION  OFFSET  END  LAG  CLIENT  HOST\nu              0       3    5    2  -       -\n',
    )
    expect(JSON.parse(await ktool('groups --describe --group readers --json'))).toMatchObject({
      groups: [{ group: 'readers', type: 'Classic', state: 'Empty', assignor: null, offsets: [{ topic: 'u', offset: 3, logEndOffset: 5, lag: 2, memberId: null }] }],
    })
    expect(await ktool('groups --describe --group readrs')).toBe("ktool: group 'readrs' does not exist; did you mean 'readers'?\nexit 1\n")
    expect(await ktool('groups --describe --group readers --members --state')).toMatch(/only one of --members and --state.*exit 2/s)
  })

  it('shows where a group would go, and moves it when told to', async () => {
    const plan = 'GROUP    TOPIC  PARTITION  OFFSET  NEW OFFSET  REMARK\nreaders  u              0       3           '
    expect(await ktool('groups --reset-offsets --group readers --topic u --shift-by -2')).toBe(`${plan}1\nnothing was changed; add --execute to do it\n`)
    expect(await ktool('groups --reset-offsets --group readers --all-topics --to-offset 9 --dry-run')).toBe(`${plan}5  the end\n`)
    expect(await ktool('groups --reset-offsets --group readers --topic u:0 --to-datetime 2001-01-01T00:00:00.000 --execute')).toBe(`${plan}0\n`)
    expect(await ktool('groups --reset-offsets --group readers --topic t,u --to-latest')).toContain("topic 't,u' does not exist")
    expect(await ktool('groups --reset-offsets --group new --topic t --to-earliest --execute')).toContain('new    t              1       -           0\n')
  })

  it('keeps offsets in a file and brings them back', async () => {
    const file = `${sandbox.directory}/plan.csv`
    const { stdout } = await sandbox.shell(`ktool groups --reset-offsets --group readers --all-topics --to-current --export | tee ${file}`)
    expect(stdout).toMatch(/^u,0,\d\n$/)
    await ktool('groups --reset-offsets --group readers --all-topics --to-latest --execute')
    await ktool(`groups --reset-offsets --group readers --from-file ${file} --execute`)
    expect(await ktool('groups --reset-offsets --group readers --all-topics --to-current --export')).toBe(stdout)
    expect(await ktool('groups --reset-offsets --group readers --from-file /nowhere')).toMatch(/the plan can't be read.*exit 2/s)
  })

  it('deletes offsets and groups', async () => {
    await ktool('groups --reset-offsets --group gone --topic t --topic u --to-earliest --execute')
    expect(await ktool('groups --delete-offsets --group gone --topic t:1')).toContain('nothing was changed')
    expect(await ktool('groups --delete-offsets --group gone --topic t:1 --execute')).toBe('TOPIC  PARTITION  OFFSET  REMARK\nt              1       0  deleted\n')
    expect(await ktool('groups --delete --group gone')).toBe('deleted group gone\n')
    expect(await ktool('groups --delete --group gone --group gone2')).toMatch(/nobody is there to say yes.*exit 2/s)
    expect(await ktool('groups --delete --group gone --group new --yes')).toBe("deleted group new\nktool: group 'gone' does not exist; see `ktool groups --list`\nexit 1\n")
  })

  it.each([
    ['--list --describe', 'only one of --list and --describe can be done at a time'],
    ['--describe', '--describe needs --group'],
    ['--list --topic x', '--topic does not go with --list'],
    ['--describe --group g --to-latest', '--to-latest does not go with --describe'],
    ['--reset-offsets --group g --to-latest', 'say which topics'],
    ['--reset-offsets --group g --topic u', 'say where to'],
    ['--reset-offsets --group g --topic u --to-latest --to-earliest', 'say different things'],
    ['--reset-offsets --group g --topic u:x --to-latest', "--topic 'u:x' names no partitions"],
    ['--reset-offsets --group g --topic u --to-datetime yesterday', "--to-datetime 'yesterday' is no time"],
  ])('refuses %s', async (words, text) => {
    expect(await ktool(`groups ${words}`)).toMatch(new RegExp(`^ktool: .*${text}.*exit 2`, 's'))
  })
})

describe('ktool transactions', () => {
  it('lists, and says what is missing', async () => {
    expect(await ktool('transactions --list --json')).toBe('{"transactions":[]}\n')
    expect(await ktool('transactions --describe --transactional-id x')).toMatch(/^ktool: transactional id 'x' does not exist.*exit 1/s)
    expect(await ktool('transactions --find-hanging --topic u')).toBe('no transaction hangs\n')
    expect(await ktool('transactions --abort --topic u --partition 0 --start-offset 3')).toMatch(/no open transaction starts at offset 3 of u-0; none is open there\nexit 1/)
    expect(await ktool('transactions --describe-producers --topic u')).toMatch(/needs --topic and --partition.*exit 2/s)
    expect(await ktool('transactions --describe-producers --topic u --partition 7')).toMatch(/u has no partition 7.*exit 1/s)
  })

  it('shows the producers of a partition', async () => {
    const { producers } = JSON.parse(await ktool('transactions --describe-producers --topic u --partition 0 --json')) as { producers: object[] }
    expect(producers).toEqual([expect.objectContaining({ producerEpoch: 0, lastSequence: 4, coordinatorEpoch: null, transactionStart: null })])
  })
})
