import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolveAsset } from '../assets.ts'

/** The server's web page. */
export interface Page {
  readonly html: string
  /** Allows only the page's own script and style, and requests to its own server. */
  readonly contentSecurityPolicy: string
}

/**
 * Loads the page and computes its Content-Security-Policy.
 * @param simulated whether the answers come from the simulator, so that the page shows a banner
 */
export async function loadPage({ simulated = false } = {}): Promise<Page> {
  const file = await readFile(resolveAsset('./assets/pages/serve.html'), 'utf8')
  const html = simulated ? file.replace('id="simulated" hidden', 'id="simulated"') : file
  const policy = [
    "default-src 'none'",
    `script-src ${computeCspHash('script', html)}`,
    `style-src ${computeCspHash('style', html)}`,
    "connect-src 'self'",
    // For the empty icon; without one, browsers request /favicon.ico.
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
