// Who a client is by its certificate, and PLAIN's and JAAS's words. `subjects` has certificates made by openssl, and in
// java.txt what Java 17's X500Principal.getName() says of their subjects.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { distinguishedName } from '../../../src/broker/security/distinguished-name.ts'
import { parsePlain, plainExchange, plainUsers } from '../../../src/broker/security/plain.ts'
import { principalMapping } from '../../../src/broker/security/principal-mapping.ts'
import { LoginError } from '../../../src/broker/security/sasl.ts'
import { SettingError } from '../../../src/protocol/setting-error.ts'

const file = (name: string): string => readFileSync(new URL(`./subjects/${name}`, import.meta.url), 'utf8')
const names = file('java.txt').trimEnd().split('\n')

test.each(names.map((name, i) => [`c${i + 1}.pem`, name]))('the subject of %s is %s', (certificate, name) => {
  expect(distinguishedName(new X509Certificate(file(certificate)).raw)).toBe(name)
})

describe('ssl.principal.mapping.rules', () => {
  test.each([
    ['', 'CN=a,O=b', 'CN=a,O=b'],
    ['DEFAULT', 'CN=a,O=b', 'CN=a,O=b'],
    ['RULE:^CN=(.*?),.*$/$1/', 'CN=Ann,O=b', 'Ann'],
    ['RULE:^CN=(.*?),.*$/$1@$2/L', 'CN=Ann,O=b', 'ann@$2'],
    ['RULE:^CN=(.*?),OU=(.*?)$/$2\\/$1/U, DEFAULT', 'CN=a,OU=b', 'B/A'],
    ['RULE:^OU=.*$/x/, RULE:^CN=a$/y/L', 'CN=a', 'y'],
    ['RULE:CN=a/y/', 'CN=ab', undefined],
  ])('%s makes of %s: %s', (rules, subject, name) => expect(principalMapping(rules)(subject)).toBe(name)) // prettier-ignore

  test.each(['RULE', 'RULE:a', 'RULE:(/x/', 'RULE:a/b/X', 'default'])('%s is refused', (rules) => {
    expect(() => principalMapping(rules)).toThrow(SettingError)
  })

  test('anything is rules or is refused', () => {
    const pieces = fc.constantFrom('RULE:', 'DEFAULT', '/', ',', '$1', '(.*)', 'L', '\\', ' ', 'CN=')
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 15 }), fc.string(), (parts, subject) => {
        try {
          principalMapping(parts.join(''))(subject)
        } catch (error) {
          expect(error).toBeInstanceOf(SettingError)
        }
      }),
    )
  })
})

describe('PLAIN', () => {
  const users = plainUsers(new Map([['user_ann', 'ann secret'], ['username', 'x'], ['password', 'y'], ['user_ünï', 'pässwörd']])) // prettier-ignore
  const login = (text: string): string | undefined => plainExchange(users).step(Buffer.from(text)).user

  test('logs in who is there, with or without an authorization id', () => {
    expect(login('\0ann\0ann secret')).toBe('ann')
    expect(login('ann\0ann\0ann secret')).toBe('ann')
    expect(login('\0ünï\0pässwörd')).toBe('ünï')
  })

  test.each([
    ['\0ann\0guess', 'Authentication failed: Invalid username or password'],
    ['\0bob\0ann secret', 'Authentication failed: Invalid username or password'],
    ['\0username\0x', 'Authentication failed: Invalid username or password'],
    ['bob\0ann\0ann secret', 'Authentication failed: Client requested an authorization id that is different from username'],
    ['\0\0x', 'Authentication failed: username not specified'],
    ['\0ann\0', 'Authentication failed: password not specified'],
    ['ann', 'Invalid SASL/PLAIN response: expected 3 tokens, got 1'],
    ['\0\0\0\0\0', 'Invalid SASL/PLAIN response: expected 3 tokens, got 4'],
  ])('%j: %s', (text, told) => expect(() => login(text)).toThrow(told)) // prettier-ignore

  test('anything is three parts or a LoginError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.array(fc.constantFrom('\0', 'a', 'é'), { maxLength: 8 }).map((parts) => parts.join(''))), (text) => {
        try {
          const { authorizationId, user, password } = parsePlain(Buffer.from(text))
          expect([authorizationId, user, password].join('\0')).toBe(text)
        } catch (error) {
          expect(error).toBeInstanceOf(LoginError)
        }
      }),
    )
  })
})
