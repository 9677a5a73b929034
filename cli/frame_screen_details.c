/* Everything that is known of one frame, in the specification's words, as labelled lines that break at the screen's width. */
#include "cli/frame_screen.h"

#include "cli/text_width.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <string.h>

#define LABEL     14
#define TEXT_ROOM 1024

struct details {
	struct screen *out;
	unsigned last;  /* row that is not ours any more */
	unsigned skip;  /* lines still to be skipped */
	unsigned lines; /* made so far, shown or not */
};

static void put_line(struct details *details, const char *label, enum colour colour, const char *text)
{
	details->lines++;
	if (details->skip > 0) {
		details->skip--;
		return;
	}
	if (details->out->row >= details->last)
		return;
	screen_put(details->out, COLOUR_DIM, label, LABEL);
	screen_put(details->out, colour, text, 0);
	screen_line(details->out);
}

/* Bytes of the longest beginning that fits, at a blank where there is one. */
static size_t fitting(const char *text, size_t columns)
{
	size_t fits = text_width_fitting(text, columns);
	if (fits == 0)
		return strlen(text); /* not even one letter: it is cut */
	if (text[fits] == '\0')
		return fits;
	for (size_t at = fits; at > 0; at--)
		if (text[at] == ' ')
			return at;
	return fits;
}

static void put_text(struct details *details, const char *label, enum colour colour, const char *text)
{
	char safe[TEXT_ROOM], line[TEXT_ROOM];
	unsigned columns = details->out->columns > LABEL + 1 ? details->out->columns - LABEL : 1;
	printable_copy(safe, sizeof safe, text);
	if (!safe[0])
		return;
	for (const char *at = safe; *at; label = "") {
		size_t length = fitting(at, columns);
		snprintf(line, sizeof line, "%.*s", (int)length, at);
		put_line(details, label, colour, line);
		at += length;
		at += *at == ' ';
	}
}

static void put_member(struct details *details, const char *label, const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	char text[40];
	if (json_is_string(value)) {
		put_text(details, label, COLOUR_NONE, json_string_value(value));
	} else if (json_is_integer(value)) {
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
		put_text(details, label, COLOUR_NONE, text);
	}
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static long long number_of(const json_t *object, const char *member)
{
	return (long long)json_integer_value(json_object_get(object, member));
}

/* "ADR, ACK": the flags of FCtrl that are set. */
static void put_flags(struct details *details, const json_t *json)
{
	static const struct {
		const char *member, *name;
	} flags[] = {
		{"adr", "ADR"},       {"adrAckReq", "ADRACKReq"}, {"ack", "ACK"},
		{"classB", "ClassB"}, {"fPending", "FPending"},
	};
	const json_t *fctrl = json_object_get(json, "fCtrl");
	char text[80] = "";
	size_t used = 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (json_is_true(json_object_get(fctrl, flags[i].member)))
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
						 flags[i].name);
	put_text(details, "FCtrl", COLOUR_NONE, json_is_object(fctrl) ? (used ? text : "none set") : "");
}

static void put_counter(struct details *details, const json_t *json)
{
	char text[80];
	if (!json_object_get(json, "fCnt"))
		return;
	snprintf(text, sizeof text, "%lld (%s)", number_of(json, "fCnt"),
		 number_of(json, "fCntBits") == 32 ? "all 32 bits" : "the 16 bits on the air");
	put_text(details, "FCnt", COLOUR_NONE, text);
}

static void put_radio(struct details *details, const struct frame_row *row, const json_t *json)
{
	char text[160];
	const json_t *dr = json_object_get(json, "dr");
	char rate[24] = "";
	if (json_is_integer(dr))
		snprintf(rate, sizeof rate, ", DR%lld", (long long)json_integer_value(dr));
	snprintf(text, sizeof text, "%s MHz, %s%s, region %.20s", row->cells[CELL_FREQUENCY],
		 row->cells[CELL_RATE], rate, text_of(json, "region"));
	put_text(details, "Radio", COLOUR_NONE, text);
}

static void put_receptions(struct details *details, const json_t *json)
{
	size_t i;
	const json_t *rx;
	char text[200];
	json_array_foreach(json_object_get(json, "rxInfo"), i, rx)
	{
		const json_t *snr = json_object_get(rx, "snr");
		char said[24] = "no SNR";
		if (json_is_number(snr))
			snprintf(said, sizeof said, "SNR %.1f dB", json_number_value(snr));
		snprintf(text, sizeof text, "%.16s  RSSI %lld dBm, %s, channel %lld, antenna %lld",
			 text_of(rx, "gatewayId"), number_of(rx, "rssi"), said, number_of(rx, "channel"),
			 number_of(rx, "antenna"));
		put_text(details, i == 0 ? "Heard by" : "", COLOUR_NONE, text);
	}
}

static void put_transmission(struct details *details, const json_t *json)
{
	const json_t *tx = json_object_get(json, "tx");
	char text[200];
	if (!tx)
		return;
	snprintf(text, sizeof text, "%.16s in %.10s, %lld dBm, attempt %lld%s", text_of(tx, "gatewayId"),
		 text_of(tx, "window"), number_of(tx, "power"), number_of(tx, "attempt"),
		 json_is_true(json_object_get(tx, "answered")) ? "" : ", its word is awaited");
	put_text(details, "Sent by", COLOUR_NONE, text);
}

static void put_all(struct details *details, const struct frame_row *row)
{
	const json_t *json = row->json, *join = json_object_get(json, "joinRequest");
	char when[100];
	snprintf(when, sizeof when, "%s %s UTC", row->date, row->cells[CELL_TIME]);
	put_text(details, "Verdict", row->colour, row->verdict);
	put_text(details, "", COLOUR_NONE, text_of(json, "sentence"));
	put_text(details, "What to do", COLOUR_STRONG, text_of(json, "next"));
	put_text(details, "Time", COLOUR_NONE, when);
	put_member(details, "Direction", json, "direction");
	put_member(details, "Device", json, "devEui");
	put_member(details, "  name", json, "deviceName");
	put_member(details, "  application", json, "applicationName");
	put_member(details, "  agency", json, "tenantName");
	put_member(details, "FType", json, "fType");
	put_member(details, "JoinEUI", join, "joinEui");
	put_member(details, "DevEUI", join, "devEui");
	put_member(details, "DevNonce", join, "devNonce");
	put_member(details, "DevAddr", json, "devAddr");
	put_flags(details, json);
	put_counter(details, json);
	put_member(details, "FOpts", json, "fOpts");
	put_member(details, "FPort", json, "fPort");
	put_member(details, "FRMPayload", json, "frmPayload");
	put_member(details, "MIC", json, "mic");
	put_radio(details, row, json);
	put_receptions(details, json);
	put_transmission(details, json);
	put_member(details, "PHYPayload", json, "phyPayload");
}

void frame_screen_details(const struct frame_row *row, unsigned *scroll, struct screen *out)
{
	unsigned room = out->rows - 1 - out->row;
	struct details count = {.out = out, .last = 0, .skip = UINT32_MAX};
	put_all(&count, row);
	unsigned most = count.lines > room ? count.lines - room : 0;
	if (*scroll > most)
		*scroll = most;
	struct details shown = {.out = out, .last = out->rows - 1, .skip = *scroll};
	put_all(&shown, row);
}
