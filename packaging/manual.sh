# Writes the pages of the manual into BUILD/man, each made by the program it is about from its own rows: `manual.sh BUILD`.
set -eu
build=$1
bin=$build/bin
man=$build/man
rm -rf "$man"
mkdir -p "$man"
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then # the day of the last change, so that a build can be repeated
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date -r VERSION +%s)
fi
export SOURCE_DATE_EPOCH
for page in $("$bin/lamppost" __manual list); do
	"$bin/lamppost" __manual "$page" >"$man/$page.1"
done
"$bin/lamppost" __manual lamppost.yaml >"$man/lamppost.yaml.5"
see=
for process in gateway-bridge network-server join-server application-server; do
	"$bin/$process" --print-manual >"$man/$process.8"
	{
		echo ".SH $process"
		"$bin/$process" --print-manual-section
	} >>"$man/lamppost.yaml.5"
	see="$see${see:+ ,
}.BR $(echo $process | sed 's/-/\\-/g') (8)"
done
printf '.SH SEE ALSO\n.BR lamppost (1) ,\n%s\n' "$see" >>"$man/lamppost.yaml.5"
