import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findTool, type InstalledTools, installTools } from './installed-tools.ts'

const run = promisify(execFile)

/** Returns the command that runs a module, without the path of the module. */
type Runtime = (tools: InstalledTools) => Promise<readonly string[]>

/** Installs Bun and Deno. */
export const installRuntimes = (): Promise<InstalledTools> => installTools('bun@1.4.5', 'deno@2.9.6')

const runNode =
  (version: string): Runtime =>
  async () => {
    const { stdout } = await run('npx', ['--yes', '-p', `node@${version}`, 'node', '-p', 'process.execPath'])
    return [stdout.trim()]
  }

/** Returns the command of Deno with these permissions, for packages in `node_modules`. */
export const runDeno =
  (...permissions: readonly string[]): Runtime =>
  async (tools) => [
    findTool(tools, 'deno'),
    'run',
    '--no-prompt',
    '--node-modules-dir=manual',
    ...permissions,
  ]

const network = '--allow-net=127.0.0.1,localhost,api.test'

/** Every runtime that the library supports; of Node.js, the oldest version and the newest of each line. */
export const runtimes: readonly (readonly [name: string, runtime: Runtime])[] = [
  ...['20.19.0', '22', '24', '26'].map((version) => [`Node ${version}`, runNode(version)] as const),
  ['Bun', async (tools) => [findTool(tools, 'bun'), 'run']],
  ['Deno', runDeno('--allow-env', network)],
]
