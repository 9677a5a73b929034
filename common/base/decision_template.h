/* The placeholders of a rule's sentence (decision_text.h has their grammar): read one after the other, and the number that
 * each names taken out of a record. For the sentence, the JSON and the check of the tables. */
#ifndef LAMPPOST_BASE_DECISION_TEMPLATE_H
#define LAMPPOST_BASE_DECISION_TEMPLATE_H

#include "common/base/decision.h"

#define DECISION_NUMBER_NAME 24
#define DECISION_NOUN        24

enum decision_how {
	DECISION_HOW_NUMBER,
	DECISION_HOW_SIGNED,
	DECISION_HOW_HZ,
	DECISION_HOW_DBM,
	DECISION_HOW_DB,
	DECISION_HOW_MS,
	DECISION_HOW_S,
	DECISION_HOW_MINUTES,
	DECISION_HOW_DAYS,
	DECISION_HOW_US,
	DECISION_HOW_DR,
	DECISION_HOW_BYTES,
	DECISION_HOW_PERCENT,
	DECISION_HOW_ADDR,
	DECISION_HOW_IP,
	DECISION_HOW_HEX,
	DECISION_HOW_WORD,
	DECISION_HOW_RULE,
	DECISION_HOW_EUI,   /* of a and b together */
	DECISION_HOW_COUNT, /* of a noun */
	DECISION_HOW_DEVICE,
	DECISION_HOW_GATEWAY,
	DECISION_HOW_FRAME,
	DECISION_HOW_ITEM
};

struct decision_placeholder {
	char name[DECISION_NUMBER_NAME + 1];
	char noun[DECISION_NOUN + 1];
	enum decision_how how;
	bool or_none;
	char field;    /* 'a', 'b' or 'c' */
	uint8_t shift; /* in it */
	uint8_t width; /* bits; 64: a above b */
};

/* Moves `*at` behind the next placeholder of a template and fills it; `*text` and `*length` are what stood before it.
 * Returns false at the end, with the rest in `*text`. `*good` becomes false at one that cannot be read. */
bool decision_placeholder_take(const char **at, const char **text, size_t *length,
			       struct decision_placeholder *placeholder, bool *good);
/* The number of a record; as unsigned, as signed, and whether it is absent. */
uint32_t decision_placeholder_value(const struct decision_placeholder *placeholder,
				    const struct decision *decision);
int32_t decision_placeholder_signed(const struct decision_placeholder *placeholder, uint32_t value);
bool decision_placeholder_is_none(const struct decision_placeholder *placeholder, uint32_t value);

#endif
