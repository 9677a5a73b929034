# Prints, one a line, what bash offers behind the line that is the first word. Words are parted as readline parts them.
source <(lamppost completion bash)
read -ra COMP_WORDS <<<"${1//=/ = }"
[[ $1 != *[\ =] ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_lamppost
printf '%s\n' "${COMPREPLY[@]}"
