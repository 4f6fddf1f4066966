// Builds dist/: main.js, and one bundle each for the commands (client/), the faces of Apache's tools (faces/)
// and the daemon (broker/). Run by `npm install` in a
// clone and by `npm pack`; never on a user's machine. Everything is bundled, so that nothing else is needed at run time.

import { build } from 'esbuild'
import { chmod, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

/** The bundles: where each goes, and its entry. main.js knows the others by these paths. */
const BUNDLES = { client: 'commands/index.ts', faces: 'commands/kafka/index.ts', broker: 'src/daemon-main.ts' }

const common = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Names stay: they are in error messages and stack traces. White space alone is half of the size.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  charset: 'utf8',
  // zstd's WebAssembly is read from beside the code that loads it.
  loader: { '.wasm': 'copy' },
  assetNames: '[name]',
  define: { KTOOL_VERSION: JSON.stringify(version) },
  // oclif would use these to run from source, if they were there.
  external: ['typescript', 'tsx', 'ts-node'],
  logLevel: 'warning',
}

// CommonJS packages inside an ESM bundle look for these.
const REQUIRE = `import { createRequire as $require } from 'node:module';
import { dirname as $dirname } from 'node:path';
import { fileURLToPath as $path } from 'node:url';
const require = $require(import.meta.url), __filename = $path(import.meta.url), __dirname = $dirname(__filename);`

/** main.ts imports the bundles' entries; in dist these are files of their own. */
const bundlesAreExternal = {
  name: 'bundles-are-external',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
      const file = relative(root, join(resolveDir, path))
      const name = Object.keys(BUNDLES).find((name) => BUNDLES[name] === file)
      return name && kind === 'dynamic-import' ? { path: `./${name}/${basename(file, '.ts')}.js`, external: true } : undefined
    })
  },
}

// Built beside and moved into place, so that a ktool that runs meanwhile finds whole bundles.
const fresh = join(root, `dist.${process.pid}`)
try {
  const main = { ...common, splitting: false, entryPoints: ['src/main.ts'], outdir: fresh, plugins: [bundlesAreExternal] }
  const bundles = Object.entries(BUNDLES).map(([name, entry]) => {
    return build({ ...common, entryPoints: [entry], outdir: join(fresh, name), banner: { js: REQUIRE } })
  })
  await Promise.all([build(main), ...bundles])
  await chmod(join(fresh, 'main.js'), 0o755)
  await rm(join(root, 'dist'), { recursive: true, force: true })
  await rename(fresh, join(root, 'dist'))
} finally {
  await rm(fresh, { recursive: true, force: true })
}
