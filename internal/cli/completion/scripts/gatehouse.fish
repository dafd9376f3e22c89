# Completion of gatehouse for fish. Load it now:
#   gatehouse completion fish | source
# or for every shell to come:
#   gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish

function __gatehouse_complete
    set -l words (commandline --tokens-expanded --cut-at-cursor 2>/dev/null; or commandline --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ':files'
            __fish_complete_path "$current"
        else
            printf '%s\n' $line
        end
    end
end

complete --command gatehouse --no-files --arguments '(__gatehouse_complete)'
