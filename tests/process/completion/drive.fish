# Prints, for each line given as a word, "> LINE" and then, one a line, what fish offers behind it.
lamppost completion fish | source
for line in $argv
	echo "> $line"
	complete -C $line | string replace -r '\t.*' ''
end
exit 0
