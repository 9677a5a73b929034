# Checks #include lines against the table of who may include whom (docs/contract of layers: common/README.md).
# Usage: awk -f includes.awk -v path=LOGICAL/PATH.c FILE. Prints a line for each include that the table refuses.
#
# A row: a pattern of paths, what it may include of ours, what it may include of the libraries. The first row that
# matches counts. Own headers of the same folder are always allowed; a .c file never is.

function row(pattern, ours, libraries) {
	count++
	patterns[count] = pattern
	our_patterns[count] = ours
	library_patterns[count] = libraries
}

BEGIN {
	cores = "common/(base|crypto|lorawan|proto|backend|text)/"
	row("^common/base/", "common/base/", "")
	row("^common/crypto/aes", "common/(base|crypto)/", "openssl/")
	row("^common/crypto/x509", "common/(base|crypto)/", "openssl/")
	row("^common/crypto/secret", "common/(base|crypto)/", "sodium")
	row("^common/crypto/", "common/(base|crypto)/|common/lorawan/types.h", "")
	row("^common/lorawan/", "common/(base|crypto|lorawan)/", "")
	row("^common/text/", "common/(base|lorawan|text)/", "yaml|jansson")
	row("^common/proto/", "common/(base|proto)/|common/lorawan/(types|dev_addr).h", "protobuf-c")
	row("^common/backend/", "common/(base|backend)/|common/lorawan/(types|eui_prefix).h|common/text/json.h", "jansson")
	row("^common/io/", "common/(base|io)/", "uv.h|libwebsockets|curl/|openssl/|mosquitto")
	row("^common/db/", "common/(base|db)/", "sqlite3")
	row("^application-server/delivery/", "common/(base|io|text)/|application-server/", "mosquitto|jansson")
	row("^gateway-bridge/(main|edge_)", "common/|gateway-bridge/", "")
	row("^gateway-bridge/", cores "|gateway-bridge/", "jsmn")
	row("^network-server/(main|edge_)", "common/|network-server/", "jansson")
	row("^network-server/(.*/)?store_", cores "|common/db/|network-server/", "sqlite3")
	row("^network-server/", cores "|network-server/", "")
	row("^join-server/(main|edge_)", "common/|join-server/", "jansson")
	row("^join-server/(.*/)?store_", cores "|common/db/|join-server/", "sqlite3")
	row("^join-server/", cores "|join-server/", "jansson")
	row("^application-server/(main|(.*/)?edge_)", "common/|application-server/", "jansson")
	row("^application-server/(.*/)?store_", cores "|common/db/|application-server/", "sqlite3|jansson")
	row("^application-server/", cores "|application-server/", "jansson")
	row("^cli/qr_code", "cli/|common/base/", "qrencode")
	row("^cli/", "common/|cli/", "jansson|sodium")
	# The simulated device and its radio share bytes, ciphers and codecs of frames with the server, nothing else; nor does anything
	# beside them: what the simulator knows of versions, regions, counters and airtime is its own.
	layouts = "common/lorawan/(types|frame|join_frame|mic|cipher|keys|mac_command)[.]h"
	row("^simulator/(device|radio|plan|gateway)", "common/(base|crypto)/|" layouts "|simulator/", "")
	row("^simulator/", "common/(base|crypto|io)/|common/text/(json|semtech_write|yaml_tree)[.]h|" layouts "|simulator/", "jansson|jsmn|mosquitto")
	row("^tests/", ".", "cmocka|curl/|jansson|sqlite3|mosquitto|openssl/|uv.h|sodium")
	libraries_all = "^(openssl/|sodium|yaml|jansson|protobuf-c|uv.h|libwebsockets|curl/|sqlite3|mosquitto|jsmn|cmocka)"
	for (i = 1; i <= count; i++) {
		if (path ~ patterns[i]) {
			mine = i
			break
		}
	}
	if (!mine) {
		printf "%s: no row of the include table matches this path\n", path
		exit 1
	}
	folder = path
	sub("/[^/]*$", "/", folder)
}

/^#[ \t]*include/ {
	name = $0
	sub(/^#[ \t]*include[ \t]*[<"]/, "", name)
	sub(/[>"].*$/, "", name)
	refused = ""
	if (name ~ /\.c$/ && name !~ /\.pb-c/)
		refused = "a .c file is never included"
	else if (name ~ libraries_all) {
		if (library_patterns[mine] == "" || name !~ ("^(" library_patterns[mine] ")"))
			refused = "this library is not for " patterns[mine]
	} else if ($0 ~ /"/ && name ~ /\//) {
		if (index(name, folder) != 1 && name !~ ("^(" our_patterns[mine] ")"))
			refused = "not in the row of " patterns[mine]
		if (name ~ /^simulator\// && path ~ /^(common|network-server|join-server|application-server|gateway-bridge)\//)
			refused = "servers know no simulator"
	} else if ($0 ~ /"/)
		refused = "includes are written from the root of the project"
	else if (path ~ /^common\/lorawan\// && name ~ /^(time|stdio|stdlib|malloc|unistd)\.h$|^sys\//)
		refused = "common/lorawan is pure: no clock, no input and output, no allocation"
	if (refused != "") {
		printf "%s:%d: #include %s: %s\n", path, NR, name, refused
		bad = 1
	}
}

END { exit bad }
