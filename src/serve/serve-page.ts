import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolveAsset } from '../assets.ts'

/** The one page of the server. */
export interface Page {
  readonly html: string
  /** Its Content-Security-Policy: its own script and style, its own server, and nothing else. */
  readonly contentSecurityPolicy: string
}

export async function loadPage(): Promise<Page> {
  const html = await readFile(resolveAsset('./assets/pages/serve.html'), 'utf8')
  const policy = [
    "default-src 'none'",
    `script-src ${computeCspHash('script', html)}`,
    `style-src ${computeCspHash('style', html)}`,
    "connect-src 'self'",
    // Its icon, which is none: without one browsers ask for it.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { html, contentSecurityPolicy: policy }
}

function computeCspHash(tag: string, html: string): string {
  const text = new RegExp(`<${tag}>(.*)</${tag}>`, 's').exec(html)?.[1] ?? ''
  return `'sha256-${hash('sha256', text, 'base64')}'`
}
