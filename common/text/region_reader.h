/* How the parts of a region file are read: a tree with a sticky error beside the region that is filled, readers of
 * members by their name, and the loaders of the parts that stand in files of their own. Private to region_*.c. */
#ifndef LAMPPOST_TEXT_REGION_READER_H
#define LAMPPOST_TEXT_REGION_READER_H

#include "common/base/check.h"
#include "common/text/region_yaml.h"
#include "common/text/yaml_tree.h"

#define NOTE_MAX 512
#define MAX_HZ   INT64_C(4294967295)

struct region_reader {
	struct yt tree;
	struct lw_region *region;
};

typedef const struct yt_node *node_t;

/* --- members of a map, by name --- */

static inline int64_t member_int(struct region_reader *reader, node_t map, const char *key, int64_t min,
				 int64_t max)
{
	return yt_int(&reader->tree, yt_member(&reader->tree, map, key), min, max);
}

static inline uint8_t member_u8(struct region_reader *reader, node_t map, const char *key, uint8_t max)
{
	return (uint8_t)member_int(reader, map, key, 0, max);
}

static inline uint16_t member_u16(struct region_reader *reader, node_t map, const char *key, uint16_t max)
{
	return (uint16_t)member_int(reader, map, key, 0, max);
}

static inline uint32_t member_hz(struct region_reader *reader, node_t map, const char *key)
{
	return (uint32_t)member_int(reader, map, key, 0, MAX_HZ);
}

static inline int16_t member_cdb(struct region_reader *reader, node_t map, const char *key, int min_db,
				 int max_db)
{
	return (int16_t)yt_hundredths(&reader->tree, yt_member(&reader->tree, map, key), 100 * min_db,
				      100 * max_db);
}

static inline bool member_bool(struct region_reader *reader, node_t map, const char *key)
{
	return yt_bool(&reader->tree, yt_member(&reader->tree, map, key));
}

static inline void member_text(struct region_reader *reader, node_t map, const char *key, char *text,
			       size_t capacity)
{
	yt_text(&reader->tree, yt_member(&reader->tree, map, key), text, capacity);
}

static inline void skip_text(struct region_reader *reader, node_t map, const char *key)
{
	char text[NOTE_MAX];
	node_t node = yt_optional(&reader->tree, map, key);
	if (node)
		yt_text(&reader->tree, node, text, sizeof text);
}

static inline size_t member_name(struct region_reader *reader, node_t map, const char *key,
				 const char *const *names, size_t count)
{
	return yt_choice(&reader->tree, yt_member(&reader->tree, map, key), names, count);
}

static inline node_t section_items(struct region_reader *reader, const char *key, size_t max)
{
	return yt_items(&reader->tree, yt_member(&reader->tree, reader->tree.root, key), max);
}

static inline node_t section(struct region_reader *reader, const char *key)
{
	return yt_member(&reader->tree, reader->tree.root, key);
}

static inline void done(struct region_reader *reader, node_t map)
{
	yt_done(&reader->tree, map);
}

/* A member `dr` that must be a downlink data rate. */
static inline void expect_downlink_dr(struct region_reader *reader, node_t map)
{
	uint8_t dr = member_u8(reader, map, "dr", LW_DATA_RATES - 2);
	if (!lw_region_data_rate(reader->region, LW_DOWN, dr))
		yt_fail(&reader->tree, yt_optional(&reader->tree, map, "dr"), "not a downlink data rate");
}

/* --- the parts, each of some keys of the file (region_yaml.c has the order) --- */

/* region_channels.c */
void region_load_freq_ranges(struct region_reader *reader);
void region_load_channels(struct region_reader *reader);
void region_load_join_channels(struct region_reader *reader);
void region_load_rx1_rule(struct region_reader *reader);
void region_load_mask_cntls(struct region_reader *reader);

/* region_rates.c */
void region_load_data_rates(struct region_reader *reader);
void region_load_powers(struct region_reader *reader);
void region_load_payloads(struct region_reader *reader);
void region_load_rx1_table(struct region_reader *reader);

#endif
