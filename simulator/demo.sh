# `make demo`: the whole network on loopback with a state of its own. Mosquitto, `lamppost up`, an agency with five sensors registered
# through the public command line, simulated sensors and gateways over real UDP, and the readings as an MQTT subscriber gets
# them. Ctrl-C ends it and says how far it got; DEMO_SECONDS=40 counts from "all healthy" and ends by itself. Exit code 0: all that
# was sent has arrived; 1: not; 130: ended by Ctrl-C before any sensor sent.
# Usage: demo.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
seconds=${DEMO_SECONDS:-}
bin=$PWD/$build/bin
scenarios=simulator/scenarios
demo=$PWD/$build/demo
# One demo at a time in a build directory: a second one would take the state of the first away. Children do not inherit the lock.
exec 9>"$build/demo.lock"
if ! flock -n 9; then
	echo "demo: another one runs in $build. Try: end it (Ctrl-C), or another directory: make demo BUILD=build-2" >&2
	exit 1
fi
rm -rf "$demo"
mkdir -p "$demo"
# Unix socket paths are short: the run directory lies where a deep checkout cannot make them too long.
run=$(mktemp -d "${TMPDIR:-/tmp}/lamppost-demo.XXXXXX")
export LAMPPOST_STATE=$demo/state LAMPPOST_RUN=$run LAMPPOST_CONFIG=$demo/lamppost.yaml
export XDG_CONFIG_HOME=$demo/config # pins of this demo's keys, not of yours
unset LAMPPOST_SOCKET
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold= dim= plain=; fi

broker= network= viewer= simulator= interrupted=
end() { # end PID SIGNAL: tell a child, wait for it
	[ -n "$1" ] || return 0
	kill -"$2" "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}
cleanup() {
	trap '' INT TERM
	end "$simulator" TERM
	end "$viewer" TERM
	end "$network" TERM
	end "$broker" TERM
	rm -rf "$run"
}
trap cleanup EXIT
trap 'interrupted=yes' INT TERM
die() { # die WHAT LOG: the last lines of a log say why
	echo "demo: $1" >&2
	[ ! -f "$2" ] || tail -n 20 "$2" >&2
	exit 1
}
early() { # early HOW FAR IT GOT
	echo "demo: ended before a sensor sent: $1"
	exit 130
}
free_port() { # free_port tcp|udp
	local port
	while :; do
		port=$((20000 + RANDOM % 20000))
		grep -qi ":$(printf '%04x' $port) " /proc/net/"$1" || break
	done
	echo $port
}
wait_for() { # wait_for WHAT SECONDS LOG COMMAND...
	local what=$1 limit=$(($2 * 20)) log=$3
	shift 3
	while ! "$@" >/dev/null 2>&1; do
		[ -z "$interrupted" ] || early "$what was not ready yet"
		limit=$((limit - 1))
		[ $limit -gt 0 ] || die "$what: not ready in time" "$log"
		sleep 0.05
	done
}

mqtt=$(free_port tcp) udp=$(free_port udp) lns=$(free_port tcp) cups=$(free_port tcp)
echo "${bold}Lamppost$plain: a city's LoRaWAN network on this machine. Five sensors, two gateways on udp 127.0.0.1:$udp, MQTT on 127.0.0.1:$mqtt"

mosquitto=$(PATH=$PATH:/usr/sbin command -v mosquitto) || die "mosquitto is missing: make deps" /dev/null
printf 'listener %s 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n' "$mqtt" >"$demo/mosquitto.conf"
# In sessions of their own: a terminal's Ctrl-C reaches this script alone, which ends them in order, so that what is on its
# way still arrives.
setsid "$mosquitto" -c "$demo/mosquitto.conf" >"$demo/mosquitto.log" 2>&1 9>&- &
broker=$!
cat >"$demo/lamppost.yaml" <<YAML
common:
  state_dir: "$LAMPPOST_STATE"
  run_dir: "$LAMPPOST_RUN"
  log_level: warn
gateway-bridge:
  udp_listen: ["127.0.0.1:$udp"]
  station_listen: ["127.0.0.1:$lns"]
  cups_listen: ["127.0.0.1:$cups"]
application-server:
  mqtt:
    host: "127.0.0.1"
    port: $mqtt
YAML
"$bin/lamppost" init >"$demo/init.log" 2>&1 || die "lamppost init failed" "$demo/init.log"
setsid "$bin/lamppost" up >"$demo/up.log" 2>&1 9>&- &
network=$!
wait_for "lamppost up" 20 "$demo/up.log" "$bin/lamppost" status
"$bin/lamppost" status
started=$(date +%s)

register() {
	[ -z "$interrupted" ] || early "not everything was registered"
	"$bin/lamppost" "$@" >>"$demo/register.log" 2>&1 || [ -n "$interrupted" ] || die "lamppost $*" "$demo/register.log"
}
register agency add --slug parks --name 'Parks and Recreation'
register application add --slug city-block --name 'City block' --agency parks
while read -r slug version codec; do
	register profile add --slug "$slug" --name "$slug" --region us915 --mac-version "$version" --codec "@$scenarios/codecs/$codec.yaml"
done <<'PROFILES'
air-1-0-4 1.0.4 air
climate-1-1 1.1.0 climate
water-1-0-3 1.0.3 water
parking-abp 1.0.4 parking
people-1-0-4 1.0.4 people
PROFILES
register gateway add aa555a0000000101 --name 'City Hall roof' --region us915 --channel-plan 8-15,65
register gateway add aa555a0000000102 --name 'Brooklyn Bridge tower' --region us915 --channel-plan 8-15,65
register device import $scenarios/demo.csv
echo "${dim}registered: 1 agency, 1 application, 5 profiles, 2 gateways, 5 sensors. Ctrl-C ends.$plain"
echo "${dim}a command, from another terminal: LAMPPOST_SOCKET=$run/city.sock $build/bin/lamppost downlink send 70b3d57ed0050001 --port 20 --text hello --wait$plain"
echo

setsid "$bin/lamppost-sim" view --broker 127.0.0.1:"$mqtt" --log "$demo/received.jsonl" --ready "$demo/subscribed" 9>&- &
viewer=$!
wait_for "MQTT subscriber" 10 "$demo/mosquitto.log" test -e "$demo/subscribed"

duration=() unfinished=()
if [ -n "$seconds" ]; then
	# Two seconds before the end for what is on its way, and for the processes to stop.
	left=$((seconds - ($(date +%s) - started) - 3))
	duration=(--duration $((left > 1 ? left : 1)) --drain 1)
	[ $left -ge 9 ] || unfinished=(--unfinished) # a join alone takes 6 s
fi
setsid "$bin/lamppost-sim" run $scenarios/demo.yaml --bridge 127.0.0.1:"$udp" --quiet --report "$demo/sent.json" "${duration[@]}" \
	>"$demo/simulator.log" 2>&1 9>&- &
simulator=$!
wait $simulator || true
if [ -n "$interrupted" ]; then
	kill -TERM $simulator 2>/dev/null || true
	unfinished=(--unfinished)
fi
wait $simulator 2>/dev/null || true
simulator=
# What was sent last is on its way: give it as long as a slow machine needs, no longer than it takes. Who presses Ctrl-C waits
# for a second at most.
verdict() { "$bin/lamppost-sim" check --name demo --report "$demo/sent.json" --received "$demo/received.jsonl" "${unfinished[@]}"; }
for _ in $(seq $([ -z "$interrupted" ] && echo 40 || echo 8)); do
	verdict >/dev/null 2>&1 && break
	sleep 0.1
done
end "$viewer" TERM
viewer=
echo
verdict
