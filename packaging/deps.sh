# Installs Debian packages: `deps.sh build` for the product, `deps.sh build test` for the tests as well.
# Asks nothing; uses sudo where not root; does nothing, quickly, when all are there.
set -eu
build="gcc make git pkg-config libc6-dev libuv1-dev libsodium-dev libssl-dev libsqlite3-dev libyaml-dev
libjansson-dev libjsmn-dev libprotobuf-c-dev protobuf-c-compiler
libcurl4-openssl-dev libmosquitto-dev libqrencode-dev mosquitto"
test="libcmocka-dev python3-websockets clang clang-format clang-tidy cppcheck mosquitto-clients sqlite3 curl procps zsh fish man-db mandoc zbar-tools"
wanted=
for group in "$@"; do
	case $group in
	build) wanted="$wanted $build" ;;
	test) wanted="$wanted $test" ;;
	*) echo "deps.sh: $group: not build or test" >&2; exit 2 ;;
	esac
done
missing=
for package in $wanted; do
	state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	[ "$state" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# A broker of the system's own is not wanted: the demo and the tests start theirs. No service starts during the install.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
	made=yes
fi
trap '[ -z "$made" ] || $as_root rm -f $policy' EXIT
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
