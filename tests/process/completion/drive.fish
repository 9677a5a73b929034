# Prints, one a line, what fish offers behind the line that is the first word.
lamppost completion fish | source
complete -C $argv[1] | string replace -r '\t.*' ''
exit 0
