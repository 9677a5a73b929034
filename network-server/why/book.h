/* Every rule of the network server: the tables behind `lamppost why` (common/base/decision_text.h). Each table goes with an
 * enum whose values are its rows:
 *
 *	DROP_UP, DROP_DOWN   enum ns_drop (verdict.h), in two parts      what is not taken, and why
 *	NOTE                 enum ns_note                                what happened to frames, sessions, downlinks
 *	ADR                  enum ns_adr_reason (adr/adr.h)              why the data rate is what it is
 *	MAC                  ns_mac_rule(): kind and what became of it   requests to devices
 *	ITEM                 enum ns_item_note                           what became of a downlink item
 *
 * docs/checklists.md says how a rule is added. */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_BOOK_H
#define LAMPPOST_NETWORK_SERVER_WHY_BOOK_H

#include "network-server/session.h"
#include "network-server/verdict.h"

enum ns_table {
	NS_TABLE_DROP_UP,
	NS_TABLE_DROP_DOWN,
	NS_TABLE_NOTE,
	NS_TABLE_ADR,
	NS_TABLE_MAC,
	NS_TABLE_ITEM,
	NS_TABLE_COUNT
};

enum ns_note {
	/* uplinks */
	NS_NOTE_UPLINK,
	NS_NOTE_UPLINK_LATE,
	NS_NOTE_UPLINK_TOO_LONG,
	NS_NOTE_COUNTERS_RESTARTED,
	/* joins and sessions */
	NS_NOTE_JOIN_ASKED,
	NS_NOTE_JOIN_ASKED_AGAIN,
	NS_NOTE_SESSION_JOINED,
	NS_NOTE_REJOIN_ASKED,
	NS_NOTE_SESSION_REJOINED,
	NS_NOTE_REJOIN_ORDERED,
	NS_NOTE_SESSION_ENTERED,
	NS_NOTE_SESSION_ABP,
	NS_NOTE_DEVICE_CLASS_A,
	NS_NOTE_DEVICE_CLASS_C,
	/* downlinks */
	NS_NOTE_PLANNED,
	NS_NOTE_SENT,
	NS_NOTE_SENT_SILENTLY,
	NS_NOTE_HELD_FOR_GATEWAY,
	NS_NOTE_OTHER_WINDOWS,
	/* gateways */
	NS_NOTE_OFF_PLAN,
	NS_NOTE_ON_PLAN,
	NS_NOTE_HEARS_OTHERS,
	NS_NOTE_COUNT
};

enum ns_mac_became { NS_MAC_ASKED, NS_MAC_WAS_TAKEN, NS_MAC_WAS_REFUSED, NS_MAC_BECAME_COUNT };

enum ns_item_note {
	NS_ITEM_NOTE_QUEUED,
	NS_ITEM_NOTE_HELD,
	NS_ITEM_NOTE_PLANNED,
	NS_ITEM_NOTE_BACK, /* in the queue again */
	NS_ITEM_NOTE_WAITING,
	NS_ITEM_NOTE_SENT,
	NS_ITEM_NOTE_ACKNOWLEDGED,
	NS_ITEM_NOTE_FAILED,
	NS_ITEM_NOTE_EXPIRED,
	NS_ITEM_NOTE_REFUSED,
	NS_ITEM_NOTE_STALE,
	NS_ITEM_NOTE_COUNT
};

extern const struct decision_rule ns_drop_rules_up[NS_DROP_SECOND];
extern const struct decision_rule ns_drop_rules_down[NS_DROP_COUNT - NS_DROP_SECOND];
extern const struct decision_rule ns_note_rules[NS_NOTE_COUNT];
extern const struct decision_rule ns_mac_rules[NS_MAC_KINDS * NS_MAC_BECAME_COUNT];
extern const struct decision_rule ns_item_note_rules[NS_ITEM_NOTE_COUNT];

extern const struct decision_book ns_book;

/* Words of numbers. */
extern const char *const ns_word_windows[]; /* enum gw_window */
/* The index of a region's id in region_words (common/text/region_yaml.h). */
uint8_t ns_region_word(const char *id);

/* A rule as a number of another record, for the `rule` way of writing. */
static inline uint16_t ns_rule_of_drop(enum ns_drop drop)
{
	return drop < NS_DROP_SECOND
		       ? (uint16_t)(NS_TABLE_DROP_UP << 8 | drop)
		       : (uint16_t)(NS_TABLE_DROP_DOWN << 8 | (unsigned)(drop - NS_DROP_SECOND));
}

/* The row of a request's kind in NS_TABLE_MAC. */
static inline uint8_t ns_mac_rule(enum ns_mac_kind kind, enum ns_mac_became became)
{
	return (uint8_t)(kind * NS_MAC_BECAME_COUNT + became);
}

/* Ways of writing that several tables share. */
#define NS_RULE(name, level, sentence, next)                    \
	{                                                       \
		name, DECISION_AS_##level, sentence, next, NULL \
	}
#define NS_RULE_WORDS(name, level, sentence, next, words)        \
	{                                                        \
		name, DECISION_AS_##level, sentence, next, words \
	}

#endif
