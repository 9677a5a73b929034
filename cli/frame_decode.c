/* MHDR, and what every kind of frame shares. */
#include "cli/frame_decode.h"

#include "common/lorawan/dev_addr.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"

#include <inttypes.h>
#include <stdio.h>

void cli_frame_say_net_id(struct cli_frame_report *report, unsigned depth, int offset,
			  struct lw_net_id net_id)
{
	char text[LW_NET_ID_TEXT], prefix[LW_DEV_ADDR_PREFIX_TEXT];
	lw_net_id_format(text, net_id);
	lw_dev_addr_prefix_format(prefix, lw_net_id_prefix(net_id));
	cli_frame_say(report, depth, offset, 3, "NetID", "%s: type %u, addresses %s", text,
		      lw_net_id_type(net_id), prefix);
	cli_frame_set(report, "net_id", json_string(text));
}

void cli_frame_say_dev_addr(struct cli_frame_report *report, unsigned depth, int offset,
			    struct lw_dev_addr dev_addr)
{
	char text[LW_DEV_ADDR_TEXT];
	unsigned type;
	uint32_t nwk_id, nwk_addr;
	lw_dev_addr_format(text, dev_addr);
	cli_frame_set(report, "dev_addr", json_string(text));
	if (!lw_dev_addr_split(dev_addr, &type, &nwk_id, &nwk_addr))
		cli_frame_say(report, depth, offset, 4, "DevAddr", "%s: of no type of NetID", text);
	else if (type <= 2) /* all bits of the ID are in the address */
		cli_frame_say(report, depth, offset, 4, "DevAddr",
			      "%s: NetID %06" PRIx32 " (type %u), NwkAddr %" PRIx32, text,
			      (uint32_t)type << 21 | nwk_id, type, nwk_addr);
	else
		cli_frame_say(report, depth, offset, 4, "DevAddr",
			      "%s: a NetID of type %u whose last %u bits are %" PRIx32 ", NwkAddr %" PRIx32,
			      text, type, lw_nwk_id_bits(type), nwk_id, nwk_addr);
}

/* Where the offending byte of a frame is, and the rule in words. */
void cli_frame_broken(struct cli_frame_report *report, enum lw_verdict verdict)
{
	const char *name = lw_verdict_name(verdict);
	size_t length = report->length;
	unsigned ftype = report->phy[0] >> 5;
	switch (verdict) {
	case LW_TOO_SHORT:
		if (length == 0)
			cli_frame_fail(report, CLI_FRAME_MALFORMED, name, CLI_FRAME_NO_BYTES,
				       "there is not even an MHDR");
		else
			cli_frame_fail(
				report, CLI_FRAME_MALFORMED, name, (int)length - 1,
				"it ends after byte %zu; a data frame has 12 bytes at least (MHDR 1, FHDR 7, "
				"MIC 4)",
				length - 1);
		break;
	case LW_UNSUPPORTED_MAJOR:
		cli_frame_fail(report, CLI_FRAME_MALFORMED, name, 0,
			       "Major is %u in byte 0; every LoRaWAN 1.x frame has 0 (R1)",
			       report->phy[0] & 3u);
		break;
	case LW_UNKNOWN_REJOIN_TYPE:
		cli_frame_fail(report, CLI_FRAME_MALFORMED, name, 1,
			       "the rejoin type in byte 1 is %u; there are 0, 1 and 2", report->phy[1]);
		break;
	case LW_BAD_LENGTH:
		cli_frame_fail(report, CLI_FRAME_MALFORMED, name, CLI_FRAME_NO_BYTES, "it has %zu bytes; %s",
			       length,
			       ftype == LW_JOIN_REQUEST     ? "a join-request has 23"
			       : ftype == LW_JOIN_ACCEPT    ? "a join-accept has 17, or 33 with a CFList"
			       : ftype == LW_REJOIN_REQUEST ? "a rejoin-request has 19, or 24 of type 1"
							    : "no frame has more than 255");
		break;
	case LW_FOPTS_OVERRUN:
		cli_frame_fail(report, CLI_FRAME_MALFORMED, name, 5,
			       "FOptsLen in byte 5 is %u, and between FHDR and MIC there are %zu bytes",
			       report->phy[5] & 0x0fu, length - 12);
		break;
	case LW_FOPTS_WITH_FPORT0:
		cli_frame_fail(
			report, CLI_FRAME_MALFORMED, name, 8 + (report->phy[5] & 0x0f),
			"FPort in byte %u is 0 while FOptsLen is %u: MAC commands stand in FOpts or in "
			"FRMPayload, not in both",
			8u + (report->phy[5] & 0x0fu), report->phy[5] & 0x0fu);
		break;
	default:
		cli_frame_fail(report, CLI_FRAME_MALFORMED, name, CLI_FRAME_NO_BYTES,
			       "not a frame of this kind");
	}
}

static void decode_mhdr(struct cli_frame_report *report)
{
	uint8_t mhdr = report->phy[0];
	enum lw_ftype ftype = (enum lw_ftype)(mhdr >> 5);
	static const char *const towards[] = {"uplink", "downlink", "uplink", "downlink",
					      "uplink", "downlink", "uplink", "either direction"};
	cli_frame_say(report, 0, 0, 1, "MHDR", "%s", "");
	cli_frame_say(report, 1, CLI_FRAME_NO_BYTES, 0, "FType", "%u %s (%s)", mhdr >> 5,
		      lw_ftype_name(ftype), towards[ftype]);
	cli_frame_say(report, 1, CLI_FRAME_NO_BYTES, 0, "RFU", "%u%s", mhdr >> 2 & 7u,
		      mhdr >> 2 & 7 ? ": should be 0; a receiver passes over it" : "");
	cli_frame_say(report, 1, CLI_FRAME_NO_BYTES, 0, "Major", "%u%s", mhdr & 3u,
		      mhdr & 3 ? "" : " LoRaWAN R1");
	cli_frame_set(report, "type", json_string(lw_ftype_name(ftype)));
	cli_frame_set(report, "rfu", json_integer(mhdr >> 2 & 7));
	cli_frame_set(report, "major", json_integer(mhdr & 3));
}

static void decode_proprietary(struct cli_frame_report *report)
{
	char text[CLI_FRAME_TEXT_MAX];
	size_t left = report->length - 1;
	cli_frame_say(report, 0, 1, left, "MACPayload", "%zu bytes of a protocol that is not LoRaWAN's: %s",
		      left, cli_frame_bytes_text(text, report->phy + 1, left));
	cli_frame_set_bytes(report->document, "mac_payload", report->phy + 1, left);
}

struct cli_frame_report *cli_frame_decode(const uint8_t *phy, size_t length,
					  const struct cli_frame_context *context, struct aes *aes)
{
	struct cli_frame_report *report = cli_frame_report_new(phy, length);
	cli_frame_set_bytes(report->document, "phy_payload", phy, length);
	cli_frame_say(report, 0, CLI_FRAME_NO_BYTES, 0, "PHYPayload", "%zu bytes", length);
	if (length == 0) {
		cli_frame_broken(report, LW_TOO_SHORT);
		return report;
	}
	decode_mhdr(report);
	enum lw_ftype ftype = (enum lw_ftype)(phy[0] >> 5);
	if (ftype == LW_PROPRIETARY) {
		decode_proprietary(report);
		return report;
	}
	if ((phy[0] & 3) != 0) {
		cli_frame_broken(report, LW_UNSUPPORTED_MAJOR);
		return report;
	}
	if (ftype == LW_JOIN_REQUEST || ftype == LW_JOIN_ACCEPT || ftype == LW_REJOIN_REQUEST)
		cli_frame_decode_join(report, context, aes);
	else
		cli_frame_decode_data(report, context, aes);
	return report;
}
