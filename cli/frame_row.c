#include "cli/frame_row.h"

#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <string.h>

/* Names of FType as a narrow column shows them. */
static const struct {
	const char *name, *shown;
} types[] = {
	{"JoinRequest", "join"},         {"JoinAccept", "accept"},    {"UnconfirmedDataUp", "data"},
	{"UnconfirmedDataDown", "data"}, {"ConfirmedDataUp", "conf"}, {"ConfirmedDataDown", "conf"},
	{"RejoinRequest", "rejoin"},     {"Proprietary", "propr"},
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static void put(struct frame_row *row, enum frame_cell cell, const char *text)
{
	printable_copy(row->cells[cell], sizeof row->cells[cell], text);
}

static void put_number(struct frame_row *row, enum frame_cell cell, const json_t *value)
{
	if (json_is_integer(value))
		snprintf(row->cells[cell], sizeof row->cells[cell], "%lld",
			 (long long)json_integer_value(value));
}

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].shown;
	return name;
}

static enum colour colour_of_standing(const char *standing)
{
	static const struct {
		const char *standing;
		enum colour colour;
	} rows[] = {{"good", COLOUR_GOOD}, {"problem", COLOUR_BAD}, {"foreign", COLOUR_DIM}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].standing, standing) == 0)
			return rows[i].colour;
	return COLOUR_NONE;
}

static void put_time(struct frame_row *row, struct wall time)
{
	int64_t s = time.us / US_PER_S, day = s / 86400;
	if (time.us < 0)
		return;
	snprintf(row->cells[CELL_TIME], sizeof row->cells[CELL_TIME], "%02d:%02d:%02d.%03d",
		 (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60),
		 (int)(time.us % US_PER_S / US_PER_MS));
	/* Days since 1970 to a date: years begin in March, so that leap days come last. */
	int64_t shifted = day + 719468, era = shifted / 146097, of_era = shifted % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
	unsigned y = (unsigned)(year + era * 400 + (month >= 10)) % 10000;
	unsigned m = (unsigned)(month < 10 ? month + 3 : month - 9) % 100;
	unsigned d = (unsigned)(of_year - (153 * month + 2) / 5 + 1) % 100;
	snprintf(row->date, sizeof row->date, "%04u-%02u-%02u", y, m, d);
}

static void put_radio(struct frame_row *row, const struct cli_frame *frame)
{
	char *rate = row->cells[CELL_RATE];
	size_t room = sizeof row->cells[CELL_RATE];
	if (frame->spreading_factor)
		snprintf(rate, room, "SF%u/%u", frame->spreading_factor, frame->bandwidth_hz / 1000);
	else
		snprintf(rate, room, "%s", frame->bit_rate_bps ? "FSK" : "LR-FHSS");
	snprintf(row->cells[CELL_FREQUENCY], sizeof row->cells[CELL_FREQUENCY], "%u.%03u",
		 frame->freq_hz / 1000000, frame->freq_hz / 1000 % 1000);
	snprintf(row->cells[CELL_LENGTH], sizeof row->cells[CELL_LENGTH], "%u", frame->phy_length);
}

static void put_up(struct frame_row *row, const struct cli_frame *frame)
{
	const struct cli_reception *best = &frame->receptions[0];
	long long count = json_integer_value(json_object_get(frame->json, "gatewayCount"));
	if (frame->reception_count == 0)
		return;
	put(row, CELL_GATEWAY, best->gateway);
	size_t used = strlen(row->cells[CELL_GATEWAY]);
	if (count > 1)
		snprintf(row->cells[CELL_GATEWAY] + used, sizeof row->cells[CELL_GATEWAY] - used, " +%lld",
			 count - 1);
	if (best->has_rssi)
		snprintf(row->cells[CELL_RSSI], sizeof row->cells[CELL_RSSI], "%d", best->rssi_dbm);
	if (best->has_snr)
		snprintf(row->cells[CELL_SNR], sizeof row->cells[CELL_SNR], "%.1f", best->snr_db);
}

static void put_down(struct frame_row *row, const struct cli_frame *frame)
{
	const json_t *tx = json_object_get(frame->json, "tx");
	put(row, CELL_GATEWAY, frame->tx_gateway);
	snprintf(row->cells[CELL_RSSI], sizeof row->cells[CELL_RSSI], "%d", frame->power_dbm);
	put(row, CELL_SNR, text_of(tx, "window"));
}

void frame_row_fill(struct frame_row *row, const struct cli_frame *frame, bool keep)
{
	const json_t *json = frame->json;
	const char *name = text_of(json, "deviceName"), *eui = text_of(json, "devEui");
	const char *standing = text_of(json, "standing");
	*row = (struct frame_row){.number = frame->number,
				  .problem = strcmp(standing, "problem") == 0,
				  .colour = colour_of_standing(standing)};
	printable_copy(row->verdict, sizeof row->verdict, text_of(json, "verdict"));
	printable_copy(row->dev_eui, sizeof row->dev_eui, eui);
	put_time(row, frame->time);
	put(row, CELL_DIRECTION, frame->down ? "down" : "up");
	put(row, CELL_TYPE, type_of(text_of(json, "fType")));
	put(row, CELL_VERDICT, row->verdict);
	put(row, CELL_DEVICE, *name ? name : *eui ? eui : "-");
	put(row, CELL_ADDRESS, text_of(json, "devAddr"));
	put_number(row, CELL_FCNT, json_object_get(json, "fCnt"));
	put_number(row, CELL_PORT, json_object_get(json, "fPort"));
	put_radio(row, frame);
	if (frame->down)
		put_down(row, frame);
	else
		put_up(row, frame);
	printable_copy(row->text, sizeof row->text, row->problem ? text_of(json, "sentence") : "");
	if (keep)
		row->json = json_incref((json_t *)(uintptr_t)json);
}

void frame_row_release(struct frame_row *row)
{
	json_decref(row->json);
	*row = (struct frame_row){0};
}

const char *frame_row_cell(const struct frame_row *row, enum frame_cell cell)
{
	return cell == CELL_TEXT ? row->text : row->cells[cell];
}
