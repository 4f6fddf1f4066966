// Every declaration there is, found in the folders themselves, so that none is left out of the tests.

import { readdirSync } from 'node:fs'
import { GROUP_RECORDS } from '../../src/protocol/records/group-schemas.ts'
import { METADATA_RECORDS } from '../../src/protocol/records/metadata-schemas.ts'
import { TRANSACTION_RECORDS } from '../../src/protocol/records/transaction.ts'
import { message } from '../../src/protocol/schema.ts'
import type { Api, Fields, Message } from '../../src/protocol/schema.ts'

async function exportsOf(folder: string): Promise<object[]> {
  const base = new URL(`../../src/protocol/${folder}/`, import.meta.url)
  const files = readdirSync(base).filter((file) => file.endsWith('.ts'))
  const modules = await Promise.all(
    files.map((file) => import(/* @vite-ignore */ new URL(file, base).href) as Promise<object>),
  )
  return modules.flatMap((module) => Object.values(module) as unknown[]).filter((value) => value instanceof Object)
}

export const allApis = (await exportsOf('apis')).filter((value): value is Api => 'request' in value)

const allRecords: Message<Fields>[] = [
  ...(await exportsOf('records')).filter((value): value is Message<Fields> => 'codec' in value),
  ...Object.values({ ...GROUP_RECORDS, ...TRANSACTION_RECORDS }).flatMap(({ key, value }) => [key, value]),
  ...Object.entries(METADATA_RECORDS).map(([name, { versions, fields }]) => {
    return message<Fields>(name, versions, 0, fields)
  }),
]

export const allMessages = [...allApis.flatMap(({ request, response }) => [request, response]), ...allRecords]

/** Each version of each message, with a title. */
export const allVersions = allMessages.flatMap((message) => {
  const [first, last] = message.versions
  return Array.from({ length: last - first + 1 }, (_, i) => {
    return { title: `${message.name} ${first + i}`, message, version: first + i }
  })
})
