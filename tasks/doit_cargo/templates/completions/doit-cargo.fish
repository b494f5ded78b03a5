# doit-cargo's completion for fish: `doit-cargo completions fish | source`
function __doit_cargo
    set -l words (commandline -opc) (commandline -ct)
    $words[1] completions --words -- $words[2..-1] 2>/dev/null
end
complete -c doit-cargo -f -a '(__doit_cargo)'
