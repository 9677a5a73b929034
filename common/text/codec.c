#include "common/text/codec.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/text/yaml_tree.h"

#include <math.h>
#include <string.h>

#define WIDTH_MAX 53 /* whole numbers that a double holds exactly */
#define BIT_MAX   7

const char *codec_verdict_name(enum codec_verdict verdict)
{
	static const char *const names[] = {"decoded", "no_fields_for_port", "payload_too_short"};
	return (size_t)verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

/* --- loading --- */

static double number_or(struct yt *tree, const struct yt_node *map, const char *key, double fallback,
			bool *there)
{
	const struct yt_node *node = yt_optional(tree, map, key);
	if (there)
		*there = node != NULL;
	return node ? yt_number(tree, node) : fallback;
}

static int64_t int_or(struct yt *tree, const struct yt_node *map, const char *key, int64_t min, int64_t max,
		      int64_t fallback)
{
	const struct yt_node *node = yt_optional(tree, map, key);
	return node ? yt_int(tree, node, min, max) : fallback;
}

static void load_field(struct yt *tree, const struct yt_node *map, struct codec_field *field)
{
	static const char *const orders[] = {"big", "little"};
	const struct yt_node *endian = yt_optional(tree, map, "endian");
	const struct yt_node *is_signed = yt_optional(tree, map, "signed");
	const struct yt_node *unit = yt_optional(tree, map, "unit");
	const struct yt_node *property = yt_member(tree, map, "property");
	*field = (struct codec_field){
		.fport = (uint8_t)int_or(tree, map, "fport", 1, 255, 0),
		.offset = (uint8_t)yt_int(tree, yt_member(tree, map, "offset"), 0, 241),
		.bit = (uint8_t)int_or(tree, map, "bit", 0, BIT_MAX, 0),
		.width_bits = (uint8_t)yt_int(tree, yt_member(tree, map, "width_bits"), 1, WIDTH_MAX),
		.little_endian = endian && yt_choice(tree, endian, orders, ARRAY_SIZE(orders)) == 1,
		.is_signed = is_signed && yt_bool(tree, is_signed),
	};
	field->scale = number_or(tree, map, "scale", 1, NULL);
	field->add = number_or(tree, map, "add", 0, NULL);
	field->min = number_or(tree, map, "min", 0, &field->has_min);
	field->max = number_or(tree, map, "max", 0, &field->has_max);
	yt_text(tree, property, field->property, sizeof field->property);
	if (unit)
		yt_text(tree, unit, field->unit, sizeof field->unit);
	if (field->property[0] == '\0')
		yt_fail(tree, property, "expected a name");
	if (field->has_min && field->has_max && field->min > field->max)
		yt_fail(tree, map, "min is above max");
	yt_done(tree, map);
}

/* Two fields that one port can yield must not have the same name. */
static bool clash(const struct codec_field *a, const struct codec_field *b)
{
	bool same_port = a->fport == 0 || b->fport == 0 || a->fport == b->fport;
	return same_port && strcmp(a->property, b->property) == 0;
}

bool codec_load(struct codec *codec, const char *file, const char *text, size_t length,
		char error[CODEC_ERROR_MAX])
{
	_Static_assert(CODEC_ERROR_MAX >= YT_ERROR_MAX, "an error must fit");
	struct yt tree;
	memset(codec, 0, sizeof *codec);
	if (yt_parse(&tree, file, text, length))
		yt_expect_map(&tree, tree.root);
	yt_text(&tree, yt_member(&tree, tree.root, "name"), codec->name, sizeof codec->name);
	const struct yt_node *list = yt_member(&tree, tree.root, "fields");
	const struct yt_node *item = yt_items(&tree, list, CODEC_FIELDS_MAX);
	if (!item)
		yt_fail(&tree, list, "expected a field");
	for (; item && !tree.failed; item = item->next) {
		struct codec_field *field = &codec->fields[codec->field_count++];
		load_field(&tree, item, field);
		for (size_t i = 0; i + 1 < codec->field_count; i++)
			if (clash(&codec->fields[i], field))
				yt_fail(&tree, item, "property %s stands twice for one port",
					field->property);
	}
	if (!tree.failed)
		yt_done(&tree, tree.root);
	bool loaded = !tree.failed;
	if (!loaded)
		memcpy(error, tree.error, sizeof tree.error);
	yt_release(&tree);
	return loaded;
}

/* --- decoding --- */

static size_t bytes_of(const struct codec_field *field)
{
	return (field->bit + field->width_bits + 7U) / 8;
}

/* `bytes` are the bytes_of() ones that hold the field: 53 + 7 bits at most, so 8. */
static double value_of(const struct codec_field *field, const uint8_t *bytes)
{
	size_t length = bytes_of(field);
	uint64_t raw = 0;
	for (size_t i = 0; i < length; i++)
		raw = raw << 8 | bytes[field->little_endian ? length - 1 - i : i];
	raw = raw >> field->bit & ((UINT64_C(1) << field->width_bits) - 1);
	double number = (double)raw;
	if (field->is_signed && raw >> (field->width_bits - 1))
		number -= (double)(UINT64_C(1) << field->width_bits);
	return number * field->scale + field->add;
}

static struct codec_reading read_field(const struct codec_field *field, const uint8_t *bytes)
{
	double value = value_of(field, bytes);
	return (struct codec_reading){
		.property = field->property,
		.unit = field->unit,
		.value = value,
		.out_of_range = !isfinite(value) || (field->has_min && value < field->min) ||
				(field->has_max && value > field->max),
	};
}

enum codec_verdict codec_decode(const struct codec *codec, uint8_t fport, const uint8_t *payload,
				size_t length, struct codec_readings *readings, size_t *short_field)
{
	readings->count = 0;
	for (size_t i = 0; i < codec->field_count; i++) {
		const struct codec_field *field = &codec->fields[i];
		if (field->fport != 0 && field->fport != fport)
			continue;
		struct rd rd = rd_init(payload, length);
		(void)rd_take(&rd, field->offset);
		const uint8_t *bytes = rd_take(&rd, bytes_of(field));
		if (!bytes) {
			readings->count = 0;
			if (short_field)
				*short_field = i;
			return CODEC_PAYLOAD_TOO_SHORT;
		}
		readings->items[readings->count++] = read_field(field, bytes);
	}
	return readings->count > 0 ? CODEC_DECODED : CODEC_NO_FIELDS;
}

/* 21.5 and not 21.500000000000004: what a person reads is the shortest decimal near the scaled value. */
static double tidy(double value)
{
	double rounded = round(value * 1e9) / 1e9;
	return isfinite(rounded) ? rounded : value;
}

json_t *codec_readings_json(const struct codec_readings *readings)
{
	json_t *object = json_object();
	for (size_t i = 0; object && i < readings->count; i++) {
		const struct codec_reading *reading = &readings->items[i];
		if (reading->out_of_range)
			continue;
		double value = tidy(reading->value);
		bool whole = value == floor(value) && fabs(value) < 9007199254740992.0;
		json_t *number = whole ? json_integer((json_int_t)value) : json_real(value);
		if (json_object_set_new(object, reading->property, number) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
