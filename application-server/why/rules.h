/* What the application server decides by itself, as rules with sentences (common/base/decision_text.h): an uplink's payload and its
 * codec, a command that comes in, an item that is to be sealed, an AppSKey that was asked for. Kept in memory by DevEUI: AS_WHY_RECORDS records, of
 * AS_WHY_DEVICES devices the last verdict always; what a file has (joins, the changes of downlinks) is read from there. */
#ifndef LAMPPOST_AS_WHY_RULES_H
#define LAMPPOST_AS_WHY_RULES_H

#include "common/base/decision_euis.h"
#include "common/base/decision_text.h"
#include "common/lorawan/types.h"
#include "common/proto/network_messages.h"

#include <jansson.h>

#define AS_WHY_RECORDS 131072 /* 4 MB */
#define AS_WHY_DEVICES 32768

/* The tables, by the number that a record has; the rows are in the order of the enum beside each. */
enum as_table {
	AS_TABLE_UPLINK,  /* enum as_payload_verdict; a fcnt, b length, c port */
	AS_TABLE_CODEC,   /* enum codec_verdict; the same */
	AS_TABLE_LPP,     /* enum lpp_verdict; the same, and the byte in the high half of b */
	AS_TABLE_SEAL,    /* enum as_seal_verdict; a counter */
	AS_TABLE_COMMAND, /* enum as_enqueued; a length (quotas: ms used), b limit, c port */
	AS_TABLE_INTAKE,  /* enum as_intake_verdict; a length */
	AS_TABLE_AIRTIME, /* enum as_airtime_verdict; a seconds used, b quota */
	AS_TABLE_APP_KEY, /* enum as_app_key_verdict; a result of TS002 (enum bi_result), or HTTP code */
	AS_TABLE_COUNT
};

enum as_airtime_verdict { AS_AIRTIME_DEVICE_BEYOND, AS_AIRTIME_AGENCY_BEYOND, AS_AIRTIME_VERDICT_COUNT };

enum as_payload_verdict {
	AS_PAYLOAD_STORED, /* no codec: stored as it is */
	AS_PAYLOAD_EMPTY,  /* nothing in it for the application */
	AS_PAYLOAD_NO_SESSION_KEY,
	AS_PAYLOAD_HELD, /* the key is the agency's alone */
	AS_PAYLOAD_VERDICT_COUNT
};

enum as_seal_verdict {
	AS_SEALED,
	AS_SEAL_UNKNOWN_ITEM,
	AS_SEAL_ITEM_ENDED,
	AS_SEAL_PAYLOAD_UNREADABLE,
	AS_SEAL_NO_SESSION_KEY,
	AS_SEAL_HELD, /* the key is the agency's alone */
	AS_SEAL_VERDICT_COUNT
};

/* What became of an AppSKeyReq (custody.h). */
enum as_app_key_verdict {
	AS_APP_KEY_FETCHED,
	AS_APP_KEY_UNKNOWN,    /* the join server does not know the device or the session */
	AS_APP_KEY_REFUSED,    /* by any other result */
	AS_APP_KEY_IN_CLEAR,   /* or without a label: not kept */
	AS_APP_KEY_OTHER_KEK,  /* our label, and our KEK does not open it: not kept */
	AS_APP_KEY_NO_MESSAGE, /* no AppSKeyAns, or one for another device */
	AS_APP_KEY_NO_ANSWER,
	AS_APP_KEY_VERDICT_COUNT
};
/* The verdict's name without what is common to all: the label of the metric. */
const char *as_app_key_reason(enum as_app_key_verdict verdict);

extern const struct decision_book as_rules;

/* Records about a device, and an item of it unless NULL. `said` has verdict, table and numbers; the rest is filled here. */
void as_rules_add(struct decision_euis *decisions, struct wall now, const struct lw_eui64 *dev_eui,
		  const struct net_uuid *item, const struct decision *said);
/* Appends what is kept about a device, newest first. */
void as_rules_list(const struct decision_euis *decisions, const struct lw_eui64 *dev_eui, size_t limit,
		   json_t *list);
/* Gives {"rules": [...]}: all that this process can say, the rows of join-requests and of downlinks too. */
json_t *as_rules_json(void);

#endif
