// Builds dist/: main.js, and what it loads, each in one file that holds all of its own code: the commands, every face of
// Apache's tools, the daemon. Run by `npm install` in a clone and by `npm pack`; never on a user's machine. Everything is
// bundled, so that nothing else is needed at run time; as CommonJS, which Node starts sooner than modules.

import { build } from 'esbuild'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))

/** Packages that some runs need and others don't, as they are imported: files of their own, used by all bundles. */
const PACKAGES = {
  'kafkajs/src/network/connection.js': 'kafkajs',
  'kafkajs/src/broker/saslAuthenticator/index.js': 'kafkajs-login',
  '@foxglove/wasm-zstd': 'zstd',
  'cli-table3': 'cli-table3',
  'dot-properties': 'dot-properties',
  chalk: 'chalk',
  inquirer: 'inquirer',
}

/** Where the bundles of main.js go, by the folders that it imports them from. */
const BUNDLES = { commands: 'client', 'commands/kafka': 'faces', src: 'broker' }

// Built beside and moved into place, so that a ktool that runs meanwhile finds whole bundles.
const fresh = join(root, `dist.${process.pid}`)

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  // require() instead: import() would load CommonJS by way of modules, which takes several times as long.
  supported: { 'dynamic-import': false },
  // Names stay: they are in error messages and stack traces. White space alone is half of the size.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  charset: 'utf8',
  // As in the modules that it is made from.
  banner: { js: "'use strict';" },
  // zstd's WebAssembly is read from beside the code that loads it.
  loader: { '.wasm': 'copy' },
  assetNames: '[name]',
  define: { KTOOL_VERSION: JSON.stringify(version) },
  // oclif would use these to run from source, if they were there.
  external: ['typescript', 'tsx', 'ts-node'],
  logLevel: 'warning',
}

/** What main.js loads, by the names that the files get in dist/; found while it is built. */
const bundles = {}

const bundlesAreFiles = {
  name: 'bundles-are-files',
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) => {
      const file = relative(root, join(resolveDir, path))
      const folder = BUNDLES[dirname(file)]
      if (kind !== 'dynamic-import' || file === 'commands/kafka/index.ts') return undefined
      const name = `${folder}/${basename(file, '.ts')}`
      bundles[name] = file
      return { path: `./${name}.js`, external: true }
    })
  },
}

const packagesAreFiles = {
  name: 'packages-are-files',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path }) => {
      return path in PACKAGES ? { path: `../packages/${PACKAGES[path]}.js`, external: true } : undefined
    })
  },
}

/** Code in the place of packages' own. */
const replaced = (name, filter, contents) => ({
  name,
  setup(build) {
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: name }))
    build.onLoad({ filter: /./, namespace: name }, () => ({ contents }))
  },
})

// oclif's ways to search folders for plugins and to fill in templates: what ktool has is in its table of commands.
const noPlugins = replaced('no-plugins', /^(ejs|lilconfig|minimatch|tinyglobby)$/, 'module.exports = {}')

// A connection of kafkajs loads all of its protocol, which logins alone need: 8 ms.
const lateLogin = replaced(
  'late-login',
  /^\.\.\/broker\/saslAuthenticator$/,
  "module.exports = function (...words) { const Login = require('./kafkajs-login.js'); return new Login(...words) }",
)

try {
  await build({ ...common, entryPoints: ['src/main.ts'], outdir: fresh, plugins: [bundlesAreFiles] })
  const packages = Object.entries(PACKAGES).map(([path, name]) => [name, path])
  await Promise.all([
    build({ ...common, entryPoints: bundles, outdir: fresh, plugins: [packagesAreFiles, noPlugins] }),
    build({ ...common, entryPoints: Object.fromEntries(packages), outdir: join(fresh, 'packages'), plugins: [lateLogin], external: ['./kafkajs-login.js'] }),
  ])
  await writeFile(join(fresh, 'package.json'), '{ "type": "commonjs" }\n')
  await chmod(join(fresh, 'main.js'), 0o755)
  await rm(join(root, 'dist'), { recursive: true, force: true })
  await rename(fresh, join(root, 'dist'))
} finally {
  await rm(fresh, { recursive: true, force: true })
}
