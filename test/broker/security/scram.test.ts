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
function clientFinal(mechanism: typeof sha256, password: string, bare: string, serverFirst: string, header = 'n,,', before = ''): string {
  const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), mechanism.size, mechanism.hash)
  const clientKey = createHmac(mechanism.hash, salted).update('Client Key').digest()
  const storedKey = createHash(mechanism.hash).update(clientKey).digest()
  const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${before}${nonce}`
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

test.each(['', 'abc'])('SCRAM-SHA-512, a name with a comma and an equals sign; old librdkafka has its nonce twice: %j', (before) => {
  const users = usersOf({ 'a,b=c': credentialOf(sha512, 'secret', Buffer.alloc(26, 7), 8192) })
  const exchange = new ScramExchange(sha512, users)
  const bare = 'n=a=2Cb=3Dc,r=abc'
  const first = step(exchange, `n,,${bare}`).reply.toString()
  const { reply, user } = step(exchange, clientFinal(sha512, 'secret', bare, first, 'n,,', before))
  expect(user).toBe('a,b=c')
  expect(reply.toString()).toMatch(/^v=[A-Za-z0-9+/]{86}==$/)
})

describe('a login fails', () => {
  const salt = Buffer.alloc(26, 1)
  const users = usersOf({ ann: credentialOf(sha256, 'secret', salt), old: credentialOf(sha256, 'secret', salt, 1024) })

  /** What the client is told, undefined for nothing in particular; fails when the login succeeds. */
  function told(firstMessage: string, final: (first: string) => string, mechanism = sha256): string | undefined {
    const exchange = new ScramExchange(mechanism, users)
    try {
      const first = step(exchange, firstMessage).reply.toString()
      step(exchange, final(first))
    } catch (error) {
      if (!(error instanceof LoginError)) throw error
      expect(() => step(exchange, final('r=abc,s=AA==,i=1'))).toThrow(LoginError) // there is no second attempt
      return error.told
    }
    throw new Error('logged in')
  }
  const right = (first: string) => clientFinal(sha256, 'secret', 'n=ann,r=abc', first)

  test('with a wrong password, for a name that is not there, or with too few iterations, in the same words', () => {
    expect(told('n,,n=ann,r=abc', (first) => clientFinal(sha256, 'guess', 'n=ann,r=abc', first))).toBeUndefined()
    expect(told('n,,n=bob,r=abc', (first) => clientFinal(sha256, 'secret', 'n=bob,r=abc', first))).toBeUndefined()
    expect(told('n,,n=old,r=abc', (first) => clientFinal(sha256, 'secret', 'n=old,r=abc', first))).toBeUndefined()
  })

  test('with another nonce, channel binding or authorization id, as a token, and with proofs of any other size', () => {
    expect(told('n,,n=ann,r=abc', (first) => right(first).replace(',r=abc', ',r=abd'))).toBeUndefined()
    expect(told('n,,n=ann,r=abc', (first) => clientFinal(sha256, 'secret', 'n=ann,r=abc', first, 'y,,'))).toBeUndefined()
    expect(told('n,a=bob,n=ann,r=abc', right)).toMatch(/authorization id/)
    expect(told('n,,n=ann,r=abc,tokenauth=true', right)).toBeUndefined()
    for (const proof of ['', 'AAAA', 'A'.repeat(88)]) {
      expect(told('n,,n=ann,r=abc', (first) => right(first).replace(/,p=.*/, `,p=${proof}`))).toBeUndefined()
    }
  })

  test('but succeeds with what is right', () => {
    expect(() => told('n,,n=ann,r=abc', right)).toThrow('logged in')
    expect(() => told('n,a=ann,n=ann,r=abc', (first) => clientFinal(sha256, 'secret', 'n=ann,r=abc', first, 'n,a=ann,'))).toThrow('logged in')
  })

  test('a name that is not there keeps its salt, and has the look of the others', () => {
    const saltOf = (name: string) => {
      const first = step(new ScramExchange(sha256, users), `n,,n=${name},r=abc`).reply.toString()
      const [, salt64, iterations] = /s=([^,]+),i=(\d+)$/.exec(first) ?? []
      return { salt: salt64, bytes: Buffer.from(salt64, 'base64').length, iterations }
    }
    expect(saltOf('nobody')).toEqual(saltOf('nobody'))
    expect(saltOf('nobody').salt).not.toBe(saltOf('somebody').salt)
    expect(saltOf('nobody')).toMatchObject({ bytes: 26, iterations: '4096' })
  })
})

describe('messages', () => {
  test('anything is a message or is not, and never more', () => {
    const pieces = fc.constantFrom('n', 'y', 'p=x', ',', 'n=', 'r=', 'a=', 'c=', 'p=', 'biws', '=2C', '=', 'm=1', 'x=y', 'é', '\0', 'ann')
    const texts = fc.oneof(fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join('')), fc.string())
    fc.assert(
      fc.property(texts, (text) => {
        const first = parseClientFirst(Buffer.from(text))
        if (first !== undefined) {
          expect(first.gs2Header + first.bare).toBe(text)
          expect(first.user).not.toBe('')
        }
        const final = parseClientFinal(Buffer.from(text))
        if (final !== undefined) expect(text.startsWith(`${final.withoutProof},p=`)).toBe(true)
      }),
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseClientFirst(Buffer.from(bytes))))
  })

  test('every name comes through', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => !name.includes('\0')), (name) => {
        const escaped = name.replaceAll('=', '=3D').replaceAll(',', '=2C')
        expect(parseClientFirst(Buffer.from(`n,,n=${escaped},r=x`))?.user).toBe(name)
      }),
    )
  })

  test.each([
    '', 'n,,', 'n,,n=,r=x', 'n,,n=a', 'n,,n=a,r=', 'n,,n=a=,r=x', 'n,,n=a=2c,r=x', 'p=tls-unique,,n=a,r=x', 'n,b,n=a,r=x',
    'n,,m=x,n=a,r=x', 'n,,n=a,r=x y', 'n,,n=a,r=x,1=2',
  ])('%j is none', (text) => expect(parseClientFirst(Buffer.from(text))).toBeUndefined()) // prettier-ignore
})
