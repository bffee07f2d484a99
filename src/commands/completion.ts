import { CommandLineError, type Exit } from '../errors.ts'
import type { Runtime } from '../runtime.ts'

/** Prints the completion script of a shell. @throws UsageError for an unknown shell */
export function printCompletionScript(shell: string, { stdout }: Pick<Runtime, 'stdout'>): Exit {
  if (!Object.hasOwn(completionScripts, shell))
    throw new CommandLineError(`completion: expected bash, zsh or fish, got ${shell}`)
  stdout.write(completionScripts[shell as keyof typeof completionScripts])
  return 'ok'
}

/** The completion script of each shell. It calls `claude-batch complete` for the candidates. */
export const completionScripts = {
  bash: `# claude-batch completion for bash. Put this into ~/.bashrc:
#   eval "$(claude-batch completion bash)"
_claude_batch() {
  local line="\${COMP_LINE:0:COMP_POINT}" words current part kept candidate
  COMPREPLY=()
  # COMP_WORDS is not used: bash splits summarize@v1 and --model=x into several words.
  read -ra words <<< "$line"
  case "$line" in *' ') words+=('') ;; esac
  current="\${words[\${#words[@]}-1]}"
  # But bash replaces only the last of those words, with the @ before it.
  part="\${COMP_WORDS[COMP_CWORD]}"
  case "$part" in '=' | ':') part='' ;; esac
  kept="\${current%"$part"}"
  kept="\${kept%@}"
  while IFS= read -r candidate; do
    COMPREPLY+=("\${candidate#"$kept"}")
  done < <(command claude-batch complete -- "\${words[@]:1}" 2> /dev/null)
}
complete -o bashdefault -o default -F _claude_batch claude-batch
`,
  zsh: `#compdef claude-batch
# claude-batch completion for zsh. Put this into ~/.zshrc, after compinit:
#   eval "$(claude-batch completion zsh)"
_claude_batch() {
  local -a candidates
  candidates=("\${(@f)$(command claude-batch complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ -n "\${candidates[*]}" ]]; then
    compadd -- "\${candidates[@]}"
  else
    _files
  fi
}
compdef _claude_batch claude-batch
`,
  fish: `# claude-batch completion for fish. Save this as ~/.config/fish/completions/claude-batch.fish:
#   claude-batch completion fish > ~/.config/fish/completions/claude-batch.fish
function __claude_batch_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l candidates (command claude-batch complete -- $words[2..-1] 2> /dev/null)
    if set -q candidates[1]
        printf '%s\\n' $candidates
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c claude-batch -f -a '(__claude_batch_complete)'
`,
} as const
