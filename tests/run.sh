# Everything `make test` promises: all layers with the ordinary build, then again with ASan and UBSan. The last line is
# the sum over both.
set -uo pipefail
jobs=$(nproc)
total=$(mktemp)
trap 'rm -f "$total"' EXIT
layer_run() { # layer_run BUILD MAKE-ARGUMENTS...
	local build=$1
	shift
	echo "== $build"
	make --no-print-directory -j"$jobs" "$@" test-programs || { echo "0 passed, 1 failed, 0 skipped" | tee -a "$total"; return 1; }
	bash tests/run-layers.sh "$build" all | tee >(tail -n 1 >>"$total")
}
failed=0
layer_run build || failed=1
export ASAN_OPTIONS=abort_on_error=0:exitcode=99:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
layer_run build-sanitized SANITIZE=address,undefined || failed=1
sleep 0.2
awk '{p += $1; f += $3; s += $5} END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0}' "$total" || failed=1
exit $failed
