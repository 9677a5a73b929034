# Shows README's two commands on a bare Debian 12: a debootstrap chroot with git and make, nothing else, and a clone of HEAD.
# Needs root and debootstrap. Usage: clean-room.sh [FOLDER] [demo|test]...; by default both, in a folder of its own that is
# removed at the end. The chroot gets the host's package sources; the network is the host's loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
room=${1:-$(mktemp -d /var/tmp/lamppost-clean-room.XXXXXX)}
shift || true
mkdir -p "$room"
chmod 755 "$room" # its root folder, where services under users of their own look for /etc
[ $# -gt 0 ] || set -- demo test
[ "$(id -u)" -eq 0 ] || { echo "clean-room: needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "clean-room: debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }

mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
mounts=()
cleanup() {
	for mount in "${mounts[@]}"; do umount -l "$mount" || true; done
	rm -rf --one-file-system "$room"
}
trap cleanup EXIT

echo "clean-room: a bare Debian 12 in $room"
debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$room" "${mirror:-http://deb.debian.org/debian}" \
	>"$room.log" 2>&1 || { tail -n 20 "$room.log"; exit 1; }
rm -f "$room.log"
# The same sources and settings as the host's, so that a machine behind a proxy works too.
rm -f "$room/etc/apt/sources.list"
cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d /etc/apt/auth.conf* "$room/etc/apt/" 2>/dev/null || true
cp /etc/resolv.conf "$room/etc/resolv.conf"
[ ! -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates "$room/usr/local/share/"
chroot "$room" update-ca-certificates >/dev/null 2>&1 || true
for kind in proc sys dev; do
	mount --rbind /$kind "$room/$kind"
	mount --make-rslave "$room/$kind"
	mounts=("$room/$kind" "${mounts[@]}")
done
git clone -q . "$room/root/lamppost"

inside() { # inside COMMAND: as a user of that machine types it
	echo "clean-room: \$ $1"
	chroot "$room" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
		sh -c "cd /root/lamppost && $1"
}
for what in "$@"; do
	case $what in
	demo)
		inside "make demo DEMO_SECONDS=40"
		echo "clean-room: the second run, with everything installed and built"
		inside "make demo DEMO_SECONDS=15"
		;;
	test) inside "make test" ;;
	*) echo "clean-room: $what: not demo or test" >&2; exit 2 ;;
	esac
done
echo "clean-room: all done"
