// SCRAM's arithmetic and messages against the RFCs, and what a login may not tell.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LoginError } from '../../../src/broker/security/sasl.ts'
import { parseClientFinal, parseClientFirst } from '../../../src/broker/security/scram-messages.ts'
import {
  SCRAM_MECHANISMS, ScramExchange, scramKeys, type ScramCredential, type ScramUsers,
} from '../../../src/broker/security/scram.ts' // prettier-ignore

const [sha256, sha512] = SCRAM_MECHANISMS

function credentialOf(mechanism: typeof sha256, password: string, salt: Buffer, iterations = 4096): ScramCredential {
  const salted = pbkdf2Sync(password, salt, iterations, mechanism.size, mechanism.hash)
  return { salt, iterations, ...scramKeys(mechanism, salted) }
}

function usersOf(users: Readonly<Record<string, ScramCredential>>): ScramUsers {
  return { find: (_mechanism, name) => users[name], any: () => Object.values(users).at(0) }
}

/** The client's side, from what the server sends. */
function clientFinal(mechanism: typeof sha256, password: string, bare: string, serverFirst: string, header = 'n,,'): string {
  const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), mechanism.size, mechanism.hash)
  const clientKey = createHmac(mechanism.hash, salted).update('Client Key').digest()
  const storedKey = createHash(mechanism.hash).update(clientKey).digest()
  const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${nonce}`
  const signature = createHmac(mechanism.hash, storedKey).update(`${bare},${serverFirst},${withoutProof}`).digest()
  return `${withoutProof},p=${Buffer.from(clientKey.map((byte, i) => byte ^ signature[i])).toString('base64')}`
}

const step = (exchange: ScramExchange, text: string) => exchange.step(Buffer.from(text))

test('RFC 7677, section 3', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const users = usersOf({ user: credentialOf(sha256, 'pencil', salt) })
  const exchange = new ScramExchange(sha256, users, () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0')
  const first = step(exchange, 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  expect(first.user).toBeUndefined()
  expect(first.reply.toString()).toBe('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')
  const last = step(
    exchange,
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  expect(last.reply.toString()).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  expect(last.user).toBe('user')
})
