// `npm start`, past the build: it does the main job, and leaves nothing, also when it is interrupted.

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const demo = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src', 'build', 'demo.mjs')

let scratch = ''
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ktool-demo-test-'))
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

/** `killAt`: a text at which it is interrupted. */
function run(killAt?: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [demo], { env: { ...process.env, TMPDIR: scratch }, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      if (killAt !== undefined && stdout.includes(killAt)) child.kill('SIGINT')
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    // Its pipes are closed only when the broker, too, has gone.
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

test('it creates, produces and consumes, and cleans up', async () => {
  const { code, stdout, stderr } = await run()
  expect(stderr).toContain('Processed a total of 3 messages')
  expect(stdout).toContain('$ ktool topics --create --topic greetings --partitions 3\ncreated topic greetings with 3 partitions\n')
  expect(stdout).toMatch(/--max-messages 3\nhello\nfrom\nktool\n/)
  expect(code).toBe(0)
  expect(readdirSync(scratch)).toEqual([])
}, 60_000)

test.each(['broker run', 'listening on', 'created topic'])('interrupted at %j it cleans up, too', async (killAt) => {
  const { code, stderr } = await run(killAt)
  expect(stderr).not.toContain('demo:')
  expect(code).toBe(130)
  expect(readdirSync(scratch)).toEqual([])
}, 60_000)
