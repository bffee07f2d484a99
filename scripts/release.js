// Makes the commit and the tag of a release: sets the version in package.json and package-lock.json, and turns the
// section "Unreleased" of CHANGELOG.md into one for the version, with the date (UTC). It pushes and publishes nothing.
//
//   npm run release -- 0.2.0    or: patch, minor, major
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const [wanted = ''] = process.argv.slice(2)
const { version: current, repository } = readJson('package.json')
const changelog = readFileSync('CHANGELOG.md', 'utf8')
const version = /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(wanted) ? wanted : raise(current, wanted)
if (version === undefined) {
  console.error('usage: npm run release -- <version>, for example 0.2.0, patch, minor or major')
  process.exit(2)
}

const tag = `v${version}`
const problems = findProblems()
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)

const head = git('rev-parse', 'HEAD')
try {
  setVersions()
  const date = new Date().toISOString().slice(0, 10)
  const heading = `## Unreleased\n\n## ${version} – ${date}\n`
  writeFileSync('CHANGELOG.md', changelog.replace(/^## Unreleased\n/m, heading))
  git('commit', '--quiet', '--all', '--message', `Release ${version}`)
  git('tag', '--annotate', tag, '--message', `claude-batch ${version}`)
} catch (error) {
  git('reset', '--quiet', '--hard', head)
  console.error(`${error.message}\nNo release was made, and no file is changed.`)
  process.exit(1)
}

const next = [
  [`git show ${tag}`, 'read what the release changes'],
  ['git push --follow-tags', 'push it; .github/workflows/release.yml then publishes the package'],
  [`git tag -d ${tag} && git reset --hard HEAD~1`, 'or undo it, before the push'],
]
console.log(`Committed and tagged ${tag}. Nothing is pushed or published. Next:`)
for (const [command, purpose] of next) console.log(`  ${command.padEnd(48)} # ${purpose}`)

/** Returns why there can be no release now. */
function findProblems() {
  const sections = changelog.split(/^## /m)
  const unreleased = sections.find((section) => section.startsWith('Unreleased\n'))
  const isCurrentReleased = sections.some((section) => section.startsWith(`${current} – `))
  const order = version.localeCompare(current, 'en', { numeric: true })
  const checks = [
    [git('status', '--porcelain') === '', 'the working tree has changes; commit or stash them'],
    [git('branch', '--show-current') === 'main', 'the current branch is not main; switch to it'],
    [git('tag', '--list', tag) === '', `the tag ${tag} exists; choose a higher version`],
    [
      isCurrentReleased ? order > 0 : order >= 0,
      `${version} is not higher than ${current}, the version in package.json; choose a higher one`,
    ],
    [
      /^- /m.test(unreleased ?? ''),
      'CHANGELOG.md lists nothing under "## Unreleased"; describe the changes there',
    ],
    // The registry refuses a package whose provenance names another repository than this field.
    [repository, 'package.json has no repository, which publishing with provenance needs; add it'],
  ]
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem)
}

/** Returns the next version of a kind (patch, minor, major), or undefined for another word. */
function raise(version, kind) {
  const [major, minor, patch] = version.split('.').map(Number)
  const next = new Map([
    ['major', [major + 1, 0, 0]],
    ['minor', [major, minor + 1, 0]],
    ['patch', [major, minor, patch + 1]],
  ])
  return next.get(kind)?.join('.')
}

function setVersions() {
  const lock = readJson('package-lock.json')
  lock.version = version
  lock.packages[''].version = version
  writeJson('package-lock.json', lock)
  writeJson('package.json', { ...readJson('package.json'), version })
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trimEnd()
}
