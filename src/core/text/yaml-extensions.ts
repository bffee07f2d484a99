/** The extensions of YAML files, in the order in which a file is looked for; a new file gets the first. */
export const yamlExtensions = ['.yaml', '.yml'] as const
