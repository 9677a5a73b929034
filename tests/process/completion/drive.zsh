# Prints, for each line given as a word, "> LINE" and then, one a line, what zsh offers behind it: a real interactive zsh on a
# terminal of its own completes one after the other; what its completion adds is written down.
zmodload zsh/zpty
export CAPTURED=$(mktemp)
zpty -b shell zsh -f -i
zpty -w shell 'PROMPT= RPROMPT=; bindkey -e; autoload -U compinit; compinit -D -u; source <(lamppost completion zsh); bindkey "^I" complete-word
compadd() {
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi
	local -a hits; builtin compadd -O hits "$@"; print -rl -- $hits >> $CAPTURED; builtin compadd "$@"
}
finished() { zle kill-whole-line; print -r -- FINI""SHED; }; zle -N finished; bindkey "^Xf" finished; print -r -- REA""DY'
zpty -r shell said '*READY*' || exit 1
for line; do
	: >"$CAPTURED"
	zpty -n -w shell "$line"$'\t\C-Xf'
	zpty -r shell said '*FINISHED*' || exit 1
	print -r -- "> $line"
	grep . "$CAPTURED" | sort -u
done
zpty -d shell
rm -f "$CAPTURED"
