import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Returns the license texts that must be shipped with the bundled packages.
 * @param packages from packagesOf
 * @throws Error if a package has no license text
 */
export async function licences(packages) {
  const notices = await Promise.all(packages.map(noticeOf))
  const intro = 'claude-batch contains these packages, whole or in part, each under its own licence.\n'
  return `${[intro, ...notices.sort()].join(`\n${'='.repeat(78)}\n\n`)}`
}

async function noticeOf({ folder, name, version, license }) {
  const textsOf = async (names) => {
    const files = (await readdir(folder)).filter((file) => names.test(file)).sort()
    return Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  }
  const texts = await textsOf(/^(licen[cs]e|notice|copying)/i)
  // Some packages have the license only at the end of their README.
  if (texts.length === 0)
    texts.push(
      ...(await textsOf(/^readme/i)).flatMap((text) => /^#+ licen[cs]e\b[\s\S]+/im.exec(text)?.[0] ?? []),
    )
  if (texts.length === 0) throw new Error(`${name} has no license text`)
  return `${name} ${version} (${license})\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}`
}
