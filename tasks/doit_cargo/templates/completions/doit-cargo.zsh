#compdef doit-cargo
# doit-cargo's completion for zsh: `eval "$(doit-cargo completions zsh)"`, after `compinit`
_doit_cargo() {
    local line
    local -a names shown
    while IFS= read -r line; do
        names+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
    done < <("$words[1]" completions --words -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    local -a open closed openshown closedshown
    local -i at
    for (( at = 1; at <= $#names; at++ )); do
        if [[ $names[at] == *= ]]; then
            open+=("$names[at]") openshown+=("$shown[at]")
        else
            closed+=("$names[at]") closedshown+=("$shown[at]")
        fi
    done
    (( $#closed )) && compadd -l -d closedshown -a closed
    (( $#open )) && compadd -S '' -l -d openshown -a open
}
if [[ $funcstack[1] == _doit_cargo ]]; then
    _doit_cargo "$@"
else
    compdef _doit_cargo doit-cargo
fi
