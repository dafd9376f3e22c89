#compdef gatehouse
# Completion of gatehouse for zsh. Load it now:
#   source <(gatehouse completion zsh)
# or for every shell to come, in a directory of $fpath:
#   gatehouse completion zsh > "${fpath[1]}/_gatehouse"

_gatehouse() {
    local line value help files
    local -a candidates
    while IFS= read -r line; do
        if [[ $line == ':files' ]]; then
            files=1
            continue
        fi
        value=${line%%$'\t'*}
        help=${line#*$'\t'}
        candidates+=("${value//:/\\:}:$help")
    done < <("${words[1]}" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    ((${#candidates})) && _describe gatehouse candidates
    [[ -n $files ]] && _files
}

if [[ $funcstack[1] == _gatehouse ]]; then
    _gatehouse "$@"
else
    compdef _gatehouse gatehouse
fi
