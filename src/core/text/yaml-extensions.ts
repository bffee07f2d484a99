/** The extensions of YAML files, in the order of the search. New files get the first one. */
export const yamlExtensions = ['.yaml', '.yml'] as const
