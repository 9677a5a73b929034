#include "network-server/why/book.h"

#include "common/base/check.h"
#include "network-server/adr/adr.h"

#include <string.h>

static const struct decision_table tables[NS_TABLE_COUNT] = {
	[NS_TABLE_DROP_UP] = {"drop", ns_drop_rules_up, NS_DROP_SECOND},
	[NS_TABLE_DROP_DOWN] = {"drop", ns_drop_rules_down, NS_DROP_COUNT - NS_DROP_SECOND},
	[NS_TABLE_NOTE] = {"flow", ns_note_rules, NS_NOTE_COUNT},
	[NS_TABLE_ADR] = {"adr", ns_adr_rules, NS_ADR_REASON_COUNT},
	[NS_TABLE_MAC] = {"mac", ns_mac_rules, NS_MAC_KINDS *NS_MAC_BECAME_COUNT},
	[NS_TABLE_ITEM] = {"item", ns_item_note_rules, NS_ITEM_NOTE_COUNT},
};

const struct decision_book ns_book = {"network-server", tables, NS_TABLE_COUNT};

const char *const ns_word_windows[] = {"RX1", "RX2", "a ping slot", "the class C window", NULL};

const char *const ns_word_regions[] = {
	"as923-1",   "as923-2",   "as923-3",     "as923-4", "au915",          "cn470-20a", "cn470-20b",
	"cn470-26a", "cn470-26b", "cn470-rp001", "cn779",   "eu433",          "eu868",     "in865",
	"ism2400",   "kr920",     "ru864",       "us915",   "another region", NULL,
};

uint8_t ns_region_word(const char *id)
{
	size_t count = ARRAY_SIZE(ns_word_regions) - 2;
	for (size_t i = 0; i < count; i++)
		if (strcmp(ns_word_regions[i], id) == 0)
			return (uint8_t)i;
	return (uint8_t)count;
}
