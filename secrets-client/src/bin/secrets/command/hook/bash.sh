# Loads the variables of a directory's secrets.toml, and unloads them on leaving. `secrets hook allow` trusts a directory.
#
# A value comes through a pipe and is only ever read, compared and assigned: it is in no command, so that nothing in it can
# run, and neither the history nor a DEBUG trap has it. Tracing (set -x, set -v) pauses where values are expanded.
# The program is named by its path: a PATH may have directories of the one that was changed to, such as node_modules/.bin.

_secrets_hook() {
    local _secrets_status=$? _secrets_tracing=$-
    if [[ $PWD != "${_secrets_directory-}" || ${_secrets_is_asking-} ]]; then
        set +xvT # with T, a DEBUG trap would write into the pipe
        _secrets_enter
        _secrets_trace "$_secrets_tracing"
    fi
    return "$_secrets_status"
}

# Traces again as the shell did before.
_secrets_trace() {
    case $1 in *T*) set -T ;; esac
    case $1 in *v*) set -v ;; esac
    case $1 in *x*) set -x ;; esac
}

_secrets_enter() {
    local IFS=$' \t\n' answer= id= record= is_whole= quiet= name value at
    local -a names=() values=()
    [[ $PWD == "${_secrets_directory-}" ]] && quiet=--quiet
    _secrets_directory=$PWD
    # Until the empty record at its end it is not whole, and then none of it counts. It is read as bytes: in a locale such as
    # zh_CN.GBK, a value's last byte and the NUL after it would be one character.
    {
        IFS= LC_ALL=C builtin read -r -d '' answer || :
        IFS= LC_ALL=C builtin read -r -d '' id || :
        while IFS= LC_ALL=C builtin read -r -d '' name; do
            [[ $name ]] || { is_whole=yes; break; }
            [[ $name =~ ^[A-Z_][A-Z0-9_]*$ ]] || break
            IFS= LC_ALL=C builtin read -r -d '' value || break
            names+=("$name") values+=("$value")
        done
    } < <(command @SECRETS@ hook load --loaded "${_secrets_id-}" $quiet </dev/null)
    _secrets_is_asking=
    case $answer in
        keep) return ;;
        ask) _secrets_is_asking=yes ;;
    esac
    _secrets_unload
    [[ $answer == load && $is_whole ]] || return 0
    _secrets_id=$id
    for at in "${!names[@]}"; do
        _secrets_load "${names[at]}" "${values[at]}"
    done
    export SECRETS_HOOK="$_secrets_id ${_secrets_names[*]}"
}

# Takes a variable over, unless it is one of this shell's own: an array, a number, read-only, or not exported.
_secrets_load() {
    local had= before=
    if [[ ${!1+set} ]]; then
        if [[ $(builtin declare -p "$1" 2>/dev/null) != "declare -x "* ]]; then
            builtin printf 'secrets: %s is a variable of this shell, and is left as it is\n' "$1" >&2
            return 0
        fi
        had=yes before=${!1}
    else
        # Without the attributes that it may have: a number would be computed from the value.
        builtin unset -v "$1" 2>/dev/null || return 0
    fi
    builtin export "$1=$2"
    _secrets_names+=("$1") _secrets_values+=("$2") _secrets_had+=("$had") _secrets_before+=("$before")
}

# Gives back what was there, but for what somebody has changed since.
_secrets_unload() {
    local at name
    for at in "${!_secrets_names[@]}"; do
        name=${_secrets_names[at]}
        [[ ${!name+set} && ${!name} == "${_secrets_values[at]}" ]] || continue
        if [[ ${_secrets_had[at]} ]]; then
            builtin export "$name=${_secrets_before[at]}"
        else
            builtin unset -v "$name"
        fi
    done
    _secrets_names=() _secrets_values=() _secrets_had=() _secrets_before=() _secrets_id=
    builtin unset -v SECRETS_HOOK
}

# What the shell had loaded that started this one: it is unloaded in the same way.
_secrets_inherit() {
    local IFS=$' \t\n' name
    local -a loaded
    _secrets_names=() _secrets_values=() _secrets_had=() _secrets_before=() _secrets_id= _secrets_directory=
    builtin read -r -a loaded <<<"${SECRETS_HOOK-}"
    _secrets_id=${loaded[0]-}
    for name in "${loaded[@]:1}"; do
        [[ $name =~ ^[A-Z_][A-Z0-9_]*$ && ${!name+set} ]] || continue
        _secrets_names+=("$name") _secrets_values+=("${!name}") _secrets_had+=('') _secrets_before+=('')
    done
}

# Once, whether it is an array or not.
_secrets_install() {
    [[ " ${PROMPT_COMMAND[*]-} " == *_secrets_hook* ]] && return 0
    local tracing=$-
    set +xvT
    _secrets_inherit
    if [[ $(builtin declare -p PROMPT_COMMAND 2>/dev/null) == "declare -a"* ]]; then
        PROMPT_COMMAND=(_secrets_hook "${PROMPT_COMMAND[@]}")
    else
        PROMPT_COMMAND="_secrets_hook${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
    fi
    _secrets_trace "$tracing"
}
_secrets_install
