# doit-cargo's completion for bash: `eval "$(doit-cargo completions bash)"`
_doit_cargo() {
    local word begun before="${COMP_LINE:0:COMP_POINT}"
    local -a words
    read -r -a words <<<"$before"
    [[ $before == *[[:space:]] ]] && words+=("")
    begun="${words[${#words[@]} - 1]}"
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        # bash has cut the word at colons and equal signs: it wants what follows
        [[ $word == *= ]] && compopt -o nospace
        COMPREPLY+=("${word#"${begun%"${begun##*[:=]}"}"}")
    done < <("${words[0]}" completions --words -- "${words[@]:1}" 2>/dev/null)
}
complete -F _doit_cargo doit-cargo
