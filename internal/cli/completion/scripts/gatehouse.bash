# Completion of gatehouse for bash. Load it now:
#   source <(gatehouse completion bash)
# or for every shell to come:
#   gatehouse completion bash > ~/.local/share/bash-completion/completions/gatehouse

_gatehouse() {
    # The line itself is sent, because bash splits words at = and : as well.
    local value help
    COMPREPLY=()
    while IFS=$'\t' read -r value help; do
        if [[ $value == ':files' ]]; then
            compopt -o default 2>/dev/null
        else
            COMPREPLY+=("$value")
        fi
    done < <("${COMP_WORDS[0]}" __complete --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}

complete -F _gatehouse gatehouse
