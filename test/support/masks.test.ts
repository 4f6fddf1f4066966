// What the differential suite takes out of answers, and what it leaves.

import { describe, expect, test } from 'vitest'
import { masked, sortedJson } from '../conformance/support/masks.ts'
import { wordsOf } from '../conformance/tools/play.ts'

const mask = (...lines: string[]): string[] => masked(lines.join('\n'), '127.0.0.1:41234', '/tmp/play').split('\n')
const AT = '\tat org.apache.kafka.tools.TopicCommand.main(TopicCommand.java:96)'
const NOW = '[2026-11-21 12:00:00,123]'

describe('masks', () => {
  test('leave the first line of a trace', () => {
    const trace = ['Exception in thread "main" java.lang.Oops: first', AT, 'Caused by: java.lang.Inner: a', 'b', AT, '\t... 3 more', 'after']
    expect(mask('before', ...trace)).toEqual(['before', 'Exception in thread "main" java.lang.Oops: first', 'after'])
    expect(mask('java.lang.Oops: first', '\tat java.base/java.lang.Thread.run(Native Method)', '', '')).toEqual(['java.lang.Oops: first', '', ''])
  })

  test('take out log records, but not the errors of the tool itself', () => {
    const warning = `${NOW} WARN [AdminClient clientId=adminclient-1] No node. (org.apache.kafka.clients.NetworkClient)`
    expect(mask('a', warning, 'b')).toEqual(['a', 'b'])
    expect(mask(`${NOW} ERROR java.lang.Oops: it`, AT, ' (org.apache.kafka.tools.TopicCommand)', 'b')).toEqual(['ERROR java.lang.Oops: it', 'b'])
    expect(mask(`${NOW} ERROR java.lang.Oops: it (org.apache.kafka.tools.TopicCommand)`, 'b')).toEqual(['ERROR java.lang.Oops: it', 'b'])
    const logged = [`${NOW} ERROR Error processing (kafka.tools.X)`, 'java.lang.Oops: it', AT, 'Caused by: java.lang.Inner', AT]
    expect(mask(...logged, 'b')).toEqual(['ERROR Error processing', 'b'])
    expect(mask(`${NOW} ERROR lost (org.apache.kafka.clients.X)`, 'java.lang.Oops: it', AT, warning, 'b')).toEqual(['b'])
  })

  test('take out tables of options and argparse help, but not the complaint', () => {
    const table = ['Option (* = required)        Description', '-------        -----------', '--a <String>   first', '               second', '* --b']
    expect(mask('Missing', ...table.slice(0, 4), 'after')).toEqual(['Missing', 'OPTIONS (* = required)', 'after'])
    expect(mask('Missing', ...table)).toEqual(['Missing', 'OPTIONS (* = required)', ''])
    expect(mask('usage: kafka-x [-h] COMMAND', '               ...', '', 'kafka-x: error: too few arguments', '')).toEqual(['USAGE', 'kafka-x: error: too few arguments', ''])
    expect(mask('usage: kafka-x [-h]', '', 'About it.', '', 'positional arguments:', '  x')).toEqual(['USAGE', ''])
  })

  test('take out addresses, ids and times', () => {
    expect(mask('127.0.0.1:41234 (id: 1 host 127.0.0.1 port 41234) /tmp/play/file')).toEqual(['ADDRESS (id: 1 host ADDRESS) DIR/file'])
    expect(mask('TopicId: zVos2dh5SdZiA-JJdDDXyA, under-replicated-part')).toEqual(['TopicId: ID, under-replicated-part'])
    expect(mask('CreateTime:1795262400123 retention.ms=604800000 at 2026-11-21T12:00:00.123Z')).toEqual(['CreateTime:TIME retention.ms=604800000 at TIME'])
  })

  test('put JSON in order', () => {
    expect(sortedJson('{"b":[2,1],"a":{"d":1,"c":2}}\n', false)).toBe('{"a":{"c":2,"d":1},"b":[2,1]}\n')
    expect(sortedJson('Received:\n{"b":[2,1]}\nend', true)).toBe('Received:\n{"b":[1,2]}\nend')
  })
})

test('words are split as a shell does', () => {
  expect(wordsOf(`--a 'b c'"d \\" e" $'\\t\\n' '' f\\ g $h`)).toEqual(['--a', 'b cd " e', '\t\n', '', 'f g', '$h'])
  expect(wordsOf('')).toEqual([])
  expect(() => wordsOf("--a 'b")).toThrow('an open quote')
})
