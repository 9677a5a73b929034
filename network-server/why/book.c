#include "network-server/why/book.h"

#include "common/text/region_yaml.h"
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

uint8_t ns_region_word(const char *id)
{
	for (size_t i = 0; i < region_source_count; i++)
		if (strcmp(region_words[i], id) == 0)
			return (uint8_t)i;
	return (uint8_t)region_source_count;
}
