
# As a file in the `fpath`, this is the function that is called for the first completion.
if [[ $funcstack[1] == _secrets ]]; then
    _clap_dynamic_completer_secrets "$@"
fi
