# Prints, one a line, what zsh offers behind the line that is the first word: a real interactive zsh on a terminal of its own
# completes it; what its completion adds is written down.
zmodload zsh/zpty
export CAPTURED=$(mktemp)
zpty -b shell zsh -f -i
zpty -w shell 'PROMPT= RPROMPT=; autoload -U compinit; compinit -D -u; source <(lamppost completion zsh); bindkey "^I" complete-word
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi
	local -a hits; builtin compadd -O hits "$@"; print -rl -- $hits >> $CAPTURED; builtin compadd "$@"
}
finished() { print -r -- FINI""SHED; }; zle -N finished; bindkey "^Xf" finished; print -r -- REA""DY'
zpty -r shell said '*READY*' || exit 1
zpty -n -w shell "$1"$'\t\C-Xf'
zpty -r shell said '*FINISHED*' || exit 1
zpty -d shell
grep . "$CAPTURED" | sort -u
rm -f "$CAPTURED"
