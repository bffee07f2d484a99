import {
  AccountError,
  BatchError,
  BudgetExceededError,
  RunError,
  UnknownBatchError,
  UnknownPriceError,
  UnreachableError,
  WaitTooLongError,
} from './core/errors/run-error.ts'

/**
 * The ways in which a run can end, with exit code, meaning and advice about running again. The help, the
 * README and the code use this one table. Later versions may add codes, so scripts should treat an unknown
 * code as a failure.
 */
export const exitCodes = {
  ok: { code: 0, meaning: 'every document has a summary, or there was nothing to do', retry: '–' },
  failed: {
    code: 1,
    meaning:
      'the run finished; at least one document has an error record, an export lacks summaries, or a merge lacks shards',
    retry: 'see the records',
  },
  usage: {
    code: 2,
    meaning: 'a wrong flag, value or configuration, or no credentials: nothing sent, nothing written',
    retry: 'no',
  },
  noInput: {
    code: 3,
    meaning:
      'an input does not exist, or nothing matches: nothing sent, nothing written; or a folder that had documents is now empty',
    retry: 'no',
  },
  serviceRefused: {
    code: 4,
    meaning:
      'the API refuses every request (401, 402, 403, unknown model, TLS, redirect), or the first documents all fail alike; unfinished documents stay pending',
    retry: 'after fixing it',
  },
  limitReached: {
    code: 5,
    meaning: 'the run reached a limit that you set: --max-cost, --max-cost-per, --time-limit, --max-failures',
    retry: 'yes',
  },
  ioError: {
    code: 6,
    meaning:
      'a local problem: the output folder, the ledger or stdout cannot be written, or a port is in use',
    retry: 'after fixing it',
  },
  locked: { code: 7, meaning: 'another run holds this output folder', retry: 'later' },
  bug: { code: 70, meaning: 'a bug in claude-batch', retry: 'report it' },
  temporaryFailure: {
    code: 75,
    meaning: 'only transient failures are left, or the API asked for a wait longer than --max-wait',
    retry: 'yes, unchanged',
  },
  hangup: {
    code: 129,
    meaning: 'stopped by SIGHUP; claude-batch saves the replies in flight first',
    retry: 'yes',
  },
  interrupt: {
    code: 130,
    meaning:
      'stopped by Ctrl-C or SIGINT, after saving like SIGHUP; a shell loop around the command stops too',
    retry: 'yes',
  },
  terminate: { code: 143, meaning: 'stopped by SIGTERM, after saving like SIGHUP', retry: 'yes' },
  brokenPipe: { code: 141, meaning: 'the program that reads stdout closed it, for example head', retry: '–' },
} as const satisfies Record<string, { code: number; meaning: string; retry: string }>

export type Exit = keyof typeof exitCodes

/** Exits by precedence: if a run ends in several ways, it exits with the first of these. */
const exitPrecedence = [
  'interrupt',
  'terminate',
  'hangup',
  'brokenPipe',
  'bug',
  'usage',
  'ioError',
  'locked',
  'serviceRefused',
  'limitReached',
  'failed',
  'temporaryFailure',
  'noInput',
  'ok',
] as const satisfies readonly Exit[]

/** Returns the exit that takes precedence over the others; `ok` for an empty list. */
export function chooseExit(exits: readonly Exit[]): Exit {
  return exitPrecedence.find((exit) => exits.includes(exit)) ?? 'ok'
}

/**
 * Wrong use, found before claude-batch sent or wrote anything. The message is one line that names the flag or
 * file and says what to do.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly exit: Exit = 'usage'
}

/**
 * Flags or arguments on the command line that are wrong or contradict each other. `runCli` adds to the message
 * which help to read.
 */
export class CommandLineError extends UsageError {}

/** Ends a command with an exit code. The message is one line: what happened and what to do next. */
export class ExitError extends RunError {
  override readonly name = 'ExitError'
  readonly exit: Exit

  constructor(exit: Exit, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}

/** The exit and message of a run that cannot continue. */
export interface Ending {
  readonly exit: Exit
  /** One line that says what happened and what to do next. */
  readonly text: string
  /** Whether the text already says how to continue, so that {@link formatResumeHint} adds nothing. */
  readonly saysHowToContinue?: boolean
}

/** Returns the hint to run the command again; empty if the text of the ending already says how to continue. */
export function formatResumeHint({ exit, saysHowToContinue = false }: Ending): string {
  return exit === 'temporaryFailure' || saysHowToContinue ? '' : '; to continue, run the same command again'
}

const again = '; run the same command again later'

/** Maps the errors that end a run to exits and messages. */
const endings = [
  ending(ExitError, ({ exit, message }) => ({ exit, text: message })),
  ending(BudgetExceededError, (error) => ({
    exit: 'limitReached',
    text: `${error.describe('--max-cost')}${error.isForPeriod ? `${again}, or raise the cap` : error.isTooSmall ? '; raise the cap to continue' : ''}`,
    saysHowToContinue: error.isForPeriod || error.isTooSmall,
  })),
  ending(UnknownPriceError, (error) => ({
    exit: 'usage',
    text: `${error.describe('--max-cost')}; set it with --prices`,
  })),
  ending(WaitTooLongError, (error) => ({
    exit: 'temporaryFailure',
    text: error.describe('--max-wait') + again,
  })),
  ending(UnreachableError, ({ message }) => ({ exit: 'temporaryFailure', text: message + again })),
  ending(AccountError, (error) => ({
    exit: 'serviceRefused',
    text: error.describe('run without --batch'),
  })),
  ending(UnknownBatchError, ({ batchId, message }) => ({
    exit: 'serviceRefused',
    text: `${message}; \`claude-batch batches cancel --id ${batchId}\` gives it up; its documents are then sent and paid for again`,
  })),
  ending(BatchError, ({ isTransient, message }) => ({
    exit: isTransient ? 'temporaryFailure' : 'serviceRefused',
    text: message,
  })),
]

function ending<Type extends RunError>(
  type: abstract new (...args: never[]) => Type,
  describe: (error: Type) => Ending,
): (error: RunError) => Ending | undefined {
  return (error) => (error instanceof type ? describe(error) : undefined)
}

/**
 * Returns the exit and message for the abort reason of a run's signal; undefined if the run was not stopped.
 * @throws the reason itself if it is not a {@link RunError}, which is a bug
 */
export function describeStop(reason: unknown): Ending | undefined {
  if (reason === undefined) return undefined
  if (!(reason instanceof RunError)) throw reason
  return toEnding(reason)
}

/** Returns the exit and message for an error that ended a run. */
export function toEnding(error: RunError): Ending {
  for (const describe of endings) {
    const found = describe(error)
    if (found !== undefined) return found
  }
  return { exit: 'bug', text: error.message }
}
