# Runs test programs that are already built, cheapest layer first, and adds up their last lines.
# Usage: run-layers.sh BUILD fast|process|all [name-filter]. A line a program in the order of the sources, what failed with the end of
# its output; then the ten that took longest, and the sum as the last line.
# JOBS programs run at a time (one more than there are processors, for many wait; four at most): each has ports, files and folders of its own. None
# may count on having the machine to itself.
set -u
build=$1
layers=$2
filter=${3:-}
jobs=${JOBS:-$(($(nproc) < 4 ? $(nproc) + 1 : 4))}
ceiling=${CEILING:-1200} # seconds until a program is taken for hanging
passed=0 failed=0 skipped=0
logs=$(mktemp -d)

names=() commands=() # the plan: program N's name, and its command quoted for the shell
plan() { # plan NAME COMMAND...
	case $1 in *"$filter"*) ;; *) return ;; esac
	names+=("$1")
	shift
	commands+=("${*@Q}")
}

each() { # each FOLDER PATTERN: every test source below tests/FOLDER has a program, and it runs
	local source
	while IFS= read -r source; do
		plan "${source#tests/}" "$build/${source%.c}"
	done < <(find "tests/$1" -name "$2" | sort)
}

if [ "$layers" = fast ]; then
	export SEEDS=${SEEDS:-20} # of the world under a virtual clock; all of them in the whole run
fi
if [ "$layers" = fast ] || [ "$layers" = all ]; then
	each unit 'test_*.c'
	if [ -f tests/vectors/run-vectors.c ]; then
		plan vectors "$build/tests/run-vectors" tests/vectors/*.json
	fi
	if [ -f tests/vectors/run-gateway-samples.c ]; then
		plan gateway-samples "$build/tests/run-gateway-samples" tests/vectors/gateway-samples/*.json
	fi
	each fuzz 'fuzz_*.c'
	each simulation 'test_*.c'
fi
if [ "$layers" = process ] || [ "$layers" = all ]; then
	each process 'test_*.c'
fi
if [ ${#names[@]} -eq 0 ]; then # nothing was asked for that there is, and nothing ran is no success
	echo "run-layers: no test in '$layers' has a name with '$filter'" >&2
	exit 2
fi
declare -A running=() # process id to program's number
started=() took=()    # microseconds
now_us() { us=${EPOCHREALTIME/[.,]/}; }
start() { # start N: in the background, with a log of its own; its exit code is in N.code once it has ended
	local -a command
	eval "command=(${commands[$1]})"
	now_us
	started[$1]=$us
	( # what becomes of a program is not the shell's news: a job that dies of a signal may be gone before anybody waits for it
		timeout -k 5 "$ceiling" "${command[@]}" >"$logs/$1" 2>&1 </dev/null &
		trap 'kill $!' TERM
		wait $!
		echo $? >"$logs/$1.code"
	) 2>/dev/null &
	running[$!]=$1
}
trap 'kill "${!running[@]}" 2>/dev/null; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

codes=() reported=0 # exit code of program N once it has ended; programs before `reported` have been told
report() { # report N: what came of it; a program's last line is `N passed, N failed, N skipped`
	local log=$logs/$1 name=${names[$1]} code=${codes[$1]} sum p f s
	sum=$(tail -n 1 "$log")
	if [[ $sum =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
	else
		p=0 f=1 s=0
	fi
	# A program that dies after its sum, or that ran nothing, has failed.
	[ "$code" -eq 0 ] || [ "$f" -gt 0 ] || f=1
	[ $((p + f)) -gt 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" -gt 0 ]; then
		case $code in
		124 | 137) code="$code: it ran for $ceiling s" ;;
		esac
		printf 'FAILED %s (exit %s)\n' "$name" "$code"
		grep -avE '^\[ +(OK|RUN) +\]' "$log" | tail -n 60
	else
		printf 'ok     %-50s %4s passed%s\n' "$name" "$p" "$([ "$s" -gt 0 ] && printf ', %s skipped' "$s")"
	fi
}
ended() { # finds a program that has ended: its process id in `pid`
	local alive
	for pid in "${!running[@]}"; do
		kill -0 "$pid" 2>/dev/null && alive=yes || alive=
		[ -s "$logs/${running[$pid]}.code" ] && return
		if [ -z "$alive" ]; then
			echo 125 >"$logs/${running[$pid]}.code"
			return
		fi
	done
	return 1
}
finish_one() { # waits until one program has ended, and tells what is next in the order of the sources
	local pid code n
	until ended; do
		wait -n 2>/dev/null || sleep 0.01
	done
	n=${running[$pid]}
	code=$(<"$logs/$n.code")
	unset "running[$pid]"
	now_us
	took[n]=$((us - started[n])) codes[n]=$code
	while [ -n "${codes[$reported]:-}" ]; do
		report $reported
		reported=$((reported + 1))
	done
}

for n in "${!names[@]}"; do
	start "$n"
	[ ${#running[@]} -lt "$jobs" ] || finish_one
done
while [ ${#running[@]} -gt 0 ]; do finish_one; done

if [ ${#names[@]} -gt 10 ]; then
	echo "slowest:"
	for n in "${!names[@]}"; do
		echo "${took[n]} ${names[n]}"
	done | sort -rn | head -n 10 | awk '{printf "  %7.1f s  %s\n", $1 / 1000000, $2}'
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
