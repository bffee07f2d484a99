import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { acceptsConnections, findFreePort } from './free-port.ts'
import { longWait } from './long-wait.ts'
import { createFolder } from './run-cli.ts'

// Debian installs nginx in a folder that is only in the PATH of root.
const env = { PATH: `${process.env['PATH']}:/usr/sbin` }

/** Returns why nginx is unavailable, or undefined if it is available. */
export function whyNginxUnavailable(): string | undefined {
  return spawnSync('nginx', ['-v'], { env }).status === 0 ? undefined : 'needs nginx (Debian: nginx-light)'
}

/** Starts nginx with this content of its `server` block and its defaults otherwise. @returns its address */
export async function startNginx(server: string): Promise<string> {
  const prefix = await createFolder({})
  const port = await findFreePort()
  // One worker, so that nginx handles events one after the other.
  const conf = `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}`
  await writeFile(join(prefix, 'nginx.conf'), conf)
  const child = spawn('nginx', ['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr'], { env })
  let logged = ''
  child.stderr.on('data', (chunk) => {
    logged += String(chunk)
  })
  const closed = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await closed
  })
  await vi.waitUntil(() => {
    if (child.exitCode !== null) throw new Error(`nginx: ${logged}`)
    return acceptsConnections(port)
  }, longWait)
  return `http://127.0.0.1:${port}`
}
