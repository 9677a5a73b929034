/* The gateway's side of the Semtech UDP protocol (packet forwarder, protocol versions 1 and 2): bytes to
 *values, pure; what a gateway writes is in common/text/semtech_write.h. The server's side is the bridge's own; the two share no
 *code, so that neither can hide the other's mistake.
 *
 *	gateway ──PUSH_DATA(rxpk[], stat)──▶ server ──PUSH_ACK──▶ gateway
 *	gateway ──PULL_DATA──▶ server ──PULL_ACK──▶ gateway       every few seconds: keeps the way down open
 *	server ──PULL_RESP(txpk)──▶ gateway ──TX_ACK──▶ server    version 2 only
 *
 * The parser is strict, in the rules of tests/vectors/gateway-samples/README.md: whatever is odd but legal is
 *read, whatever breaks a rule is refused by name. Nothing here is ever asserted about what arrived. */
#ifndef LAMPPOST_SIM_SEMTECH_GATEWAY_H
#define LAMPPOST_SIM_SEMTECH_GATEWAY_H

#include "common/base/units.h"
#include "common/lorawan/types.h"
#include "common/text/semtech_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_DATAGRAM_MAX 4096 /* bytes of the largest datagram that is written here */
#define SIM_RXPK_MAX     8    /* entries in one PUSH_DATA that is written here */

/* What came down. */
enum sim_down_kind { SIM_DOWN_PUSH_ACK, SIM_DOWN_PULL_ACK, SIM_DOWN_PULL_RESP };

/* Why a datagram from the server was refused. */
enum sim_down_verdict {
	SIM_DOWN_OK = 0,
	SIM_DOWN_TRUNCATED,       /* fewer than 4 bytes */
	SIM_DOWN_BAD_VERSION,     /* neither 1 nor 2 */
	SIM_DOWN_BAD_IDENTIFIER,  /* unknown, or of the other direction */
	SIM_DOWN_BAD_LENGTH,      /* an acknowledgement that is not 4 bytes */
	SIM_DOWN_BAD_JSON,        /* not JSON, invalid UTF-8, a duplicate member */
	SIM_DOWN_TOO_DEEP,        /* more than 8 levels */
	SIM_DOWN_NO_TXPK,         /* no object, or no txpk object in it */
	SIM_DOWN_MISSING,         /* a member that is required is absent or null */
	SIM_DOWN_WRONG_TYPE,      /* a member is of another JSON type */
	SIM_DOWN_OUT_OF_RANGE,    /* a number outside its bounds */
	SIM_DOWN_NO_TIMING,       /* neither imme true nor tmst nor tmms */
	SIM_DOWN_BAD_MODULATION,  /* modu is not LORA or FSK; LR-FHSS is for uplinks only */
	SIM_DOWN_BAD_DATA_RATE,   /* datr does not fit the modulation */
	SIM_DOWN_BAD_CODING_RATE, /* codr is not 4/5 .. 4/8 (or with LI) */
	SIM_DOWN_BAD_BASE64,      /* not base64, or over 255 bytes */
	SIM_DOWN_SIZE_DIFFERS,    /* size is not the number of bytes in data */
	SIM_DOWN_VERDICT_COUNT
};

/* Gives the static name of a verdict: "size_differs". */
const char *sim_down_verdict_name(enum sim_down_verdict verdict);

/* When to send: imme goes before tmst before tmms. */
enum sim_timing { SIM_TIMING_NOW, SIM_TIMING_TICKS, SIM_TIMING_GPS };

struct sim_txpk {
	enum sim_timing timing;
	struct gw_ticks tmst; /* SIM_TIMING_TICKS: start of the transmission */
	uint64_t tmms;        /* SIM_TIMING_GPS: ms since 1980-01-06 */
	uint32_t freq_hz;
	uint32_t rfch;
	bool has_power;
	int power_dbm; /* as asked; meaningful if has_power */
	struct lw_modulation modulation;
	bool inverted;     /* ipol */
	bool no_crc;       /* ncrc */
	bool no_header;    /* nhdr */
	uint32_t preamble; /* symbols or bytes; 0 when absent */
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	size_t length;
};

struct sim_down {
	enum sim_down_kind kind;
	uint8_t version;
	uint16_t token;       /* as on the wire, first byte high */
	struct sim_txpk txpk; /* SIM_DOWN_PULL_RESP only */
};

/* Reads one datagram from the server. Returns SIM_DOWN_OK and fills `out`, or a refusal, `out` untouched;
 * `*member`, if given, is then the static name of the member it is about, or NULL. */
enum sim_down_verdict sim_semtech_parse_down(const uint8_t *bytes, size_t length, struct sim_down *out);
enum sim_down_verdict sim_semtech_parse_down_member(const uint8_t *bytes, size_t length, struct sim_down *out,
						    const char **member);

/* What the just-in-time queue answered; each is an error code of TX_ACK. */
enum sim_jit_verdict {
	SIM_JIT_OK = 0,
	SIM_JIT_TOO_LATE,
	SIM_JIT_TOO_EARLY,
	SIM_JIT_COLLISION_PACKET,
	SIM_JIT_COLLISION_BEACON,
	SIM_JIT_TX_FREQ,
	SIM_JIT_TX_POWER, /* version 2: a warning with the power used; version 1: an error */
	SIM_JIT_GPS_UNLOCKED,
	SIM_JIT_VERDICT_COUNT
};

/* Gives the text of the code as it goes into TX_ACK; "NONE" for SIM_JIT_OK. */
const char *sim_jit_verdict_name(enum sim_jit_verdict verdict);

/* TX_ACK of a verdict (semtech_write_tx_ack): SIM_JIT_OK has no body; `warn_power_dbm` counts with SIM_JIT_TX_POWER and `warn`
 * alone. */
size_t sim_semtech_write_tx_ack(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
				const struct lw_eui64 *eui, enum sim_jit_verdict verdict, bool warn,
				int warn_power_dbm);

#endif
