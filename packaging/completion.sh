# Installs the completion scripts where each shell looks for them: `completion.sh BUILD SHARE`.
set -eu
put() { # put SHELL FILE
	mkdir -p "$(dirname "$2")"
	"$build/bin/lamppost" completion "$1" >"$2"
}
build=$1 share=$2
put bash "$share/bash-completion/completions/lamppost"
put zsh "$share/zsh/site-functions/_lamppost"
put fish "$share/fish/vendor_completions.d/lamppost.fish"
