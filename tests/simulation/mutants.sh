# Faults that are built in on purpose (common/base/mutant.h): each must be noticed by the world under a virtual clock or by the
# device's life in each region, with their tests unchanged, and the product without one by none. Prints a table; fails unless all are caught.
# Usage: mutants.sh BUILD. Each mutant has a build folder of its own beside BUILD, in which only what names a mutant is compiled.
# The rest is linked, not copied: what a compiler writes (an object and its .d) must not be there when it does, or it is
# written into BUILD as well.
set -u
build=$1
export SEEDS=${SEEDS:-60}
world=tests/simulation/test_world
regions=tests/simulation/test_regions
log=$(mktemp)
trap 'rm -f "$log"' EXIT
names=$(sed -n 's/^#define MUTANT_\([A-Z0-9_]*\) *\([0-9]*\) *\/\* \(.*\) \*\/$/\2|\3/p' common/base/mutant.h)
objects=$(cd "$build/obj" && grep -rl --include='*.d' 'common/base/mutant.h' . | sed 'p; s/\.d$/.o/')
failed=0

if "$build/$world" until-broken >"$log" 2>/dev/null; then
	printf '%-2s %-75s %s\n' - "no mutant" "holds with $SEEDS seeds"
else
	printf '%-2s %-75s %s\n' - "no mutant" "BROKEN: $(grep -m1 '^  seed' "$log")"
	failed=1
fi
while IFS='|' read -r number text; do
	folder=$build-mutants/$number
	rm -rf "$folder"
	mkdir -p "$folder"
	cp -al "$build/obj" "$build/gen" "$folder/"
	(cd "$folder/obj" && rm -f $objects)
	if ! make --no-print-directory BUILD="$folder" MUTANT="$number" "$folder/$world" "$folder/$regions" >"$log" 2>&1; then
		printf '%-2s %-75s %s\n' "$number" "$text" "does not build"
		tail -n 20 "$log"
		failed=1
		continue
	fi
	if ! "$folder/$world" until-broken >"$log" 2>&1; then
		caught=$(grep -m1 -E '^  seed|^ASSERT' "$log")
		[ -n "$caught" ] || { caught="died: $(tail -n 1 "$log")"; failed=1; }
		printf '%-2s %-75s %s\n' "$number" "$text" "${caught#  }"
	elif ! "$folder/$regions" >"$log" 2>&1; then
		caught=$(grep -m1 -E '^FAIL|^ASSERT' "$log")
		[ -n "$caught" ] || { caught="died: $(tail -n 1 "$log")"; failed=1; }
		printf '%-2s %-75s %s\n' "$number" "$text" "regions: ${caught#FAIL *: }"
	else
		printf '%-2s %-75s %s\n' "$number" "$text" "NOT CAUGHT by $SEEDS seeds, nor in any region"
		failed=1
	fi
	rm -rf "$folder"
done <<<"$names"
exit $failed
