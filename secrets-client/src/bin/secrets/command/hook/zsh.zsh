# Loads the variables of a directory's secrets.toml, and unloads them on leaving. `secrets hook allow` trusts a directory.
#
# A value comes through a pipe and is only ever read, compared and assigned: it is in no command, so that nothing in it can
# run, and neither the history nor a DEBUG trap has it. Tracing (xtrace, verbose) pauses where values are expanded.
# The program is named by its path: a PATH may have directories of the one that was changed to, such as node_modules/.bin.

_secrets_hook() {
    local _secrets_status=$?
    if [[ $PWD != "${_secrets_directory-}" || -n ${_secrets_is_asking-} ]]; then
        emulate -L zsh
        unsetopt xtrace verbose
        setopt local_traps
        trap - DEBUG # it would write into the pipe, and have the values as arguments
        _secrets_enter
    fi
    return $_secrets_status
}

_secrets_enter() {
    emulate -L zsh
    unsetopt xtrace verbose
    setopt typeset_silent
    local answer= id= is_whole= name value at
    local -a names values quiet
    [[ $PWD == "${_secrets_directory-}" ]] && quiet=(--quiet)
    typeset -g _secrets_directory=$PWD
    # Until the empty record at its end it is not whole, and then none of it counts.
    {
        IFS= builtin read -r -d '' answer || :
        IFS= builtin read -r -d '' id || :
        while IFS= builtin read -r -d '' name; do
            [[ -n $name ]] || { is_whole=yes; break; }
            [[ $name =~ '^[A-Z_][A-Z0-9_]*$' ]] || break
            IFS= builtin read -r -d '' value || break
            names+=("$name") values+=("$value")
        done
    } < <(command @SECRETS@ hook load --loaded "${_secrets_id-}" $quiet </dev/null)
    typeset -g _secrets_is_asking=
    case $answer in
        keep) return ;;
        ask) _secrets_is_asking=yes ;;
    esac
    _secrets_unload
    [[ $answer == load && -n $is_whole ]] || return 0
    _secrets_id=$id
    for (( at = 1; at <= $#names; at++ )); do
        _secrets_load "$names[at]" "$values[at]"
    done
    builtin export SECRETS_HOOK="$_secrets_id $_secrets_names"
}

# Takes a variable over, unless it is one of this shell's own: an array, a number, read-only, special, or not exported.
_secrets_load() {
    local had= before= type=${(tP)1}
    if [[ $type == scalar-export ]]; then
        had=yes before=${(P)1}
    elif [[ -n $type ]]; then
        print -r -- "secrets: $1 is a variable of this shell, and is left as it is" >&2
        return 0
    fi
    builtin export "$1=$2"
    _secrets_names+=("$1") _secrets_values+=("$2") _secrets_had+=("$had") _secrets_before+=("$before")
}

# Gives back what was there, but for what somebody has changed since.
_secrets_unload() {
    local at name
    for (( at = 1; at <= $#_secrets_names; at++ )); do
        name=$_secrets_names[at]
        [[ -n ${(P)name+set} && ${(P)name} == "$_secrets_values[at]" ]] || continue
        if [[ -n $_secrets_had[at] ]]; then
            builtin export "$name=$_secrets_before[at]"
        else
            builtin unset "$name"
        fi
    done
    typeset -ga _secrets_names=() _secrets_values=() _secrets_had=() _secrets_before=()
    typeset -g _secrets_id=
    builtin unset SECRETS_HOOK
}

# What the shell had loaded that started this one: it is unloaded in the same way.
_secrets_inherit() {
    emulate -L zsh
    unsetopt xtrace verbose
    setopt local_traps
    trap - DEBUG
    local name
    local -a loaded=(${(s: :)SECRETS_HOOK-})
    typeset -ga _secrets_names=() _secrets_values=() _secrets_had=() _secrets_before=()
    typeset -g _secrets_id=${loaded[1]-} _secrets_directory= _secrets_is_asking=
    for name in ${loaded[2,-1]}; do
        [[ $name =~ '^[A-Z_][A-Z0-9_]*$' && ${(tP)name} == scalar-export ]] || continue
        _secrets_names+=("$name") _secrets_values+=("${(P)name}") _secrets_had+=('') _secrets_before+=('')
    done
}

# Once.
_secrets_install() {
    emulate -L zsh
    [[ -z ${precmd_functions[(r)_secrets_hook]-} ]] || return 0
    _secrets_inherit
    typeset -ga precmd_functions
    precmd_functions=(_secrets_hook $precmd_functions)
}
_secrets_install
