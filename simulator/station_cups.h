/* The client's side of CUPS as Basics Station 2.0.6 has it: which credentials it uses, what it asks, what it takes over from the answer.
 * Pure; whoever drives it makes the request and stores the sets. Shares no code with the bridge.
 *
 *	          ┌────── 24 h ──────────────────────────────────────────────┐
 *	REG ──POST /update-info──▶ 200: take over, REG was good: also BAK ────┘
 *	 │ refused (401, 403, 404), or not reached; again after a minute
 *	 ▼
 *	BAK ──the same──▶ BOOT ──the same──▶ REG
 *
 * Invariants: nothing of an answer is taken over unless all of it is well formed, its credentials split into their parts, and, where
 * it has firmware and the station keeps keys, one of those has signed it. */
#ifndef LAMPPOST_SIM_STATION_CUPS_H
#define LAMPPOST_SIM_STATION_CUPS_H

#include "simulator/station_down.h"

#define SIM_CUPS_CREDENTIALS_MAX 8192
#define SIM_CUPS_KEYS            4
#define SIM_CUPS_RESYNC_US       INT64_C(86400000000)
#define SIM_CUPS_RETRY_US        INT64_C(60000000)
#define SIM_CUPS_TIMEOUT_US      INT64_C(60000000)

enum sim_cups_which { SIM_CUPS_REG, SIM_CUPS_BAK, SIM_CUPS_BOOT, SIM_CUPS_SETS };
const char *sim_cups_which_name(enum sim_cups_which which); /* "", "-bak", "-boot": as in file names */

/* trust ‖ certificate (or 4 zero bytes) ‖ key or header line, as it came. */
struct sim_cups_set {
	char uri[SIM_STATION_URI_MAX + 1];
	size_t length; /* 0: none */
	size_t trust_length, certificate_length,
		key_length; /* of its parts; a certificate of 0: four zero bytes */
	uint8_t bytes[SIM_CUPS_CREDENTIALS_MAX];
};

/* The parts of a set; they borrow from it. Lengths 0: not there. */
struct sim_cups_parts {
	const uint8_t *trust, *certificate, *key;
	size_t trust_length, certificate_length, key_length;
	bool is_header; /* the key is lines of HTTP headers */
};
/* False: not three parts to the last byte. */
bool sim_cups_split(const uint8_t *bytes, size_t length, struct sim_cups_parts *parts);

enum sim_cups_result {
	SIM_CUPS_UNCHANGED,
	SIM_CUPS_CHANGED,
	SIM_CUPS_REFUSED,         /* an HTTP status other than 200 */
	SIM_CUPS_UNREACHED,       /* no answer: code 0 */
	SIM_CUPS_MALFORMED,       /* the answer's layout */
	SIM_CUPS_BAD_CREDENTIALS, /* do not split, or are longer than SIM_CUPS_CREDENTIALS_MAX */
	SIM_CUPS_BAD_URI,
	SIM_CUPS_UNSIGNED, /* firmware without a signature of a key that it keeps */
	SIM_CUPS_RESULT_COUNT
};
const char *sim_cups_result_name(enum sim_cups_result result); /* "bad_credentials" */

struct sim_cups {
	struct lw_eui64 eui;
	enum sim_cups_which which; /* the set that the next request uses */
	struct sim_cups_set cups[SIM_CUPS_SETS], tc[SIM_CUPS_SETS];
	/* Public keys that firmware must be signed with, X ‖ Y; none: whatever comes is installed. */
	uint8_t keys[SIM_CUPS_KEYS][64];
	size_t key_count;
	/* What is installed: the word behind "version " where firmware begins so, as its own script would write it; else its CRC. "": nothing
	 * since it left its factory. */
	char package[64];
	int64_t next_us;
	struct {
		uint64_t asked, result[SIM_CUPS_RESULT_COUNT], credentials, uris, firmwares;
	} counters;
};

/* CRC-32 (zlib's) of bytes; 0 for none. */
uint32_t sim_cups_crc(const uint8_t *bytes, size_t length);
/* Begins with the regular set, or the first that there is after it. */
void sim_cups_init(struct sim_cups *cups, const struct lw_eui64 *eui);
/* Writes the body of POST /update-info; returns its length. */
size_t sim_cups_question(struct sim_cups *cups, char *text, size_t capacity);
/* Takes the answer (`code` 0: none came) and says when to ask next (`next_us`). What is CHANGED stands in the regular sets, what was
 * there before in the backup ones. */
enum sim_cups_result sim_cups_answered(struct sim_cups *cups, int64_t now_us, int code, const uint8_t *body,
				       size_t length);

#endif
