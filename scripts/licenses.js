import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Returns the license texts that must be shipped with the bundled packages, and the notices in their files.
 * @param packages from packagesOf
 * @throws Error if a package has no license text
 */
export async function licences(packages) {
  const notices = await Promise.all(packages.map(noticeOf))
  const intro = 'claude-batch contains these packages, whole or in part, each under its own licence.\n'
  return `${[intro, ...notices.sort()].join(`\n${'='.repeat(78)}\n\n`)}`
}

async function noticeOf({ folder, files, name, version, license }) {
  const folders = new Set([folder, ...files.map(dirname)])
  const texts = (await Promise.all(Array.from(folders, (path) => readTexts(path, licenseNames)))).flat()
  // Some packages have the license only at the end of their README.
  if (texts.length === 0)
    texts.push(
      ...(await readTexts(folder, /^readme/i)).flatMap(
        (text) => /^#+ licen[cs]e\b[\s\S]+/im.exec(text)?.[0] ?? [],
      ),
    )
  if (texts.length === 0) throw new Error(`${name} has no license text`)
  const notices = (
    await Promise.all(files.filter((path) => !licenseNames.test(path)).map(readNotices))
  ).flat()
  const unique = new Set([...texts, ...notices].map((text) => `${text.trim()}\n`))
  return `${name} ${version} (${license})\n\n${[...unique].join('\n')}`
}

const licenseNames = /^(licen[cs]e|notice|copying)/i

async function readTexts(folder, names) {
  const files = (await readdir(folder)).filter((file) => names.test(file)).sort()
  return Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
}

/** Returns the comments of a file about copyright: packages contain code of others, and the build removes comments. */
async function readNotices(path) {
  const text = await readFile(path, 'utf8')
  const comments = text.match(/\/\*[\s\S]*?\*\/|(^[ \t]*\/\/.*\n)+/gm) ?? []
  // core-js, which is part of pdf.js, states its copyright in its code.
  const inCode = /copyright: ?"(©[^"]+)", ?license: ?"([^"]+)"/.exec(text)
  return [
    ...comments.filter((comment) => /copyright|\b(MIT|BSD|Apache)\b.*licen[cs]e/i.test(comment)),
    ...(inCode === null ? [] : [`${inCode[1]}\n${inCode[2]}`]),
  ].map((notice) => notice.replace(/^[ \t]*(\/\*+!?|\*\/|\*|\/\/)[ \t]?/gm, '').replace(/\*\/$/, ''))
}
