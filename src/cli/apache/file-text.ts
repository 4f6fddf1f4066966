// Whole files as Apache's tools read them.

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { JavaError } from './java-errors.ts'

/** undefined where there is none. */
export function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Utils.readFileAsString. Throws the JavaError of a file that can't be read. */
export async function readJavaFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new JavaError('java.io.IOException', `Unable to read file ${path}`, { cause: error })
  }
}
