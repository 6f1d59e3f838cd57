
# bash takes the `=` in `--workspace=ws1` for a word of its own: it is joined again, and what is offered loses what stands
# before it, which bash keeps.
_secrets_joined() {
    local typed=("${COMP_WORDS[@]}") cursor=$COMP_CWORD at last=-1 glue= before=
    local COMP_WORDS=() COMP_CWORD=0
    for ((at = 0; at < ${#typed[@]}; at++)); do
        if [[ ${typed[at]} == "=" && $last -ge 0 && ${COMP_WORDS[last]} == --* ]]; then
            COMP_WORDS[last]+="=" glue=yes
        elif [[ $glue ]]; then
            COMP_WORDS[last]+=${typed[at]} glue=
        else
            COMP_WORDS+=("${typed[at]}")
            last=$((last + 1))
        fi
        ((at == cursor)) && COMP_CWORD=$last
    done
    [[ ${COMP_WORDS[COMP_CWORD]} == --*=* ]] && before=${COMP_WORDS[COMP_CWORD]%%=*}=
    _clap_complete_secrets "$1" "$before$([[ $2 == "=" ]] || printf %s "$2")" "$3"
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -o nospace -o bashdefault -F _secrets_joined secrets
