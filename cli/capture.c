#include "cli/capture.h"

#include "cli/problem.h"
#include "common/base/check.h"

static const struct cli_option info_options[] = {
	{"port", "PORT", "UDP port of the server in a datagram log (1700)"},
};

static const struct cli_option replay_options[] = {
	{"server", "HOST:PORT", "the bridge (127.0.0.1:1700)"},
	{"gateway", "GATEWAY", "the gateway that LoRaTap frames are reported by"},
	{"map", "OLD=NEW,...", "send what was of gateway OLD as NEW"},
	{"speed", "N|max", "times as fast as it was (1); max: as fast as the bridge acknowledges"},
	{"rate", "N", "at most so many datagrams a second of one gateway (190; 0: any)"},
	{"gap", "MS", "at least so long between two frames of one device (250; 0: none)"},
	{"loop", "N", "send it so many times (1)"},
	{"linger", "SECONDS", "wait so long for downlinks after the last uplink (6)"},
	{"port", "PORT", "UDP port of the server in a datagram log (1700)"},
	{"not-loopback", NULL, "the server is not this machine, and that is meant"},
};

const struct cli_command cli_capture_commands[] = {
	{.group = "capture",
	 .name = "info",
	 .summary = "what a capture file holds",
	 .description = "Counts packets by kind, gateway, type of frame and device address. FILE is a pcap "
			"or pcapng of "
			"radio frames (LoRaTap: lamppost frames --pcap, Wireshark) or of datagrams (tcpdump "
			"udp port "
			"1700, on a gateway or on the server).",
	 .operands = "FILE",
	 .options = info_options,
	 .option_count = ARRAY_SIZE(info_options),
	 .examples = "lamppost capture info night.pcap\nlamppost capture info night.pcap --json\n",
	 .local = true,
	 .run = cli_capture_info},
	{.group = "capture",
	 .name = "replay",
	 .summary = "send a capture or datagram log to a bridge again",
	 .description = "A LoRaTap capture becomes PUSH_DATA of the gateway named by --gateway, with "
			"PULL_DATA kept up; a "
			"datagram log is sent as it was, each gateway from a socket of its own.\n\nNothing "
			"is put on the air: "
			"every downlink that the network asks for is answered TOO_LATE, so it counts as not "
			"sent. Frames that "
			"the network has seen before are refused there (fcnt_old, or a DevNonce used twice); "
			"a network with a "
			"fresh state takes them again.\n\nPULL_DATA says where a gateway is. Replayed under "
			"the EUI of a "
			"gateway that is in service, it turns that gateway's downlinks to this command, "
			"which is why another "
			"machine's bridge has to be asked for with --not-loopback. Use --map or --gateway "
			"with an EUI of the "
			"test's own.",
	 .operands = "FILE",
	 .options = replay_options,
	 .option_count = ARRAY_SIZE(replay_options),
	 .examples = "lamppost capture replay night.pcap --gateway aa555a0000000101 --speed 10\n"
		     "lamppost capture replay gateway.pcap --speed max --json\n"
		     "lamppost capture replay gateway.pcap --map 0016c001f153a14c=aa555a0000000101\n",
	 .exits = "1 a datagram was not acknowledged\n5 nothing was acknowledged within 3 s\n",
	 .local = true,
	 .run = cli_capture_replay},
};
const size_t cli_capture_command_count = ARRAY_SIZE(cli_capture_commands);

bool cli_capture_port(const struct cli_arguments *arguments, uint16_t *port)
{
	unsigned long number = 1700;
	const char *text = cli_argument(arguments, "port");
	if (text && !cli_parse_count("--port", text, &number))
		return false;
	if (number > 65535) {
		(void)cli_problem(CLI_USAGE, "--port", NULL, "%s: expected 1 to 65535", text);
		return false;
	}
	*port = (uint16_t)number;
	return true;
}
