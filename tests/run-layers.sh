# Runs test programs that are already built, cheapest layer first, and adds up their last lines.
# Usage: run-layers.sh BUILD fast|process|all [name-filter]. Prints only what failed, and the sum as the last line.
set -u
build=$1
layers=$2
filter=${3:-}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run() { # run NAME COMMAND...: one program; its last line is `N passed, N failed, N skipped`
	local name=$1 sum code p f s
	shift
	case $name in *"$filter"*) ;; *) return ;; esac
	timeout -k 5 600 "$@" >"$log" 2>&1 </dev/null
	code=$?
	sum=$(tail -n 1 "$log")
	if [[ $sum =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
	else
		p=0 f=1 s=0
	fi
	# A program that dies after its sum, or that ran nothing, has failed.
	[ $code -eq 0 ] || [ "$f" -gt 0 ] || f=1
	[ $((p + f)) -gt 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" -gt 0 ]; then
		printf 'FAILED %s (exit %s)\n' "$name" $code
		grep -vE '^\[ +(OK|RUN) +\]' "$log" | tail -n 60
	else
		printf 'ok     %-50s %4s passed%s\n' "$name" "$p" "$([ "$s" -gt 0 ] && printf ', %s skipped' "$s")"
	fi
}

each() { # each FOLDER: every test source below tests/FOLDER has a program, and it runs
	local source program
	while IFS= read -r source; do
		program=$build/${source%.c}
		run "${source#tests/}" "$program"
	done < <(find "tests/$1" -name "$2" | sort)
}

if [ "$layers" = fast ]; then
	export SEEDS=${SEEDS:-20} # of the world under a virtual clock; all of them in the whole run
fi
if [ "$layers" = fast ] || [ "$layers" = all ]; then
	each unit 'test_*.c'
	if [ -f tests/vectors/run-vectors.c ]; then
		run vectors "$build/tests/run-vectors" tests/vectors/*.json
	fi
	if [ -f tests/vectors/run-gateway-samples.c ]; then
		run gateway-samples "$build/tests/run-gateway-samples" tests/vectors/gateway-samples/udp.json
	fi
	each fuzz 'fuzz_*.c'
	each simulation 'test_*.c'
fi
if [ "$layers" = process ] || [ "$layers" = all ]; then
	each process 'test_*.c'
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
