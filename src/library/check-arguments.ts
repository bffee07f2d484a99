/** Whether a value is an object with options, and not an array, a promise, a signal or a map. */
export function isOptions(value: unknown): value is Readonly<Record<string, unknown>> {
  // Not `Object.getPrototypeOf`: an object of another realm, as in Jest, has another prototype.
  return Object.prototype.toString.call(value) === '[object Object]'
}

export function isPromise(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

/**
 * Checks that an argument is an object with known names. No message contains a value, which may be a key.
 * @param caller the name of the function that was called
 * @param formatHint returns what to add to the message about an unknown name
 * @throws TypeError
 */
export function checkNames(
  caller: string,
  options: unknown,
  names: readonly string[],
  formatHint: (name: string) => string = () => '',
): void {
  if (!isOptions(options)) throw new TypeError(`${caller}: options must be an object`)
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new TypeError(`${caller} has no option ${unknown}${formatHint(unknown)}`)
}

/** Checks that a value is undefined or a function. @throws TypeError */
export function checkListener(caller: string, name: string, listener: unknown): void {
  if (listener !== undefined && typeof listener !== 'function')
    throw new TypeError(`${caller}: ${name} must be a function`)
}

/** Checks that values for placeholders are texts. @throws TypeError that names the placeholder */
export function checkVars(caller: string, vars: unknown): asserts vars is Readonly<Record<string, string>> {
  if (!isOptions(vars)) throw new TypeError(`${caller}: vars must be an object of texts`)
  const invalidName = Object.keys(vars).find((name) => typeof vars[name] !== 'string')
  if (invalidName !== undefined) throw new TypeError(`${caller}: vars: ${invalidName} must be a text`)
}
