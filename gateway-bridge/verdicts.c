#include "gateway-bridge/verdicts.h"

#include "common/base/check.h"

static const struct gb_verdict_row rows[GB_VERDICT_COUNT] = {
	[GB_ACCEPTED] = {"accepted", LOG_LEVEL_DEBUG, "Taken."},
	[GB_TRUNCATED] =
		{"truncated", LOG_LEVEL_DEBUG,
		 "Shorter than the header of its kind: not a gateway's datagram, or cut on the way."},
	[GB_BAD_VERSION] = {"bad_version", LOG_LEVEL_DEBUG,
			    "A protocol version other than 1 and 2; not acknowledged."},
	[GB_BAD_IDENTIFIER] = {"bad_identifier", LOG_LEVEL_DEBUG,
			       "An identifier that the protocol does not have."},
	[GB_WRONG_DIRECTION] = {"wrong_direction", LOG_LEVEL_DEBUG,
				"A message that only servers send: reflected or looped."},
	[GB_BAD_LENGTH] = {"bad_length", LOG_LEVEL_DEBUG, "A length that its kind cannot have."},
	[GB_RATE_EUI] =
		{"rate_eui", LOG_LEVEL_WARN,
		 "This gateway sends more datagrams a second than it may; the rest is dropped unread."},
	[GB_RATE_FRAMES] =
		{"rate_frames", LOG_LEVEL_WARN,
		 "This gateway reports more frames a second than any radio hears; the rest is dropped."},
	[GB_RATE_UNKNOWN] = {"rate_unknown", LOG_LEVEL_WARN,
			     "This address sends too many datagrams for gateways that are not registered."},
	[GB_UNKNOWN_GATEWAY] = {"unknown_gateway", LOG_LEVEL_DEBUG,
				"The gateway is not registered: acknowledged and listed, not forwarded."},
	[GB_UNKNOWN_LIST_FULL] = {"unknown_list_full", LOG_LEVEL_WARN,
				  "More gateways that are not registered than the list of them holds."},
	[GB_FOREIGN_SOURCE] = {"foreign_source", LOG_LEVEL_WARN,
			       "The sender's address lies outside the range that this gateway is pinned to."},
	[GB_UDP_NOT_ALLOWED] = {"udp_not_allowed", LOG_LEVEL_WARN,
				"This gateway is registered for another protocol than Semtech UDP."},
	[GB_NOT_JSON] = {"not_json", LOG_LEVEL_INFO, "The body is not JSON."},
	[GB_BAD_UTF8] = {"bad_utf8", LOG_LEVEL_INFO, "The body is not UTF-8."},
	[GB_TOO_DEEP] = {"too_deep", LOG_LEVEL_INFO, "The body is nested deeper than 8 levels."},
	[GB_NOT_AN_OBJECT] = {"not_an_object", LOG_LEVEL_INFO, "The body is no JSON object."},
	[GB_DUPLICATE_MEMBER] = {"duplicate_member", LOG_LEVEL_INFO,
				 "A member stands there twice, so that it cannot be told which one counts."},
	[GB_RXPK_NOT_AN_ARRAY] = {"rxpk_not_an_array", LOG_LEVEL_INFO,
				  "rxpk must be an array, even for one packet."},
	[GB_STAT_NOT_AN_OBJECT] = {"stat_not_an_object", LOG_LEVEL_INFO, "stat must be an object."},
	[GB_ENTRY_NOT_AN_OBJECT] = {"entry_not_an_object", LOG_LEVEL_INFO,
				    "An entry of rxpk must be an object."},
	[GB_WRONG_TYPE] = {"wrong_type", LOG_LEVEL_INFO,
			   "A member has another JSON type than the protocol gives it."},
	[GB_OUT_OF_RANGE] = {"out_of_range", LOG_LEVEL_INFO, "A number outside what its member can hold."},
	[GB_MISSING_MEMBER] = {"missing_member", LOG_LEVEL_INFO,
			       "tmst, freq, modu, datr or data is missing."},
	[GB_BAD_FREQUENCY] = {"bad_frequency", LOG_LEVEL_INFO, "freq is not a frequency in MHz."},
	[GB_BAD_MODULATION] = {"bad_modulation", LOG_LEVEL_INFO, "modu is not LORA, FSK or LR-FHSS."},
	[GB_BAD_DATA_RATE] = {"bad_data_rate", LOG_LEVEL_INFO, "datr is no data rate of its modulation."},
	[GB_BAD_CODING_RATE] = {"bad_coding_rate", LOG_LEVEL_INFO, "codr is longer than any coding rate."},
	[GB_BAD_BASE64] = {"bad_base64", LOG_LEVEL_INFO, "data is not base64."},
	[GB_TOO_LONG] = {"too_long", LOG_LEVEL_INFO, "data is longer than 255 bytes."},
	[GB_SIZE_DIFFERS] = {"size_differs", LOG_LEVEL_INFO, "size and the length of data disagree."},
	[GB_EMPTY_PAYLOAD] = {"empty_payload", LOG_LEVEL_DEBUG,
			      "A frame without a byte: heard, not forwarded."},
	[GB_CRC_BAD] = {"crc_bad", LOG_LEVEL_DEBUG, "A frame whose checksum failed: heard, not forwarded."},
	[GB_BEYOND_RADIO] = {"beyond_radio", LOG_LEVEL_INFO,
			     "A frequency or data rate that no LoRaWAN radio has: heard, not forwarded."},
	[GB_TX_ACK_UNASKED] = {"tx_ack_unasked", LOG_LEVEL_DEBUG,
			       "A TX_ACK whose token nobody waits for: late, repeated or forged."},
	[GB_TX_ACK_FOREIGN] = {"tx_ack_foreign", LOG_LEVEL_WARN,
			       "A TX_ACK from another address than the downlink went to."},
	[GB_GATEWAY_MOVED] = {"gateway_moved", LOG_LEVEL_INFO, "The gateway now pulls from another address."},
	[GB_GATEWAY_FLAPPING] =
		{"gateway_flapping", LOG_LEVEL_WARN,
		 "The gateway's address changes again and again: two gateways with one EUI, or a forger."},
	[GB_GATEWAY_SETTLED] = {"gateway_settled", LOG_LEVEL_INFO,
				"The gateway's address has stayed the same for a minute again."},
	[GB_GATEWAY_RESTARTED] = {"gateway_restarted", LOG_LEVEL_INFO,
				  "The gateway's counter began again: it has restarted."},
	[GB_TICKS_JUMPED] = {"ticks_jumped", LOG_LEVEL_INFO,
			     "The gateway's counter is not where its clock must be: frames held back, or two "
			     "gateways with one EUI."},
	[GB_GATEWAY_SILENT] = {"gateway_silent", LOG_LEVEL_WARN,
			       "Nothing was heard from the gateway for 90 s."},
	[GB_NO_PATH] =
		{"no_path", LOG_LEVEL_WARN,
		 "A downlink for a gateway that has not pulled for 90 s: there is no address to send it to."},
	[GB_TOO_MANY_IN_FLIGHT] = {"too_many_in_flight", LOG_LEVEL_WARN,
				   "More downlinks wait for their TX_ACK than the table holds."},
	[GB_NO_TX_ACK] = {"no_tx_ack", LOG_LEVEL_DEBUG,
			  "No TX_ACK until a second after the frame's time; counted as sent."},
	[GB_RING_FULL] = {"ring_full", LOG_LEVEL_WARN,
			  "The ring towards the network server is full: the oldest message was dropped."},
	[GB_RING_EXPIRED] = {"ring_expired", LOG_LEVEL_WARN,
			     "A message grew too old while the network server was away."},
	[GB_JOIN_TOO_OLD] = {"join_too_old", LOG_LEVEL_INFO,
			     "A join-request was dropped: its receive windows are over."},
	[GB_LIST_REFUSED] =
		{"list_refused", LOG_LEVEL_ERROR,
		 "The gateway list has more rows than a bridge holds, or an address range that is none."},
	[GB_MESSAGE_REFUSED] = {"message_refused", LOG_LEVEL_ERROR,
				"The network server sent something that a bridge does not take."},
	[GB_OUTBOX_FULL] = {"outbox_full", LOG_LEVEL_ERROR,
			    "A datagram was not sent because the outbox was full."},
};

const struct gb_verdict_row *gb_verdict_row(enum gb_verdict verdict)
{
	ASSERT_CMP(verdict, <, GB_VERDICT_COUNT);
	return &rows[verdict];
}

const char *gb_verdict_name(enum gb_verdict verdict)
{
	return gb_verdict_row(verdict)->name;
}
