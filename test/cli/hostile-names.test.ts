// A cluster whose names, ids and texts are full of terminal sequences: what ktool shows of them drives no terminal and forges
// no line, in whatever format and wherever it is shown.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { completions } from '../../src/cli/completion.ts'
import { commands } from '../../commands/index.ts'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { DescribeConfigs } from '../../src/protocol/apis/describe-configs.ts'
import { DescribeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { FindCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { ListGroups } from '../../src/protocol/apis/list-groups.ts'
import { startFakeBroker, type FakeBroker } from '../support/fake-broker.ts'
import { Sandbox } from './sandbox.ts'

const EVIL = '\u001b]0;pwn\u0007\u009b31m\nforged\r\u202e'
const sandbox = new Sandbox()
let broker: FakeBroker
beforeAll(async () => {
  broker = await startFakeBroker()
  broker.on(ApiVersions, () => broker.versionsAnswer())
  broker.topics.set(EVIL, { partitions: 1 })
  const config = { name: EVIL, value: EVIL, readOnly: false, configSource: 1, isSensitive: false, synonyms: [], configType: 2, documentation: null }
  broker.on(DescribeConfigs, ({ resources }) => ({
    throttleTimeMs: 0,
    results: resources.map(({ resourceType, resourceName }) => ({ errorCode: 0, errorMessage: EVIL, resourceType, resourceName, configs: [config] })),
  }))
  broker.on(ListGroups, () => ({ throttleTimeMs: 0, errorCode: 0, groups: [{ groupId: EVIL, protocolType: 'consumer', groupState: EVIL, groupType: 'classic' }] }))
  const coordinator = () => ({ errorCode: 0, errorMessage: null, nodeId: 1, host: '127.0.0.1', port: broker.port })
  broker.on(FindCoordinator, ({ coordinatorKeys }) => ({ throttleTimeMs: 0, coordinators: coordinatorKeys.map((key) => ({ key, ...coordinator() })) }), [4, 4])
  const member = { memberId: EVIL, groupInstanceId: EVIL, clientId: EVIL, clientHost: EVIL, memberMetadata: Buffer.alloc(0), memberAssignment: Buffer.alloc(0) }
  broker.on(DescribeGroups, ({ groups }) => ({
    throttleTimeMs: 0,
    groups: groups.map((groupId) => ({ errorCode: 0, errorMessage: null, groupId, groupState: 'Stable', protocolType: 'consumer', protocolData: EVIL, members: [member], authorizedOperations: 0 })),
  }), [5, 5])
})
afterAll(async () => {
  await broker.stop()
  sandbox.close()
})

const WORDS = ['topics list', 'topics describe', 'configs --describe --topic t', 'groups list', 'groups describe g --members']

test.each(WORDS.flatMap((words) => ['table', 'text', 'json'].map((format) => [words, format] as const)))('ktool %s, as %s', async (words, format) => {
  const { stdout, stderr } = await sandbox.terminal(`NO_COLOR=1 ktool ${words} -b 127.0.0.1:${broker.port} --output ${format} -X default.api.timeout.ms=5000`)
  expect(stdout + stderr).toMatch(format === 'json' ? /"/ : /\\u001b\]0;pwn\\u0007\\u009b31m\\u000aforged\\u000d\\u202e/)
  expect((stdout + stderr).replaceAll('\r\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
})

test('completion offers no name that a shell would not take as it stands', async () => {
  const groups = ['billing', 'x;reboot', '$(reboot)', '`reboot`', '*', 'two words', "it's", EVIL, 'größe-1.0']
  const names = { topics: () => Promise.resolve([]), groups: () => Promise.resolve(groups), contexts: () => Promise.resolve([]) }
  expect(await completions(['groups', 'describe', ''], commands, names)).toEqual(['billing', 'größe-1.0'])
})
