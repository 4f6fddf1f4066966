// `npm test`: build, types, lint, and every test; `--with-conformance` adds the tests against foreign programs. All steps
// run even when one fails. Ends with `N passed, N failed`, counted from the results; a step that is no test counts as one.

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const scratch = await mkdtemp(join(tmpdir(), 'ktool-test-'))
const tools = (name) => join(root, 'node_modules', name)

const total = { passed: 0, failed: 0 }
try {
  // The two slow ones side by side: there are two cores.
  await step('build', ['src/build/build.mjs'])
  await Promise.all([
    step('types', [tools('typescript/bin/tsc'), '-p', '.']),
    step('lint', [tools('eslint/bin/eslint.js'), '-c', 'test/eslint.config.js', 'src', 'commands', 'test']),
  ])
  await tests('tests', 'test/vitest.config.ts')
  if (process.argv.includes('--with-conformance')) await tests('conformance', 'test/vitest.conformance.config.ts')
} finally {
  await rm(scratch, { recursive: true, force: true })
}
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

async function step(name, args) {
  const code = await run(args)
  if (code === 0) total.passed++
  else total.failed++
  console.log(`${name}: ${code === 0 ? 'passed' : 'FAILED'}`)
}

async function tests(name, config) {
  const file = join(scratch, `${name}.json`)
  const code = await run([
    tools('vitest/vitest.mjs'),
    'run',
    '--config',
    config,
    // Test suites of other projects that take more than five minutes: run by name (test/conformance/FINDINGS.md).
    '--exclude=test/conformance/suites/*.long.test.ts',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ])
  const results = await readFile(file, 'utf8').then(JSON.parse, () => undefined)
  if (results === undefined) {
    total.failed++
    console.log(`${name}: FAILED before any result`)
    return
  }
  total.passed += results.numPassedTests
  total.failed += results.numFailedTests
  // A file that could not even be loaded, or an error between the tests, has no failed test to its name.
  if (code !== 0 && results.numFailedTests === 0) total.failed += Math.max(1, results.numFailedTestSuites)
  console.log(`${name}: ${results.numPassedTests} passed, ${results.numFailedTests} failed, ${results.numPendingTests} skipped`)
}

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
