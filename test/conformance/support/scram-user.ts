// SCRAM users for suites that log in, made as Kafka's tools make them.

import { pbkdf2Sync } from 'node:crypto'
import { AlterUserScramCredentials } from '../../../src/protocol/apis/alter-user-scram-credentials.ts'
import { RawClient } from '../../support/raw-client.ts'

const MECHANISMS = { 'SCRAM-SHA-256': { type: 1, hash: 'sha256', bytes: 32 }, 'SCRAM-SHA-512': { type: 2, hash: 'sha512', bytes: 64 } }
const ITERATIONS = 8192

/** `address` is a listener that asks nobody who he is. One request each: Kafka refuses two changes of a user in one. */
export async function addScramUser(
  address: string,
  name: string,
  passwords: Readonly<Partial<Record<keyof typeof MECHANISMS, string>>>,
): Promise<void> {
  const client = await RawClient.open(Number(address.split(':')[1]))
  const salt = Buffer.from('salt of the test')
  for (const [mechanism, { type, hash, bytes }] of Object.entries(MECHANISMS)) {
    const password = passwords[mechanism as keyof typeof MECHANISMS]
    if (password === undefined) continue
    const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, bytes, hash)
    const upsertions = [{ name, mechanism: type, iterations: ITERATIONS, salt, saltedPassword }]
    const { results } = await client.call(AlterUserScramCredentials, 0, { deletions: [], upsertions })
    if (results[0].errorCode !== 0) throw new Error(`no SCRAM user: ${results[0].errorMessage ?? results[0].errorCode}`)
  }
  client.close()
}
