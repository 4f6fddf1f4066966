// A reporter for node --test: one JSON line for each test that has ended, and nothing of the tests' own talk.

export default async function* reporter(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const isSkipped = (data.skip ?? data.todo) !== undefined
    const outcome = isSkipped ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed'
    const why = outcome === 'failed' ? String(data.details?.error?.cause?.stack ?? data.details?.error?.message) : undefined
    yield `${JSON.stringify({ file: data.file, name: data.name, nesting: data.nesting, outcome, why })}\n`
  }
}
