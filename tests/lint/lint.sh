# `make lint`: every rule over every source, then every rule against a file that it must refuse (tests/lint/refused).
# A rule prints what it refuses and fails; lint fails if a rule fails, or if one lets its refused file pass.
set -uo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
jobs=$(nproc)
failed=0

sources() { git ls-files -co --exclude-standard '*.c' '*.h' | grep -v '^tests/lint/refused/' | sort; }
flags=(-std=c11 -D_GNU_SOURCE -include common/base/banned.h -I. -I"$build/gen" '-DLAMPPOST_VERSION="0"')
read -r -a libraries <<<"$(pkg-config --cflags libuv libsodium libcrypto sqlite3 yaml-0.1 jansson libprotobuf-c libcurl libmosquitto libqrencode)"

# Each rule_X FILE LOGICAL-PATH prints and fails on a violation. The logical path is the file's own but for refused files.
rule_includes() { awk -v path="$2" -f tests/lint/includes.awk "$1"; }

rule_format() { clang-format --dry-run -Werror "$1" 2>&1 | head -n 4; return "${PIPESTATUS[0]}"; }

rule_words() {
	local bad=0
	grep -nE '\b(TODO|FIXME|XXX)\b|^[ \t]*#[ \t]*if 0' "$1" && bad=1
	# Which region it is decides nothing: switch (region), (region_id), (device->region), (region->id[0]). What its data
	# say may: switch (region->plan_type).
	grep -nE 'switch *\((.*[^[:alnum:]_])?[[:alnum:]_]*regions?(\[[^]]*\])?((_|->|\.)?(id|name|code|index|number))?(\(.*|\[.*)?\)' "$1" && bad=1
	grep -nE '(^|[^.[:alnum:]_/-])/(work|farm|home)/' "$1" && bad=1
	# What a version of the MAC layer differs in stands in the tables: ask lw_behaves(). The simulated device keeps its own.
	case $2 in
	tests/* | simulator/* | common/lorawan/version.c | common/lorawan/mac_command_table.c | common/lorawan/types.[ch]) ;;
	*) grep -nE '\bLW_MAC_1_[0-9]' "$1" && bad=1 ;;
	esac
	case $2 in
	tests/*) grep -nE '#[ \t]*include[ \t]+"[^"]*\.c"' "$1" && bad=1 ;;
	simulator/main.c | simulator/edge_* | cli/* | common/io/*) ;;
	common/db/checkpoint.c) ;; # a thread of its own, which waits and reads the clock
	common/db/write_lock.c) ;; # waits for that thread, as SQLite itself would
	*) grep -nE '\b(u?sleep|nanosleep|gettimeofday|clock_gettime|time)\((NULL|&|CLOCK|[0-9])' "$1" && bad=1 ;;
	esac
	[ $bad -eq 0 ] || echo "$2: refused words"
	return $bad
}

rule_length() {
	local lines
	lines=$(wc -l <"$1")
	[ "$lines" -le 400 ] && return 0
	case $2 in tests/*) [ "$lines" -le 900 ] && return 0 ;; esac
	grep -qxF "$2" <(sed 's/[ \t]*#.*//' tests/lint/long-files.txt) && return 0
	echo "$2: $lines lines: look for the second concept, or name the file and the reason in tests/lint/long-files.txt"
	return 1
}

# What the compiler refuses under the project's own warnings: banned calls, lossy conversions, missing prototypes.
rule_compile() {
	gcc "${flags[@]}" "${libraries[@]}" -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes \
		-Wconversion -Wno-sign-conversion -Wformat=2 -Werror -fsyntax-only -x c "$1" 2>&1 | grep -E 'error' | head -n 3
	return "${PIPESTATUS[0]}"
}

# The analyzer follows each function through 75,000 states at most, not 225,000: nearly all functions need fewer, and the few that do
# not took half of lint's time without a finding.
analyzer=(-Xclang -analyzer-config -Xclang max-nodes=75000)
rule_tidy() {
	clang-tidy --quiet --warnings-as-errors='*' "$1" -- "${flags[@]}" "${libraries[@]}" "${analyzer[@]}" 2>/dev/null |
		grep -E '(warning|error):' | head -n 8
	return "${PIPESTATUS[0]}"
}

cppcheck_run() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability --library=posix \
		--library=tests/lint/cppcheck.cfg \
		--suppressions-list=tests/lint/cppcheck.txt --template='{file}:{line}: {id}: {message}' \
		-D__GNUC__ -DLAMPPOST_VERSION='""' -I. "$@" 2>&1
}
rule_cppcheck() { cppcheck_run "$1"; }

report() { # report RULE CODE
	if [ "$2" -eq 0 ]; then
		printf 'lint   %-12s ok\n' "$1"
	else
		printf 'lint   %-12s FAILED\n' "$1"
		failed=1
	fi
}

format_all() { sources | xargs -P "$jobs" -n 32 clang-format --dry-run -Werror 2>&1 | head -n 40; return "${PIPESTATUS[1]}"; }
for rule in includes words length; do
	code=0
	while IFS= read -r file; do
		"rule_$rule" "$file" "$file" || code=1
	done < <(sources)
	report $rule $code
done
format_all
report format $?

cppcheck_run -j "$jobs" --cppcheck-build-dir="$(mkdir -p "$build/cppcheck" && echo "$build/cppcheck")" \
	$(sources | grep '\.c$')
report cppcheck $?

export -f rule_tidy
export build
tidy_one() {
	local out
	out=$(clang-tidy --quiet --warnings-as-errors='*' "$1" -- $TIDY_FLAGS 2>/dev/null) && return 0
	printf '%s\n' "$out" | grep -E '(warning|error):' | head -n 8
	return 1
}
export -f tidy_one
export TIDY_FLAGS="${flags[*]} ${libraries[*]} ${analyzer[*]}"
# The longest first, so that no processor waits for the last one.
sources | grep '\.c$' | grep -v '^tests/' | xargs ls -S | xargs -P "$jobs" -I{} bash -c 'tidy_one {}'
report tidy $?

# The rules' own tests. First line of a refused file: /* rule: NAME as: LOGICAL/PATH */
code=0
for file in tests/lint/refused/*; do
	read -r _ _ rule _ path _ <"$file"
	if "rule_$rule" "$file" "$path" >/dev/null 2>&1; then
		echo "$file: passed rule $rule, which must refuse it"
		code=1
	fi
done
report refused $code
exit $failed
