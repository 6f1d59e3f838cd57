# Loads the variables of a directory's secrets.toml, and unloads them on leaving. `secrets hook allow` trusts a directory.
#
# A value comes through a pipe and is only ever read, compared and assigned: it is in no command, so that nothing in it can
# run, and the history does not have it. Tracing (fish_trace) pauses where values are expanded.
# The program is named by its path: a PATH may have directories of the one that was changed to, such as node_modules/.bin.

function __secrets_hook --on-event fish_prompt
    set -l last_status $status
    if test "$PWD" != "$__secrets_directory"; or test -n "$__secrets_is_asking"
        set -l fish_trace
        __secrets_enter
    end
    return $last_status
end

function __secrets_enter
    set -l fish_trace
    set -l records
    set -l quiet
    test "$PWD" = "$__secrets_directory"; and set quiet --quiet
    set -g __secrets_directory "$PWD"
    # Not with `read`, which takes some characters apart.
    set records (command @SECRETS@ hook load --loaded "$__secrets_id" $quiet </dev/null | string split0)
    set -g __secrets_is_asking
    switch "$records[1]"
        case keep
            return
        case ask
            set -g __secrets_is_asking yes
    end
    __secrets_unload
    # Without the empty record at its end it is not whole, and then none of it counts.
    set -l count (count $records)
    test "$records[1]" = load; and test $count -ge 3; and test -z "$records[-1]"; and test (math $count % 2) = 1
    or return 0
    set -l at 3
    while test $at -lt $count
        string match -qr '^[A-Z_][A-Z0-9_]*\z' -- $records[$at]; or return 0
        set at (math $at + 2)
    end
    set -g __secrets_id $records[2]
    set at 3
    while test $at -lt $count
        __secrets_load $records[$at] $records[(math $at + 1)]
        set at (math $at + 2)
    end
    set -gx SECRETS_HOOK "$__secrets_id $__secrets_names"
end

# Takes a variable over, unless it is one of this shell's own, which is not exported.
function __secrets_load
    set -l fish_trace
    set -l had ''
    set -l before ''
    set -l name $argv[1]
    if set -q $name
        if not set -qx $name
            echo "secrets: $name is a variable of this shell, and is left as it is" >&2
            return
        end
        # A universal one is behind the global one, and seen again when that is gone.
        if set -qg $name
            set had yes
            set before "$$name"
        end
    end
    set -gx $name "$argv[2]"; or return
    set -a __secrets_names $name
    set -a __secrets_values "$argv[2]"
    set -a __secrets_had "$had"
    set -a __secrets_before "$before"
end

# Gives back what was there, but for what somebody has changed since.
function __secrets_unload
    set -l fish_trace
    set -l at 1
    for name in $__secrets_names
        if set -qg $name; and test "$$name" = "$__secrets_values[$at]"
            if test -n "$__secrets_had[$at]"
                set -gx $name "$__secrets_before[$at]"
            else
                set -eg $name
            end
        end
        set at (math $at + 1)
    end
    set -g __secrets_names
    set -g __secrets_values
    set -g __secrets_had
    set -g __secrets_before
    set -g __secrets_id
    set -eg SECRETS_HOOK
end

# What the shell had loaded that started this one: it is unloaded in the same way.
function __secrets_inherit
    set -l fish_trace
    set -g __secrets_names
    set -g __secrets_values
    set -g __secrets_had
    set -g __secrets_before
    set -g __secrets_directory
    set -g __secrets_is_asking
    set -l loaded (string split ' ' -- "$SECRETS_HOOK")
    set -g __secrets_id $loaded[1]
    for name in $loaded[2..-1]
        string match -qr '^[A-Z_][A-Z0-9_]*$' -- $name; and set -qgx $name; or continue
        set -a __secrets_names $name
        set -a __secrets_values "$$name"
        set -a __secrets_had ''
        set -a __secrets_before ''
    end
end

set -q __secrets_directory; or __secrets_inherit
