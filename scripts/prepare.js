// Builds dist/ when npm prepares the package: after `npm ci`, before packing, and to install it from git.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const { npm_config_global_prefix: prefix, npm_execpath: npm } = process.env

// To prepare `npm install --global git+…`, npm 11 and earlier run `npm install --global` in a temporary clone.
// It installs no packages, and replaces the folder for the package by a link to the clone.
// See https://github.com/npm/cli/issues/8440.
if (!existsSync(join(root, 'node_modules'))) {
  const local = ['--no-global', '--location=project', `--prefix=${root}`, '--include=dev', '--ignore-scripts']
  execFileSync(process.execPath, [npm, 'ci', ...local], { cwd: root, stdio: 'inherit' })
  if (/[\\/]_cacache[\\/]tmp[\\/]git-clone/.test(root)) {
    const installed = join(prefix, process.platform === 'win32' ? '' : 'lib', 'node_modules/claude-batch')
    rmSync(installed, { force: true })
    mkdirSync(installed)
  }
}

await import('./build.js')
