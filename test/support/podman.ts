import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listMissing, runCommand } from './examples.ts'

/** Returns why containers cannot be tested, or undefined if they can. */
export function whyNoContainers(): string | undefined {
  if (process.getuid?.() !== 0) return 'podman needs root here'
  const missing = listMissing('podman', 'runc', 'busybox', 'catatonit', 'npm', 'ldd')
  return missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`
}

export interface Podman {
  /** A folder on PATH with the command `docker`, which runs podman. */
  readonly bin: string
  /** Runs podman. @returns what it writes @throws Error if it fails */
  run(...args: readonly string[]): Promise<string>
  /** Removes all containers and images. */
  close(): Promise<void>
}

/**
 * Sets up podman with a separate storage, which has an image with the name `node:24-slim`. Docker Hub has the real one.
 * Like that, this one has Node.js and npm below `/usr/local`, but the Node.js that runs the tests, and busybox in place
 * of Debian.
 */
export async function openPodman(): Promise<Podman> {
  const folder = await mkdtemp(join(tmpdir(), 'podman-'))
  const bin = join(folder, 'bin')
  await mkdir(bin)
  const files = {
    // Neither podman nor runc may raise limits in a sandbox without CAP_SYS_RESOURCE.
    'containers.conf': `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
tmp_dir = "${folder}/tmp"
`,
    'storage.conf': `[storage]
driver = "overlay"
graphroot = "${folder}/storage"
runroot = "${folder}/run"
`,
    'bin/docker': `#!/bin/sh
export CONTAINERS_CONF='${folder}/containers.conf' CONTAINERS_STORAGE_CONF='${folder}/storage.conf'
exec podman "$@"
`,
    'base/Dockerfile': `FROM scratch
COPY root/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
`,
    'base/fill.sh': `
mkdir -p bin etc root tmp usr/bin usr/local/bin usr/local/lib/node_modules
chmod 1777 tmp
echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
cp -L "$1" usr/local/bin/node
ldd "$1" | grep -o '/[^ ]*' | xargs -I{} cp -L --parents {} .
cp -r "$(npm root --global)/npm" usr/local/lib/node_modules/
ln -s ../lib/node_modules/npm/bin/npm-cli.js usr/local/bin/npm
cp "$(command -v busybox)" bin/busybox
for name in sh env touch; do ln -s busybox "bin/$name"; done
ln -s ../../bin/busybox usr/bin/env
`,
  }
  await mkdir(join(folder, 'base/root'), { recursive: true })
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), content, { mode: 0o755 })

  const runOrThrow = async (command: string, args: readonly string[], cwd: string) => {
    const { code, stdout, stderr } = await runCommand(command, args, { cwd, env: process.env })
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} exits with ${code}: ${stderr}`)
    return stdout
  }
  const run = (...args: readonly string[]) => runOrThrow(join(bin, 'docker'), args, folder)
  await runOrThrow('bash', ['-euo', 'pipefail', '../fill.sh', process.execPath], join(folder, 'base/root'))
  await run('build', '--quiet', '--tag', 'docker.io/library/node:24-slim', 'base')
  return {
    bin,
    run,
    async close() {
      await run('system', 'reset', '--force')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
