/* What differs between the versions of the MAC layer, one row a behaviour: since when, until when, in which words. Whoever
 * has to tell one version from another asks lw_behaves(); no other place compares a version (tests/lint refuses it), but
 * for the table of MAC commands, which has the same two columns.
 *
 * The versions are ordered by their number. 1.1.0 is older than 1.0.4 and was not brought up to it in every point, so each
 * row says by itself whether 1.1 is within. docs/versions.md shows the rows; the test holds it against them. */
#ifndef LAMPPOST_LORAWAN_VERSION_H
#define LAMPPOST_LORAWAN_VERSION_H

#include "common/lorawan/types.h"

enum lw_behaviour {
	/* Counters. */
	LW_FCNT_GAP_LIMIT,
	LW_ABP_RESTARTS,
	LW_FCNT_16_BITS,
	LW_FCNT_DOWN_PAIR,
	/* Frames. */
	LW_FOPTS_ENCRYPTED,
	LW_MIC_HALVES,
	LW_NETWORK_KEYS,
	LW_CONFIRMED_RETRIES,
	LW_NB_TRANS_LIMIT,
	/* MAC commands. */
	LW_LINK_ADR_BLOCK,
	LW_LINK_ADR_ANS_ONCE,
	LW_LINK_ADR_KEEP,
	/* Joins. */
	LW_DEV_NONCE_COUNTS,
	LW_TWO_ROOT_KEYS,
	LW_OPT_NEG,
	LW_REJOINS,
	LW_CFLIST_MASKS,
	LW_BEHAVIOUR_COUNT
};

struct lw_behaviour_row {
	const char *name;          /* the constant's in lower case without its prefix: "fcnt_gap_limit" */
	enum lw_mac_version since; /* the first and the last that behave so */
	enum lw_mac_version until;
	const char *section; /* of the specification: "TS001-1.0.4 §4.3.1.5" */
	const char *meaning; /* a sentence */
};

/* The row of a behaviour; NULL: there is none such. */
const struct lw_behaviour_row *lw_behaviour_row(enum lw_behaviour behaviour);

/* Whether devices of that version behave so. */
bool lw_behaves(enum lw_mac_version version, enum lw_behaviour behaviour);

/* The version that a session follows. A device of 1.1 whose join-accept had OptNeg clear does as 1.0.x (TS001-1.1 §6.2.3),
 * which is taken to be the last of them; `keys_1_1`: it has the keys of 1.1. */
enum lw_mac_version lw_version_in_use(enum lw_mac_version of_device, bool keys_1_1);

#endif
