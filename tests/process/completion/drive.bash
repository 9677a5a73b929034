# Prints, for each line given as a word, "> LINE" and then, one a line, what bash offers behind it. Words are parted as readline
# parts them.
source <(lamppost completion bash)
for line; do
	read -ra COMP_WORDS <<<"${line//=/ = }"
	[[ $line != *[\ =] ]] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_lamppost
	printf '%s\n' "> $line" "${COMPREPLY[@]}"
done
