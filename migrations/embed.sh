# Turns migrations/<process>/NNNN_name.sql into one C table. Usage: embed.sh <process>. Version = count of files.
set -eu
process=$1
name=$(printf '%s' "$process" | tr - _)
printf '/* Made from migrations/%s by embed.sh. */\n#include "common/db/migrations.h"\n' "$process"
printf 'static const char *const texts[] = {\n'
count=0
for file in migrations/"$process"/[0-9]*.sql; do
	[ -f "$file" ] || continue
	count=$((count + 1))
	case "$(basename "$file")" in
	$(printf '%04d' $count)_*) ;;
	*) echo "embed.sh: $file: expected number $(printf '%04d' $count)" >&2; exit 1 ;;
	esac
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/\t"/' -e 's/$/\\n"/' "$file"
	printf '\t,\n'
done
printf '\t0\n};\nconst struct db_migrations db_migrations_%s = {"%s", texts, %d};\n' "$name" "$process" "$count"
