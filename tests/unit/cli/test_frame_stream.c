/* What comes over a stream of frames: events in pieces of any size, frames as plain values, and what is none. */
#include "tests/harness/harness.h"

#include "cli/frame_row.h"
#include "cli/sse.h"

#include <stdio.h>
#include <string.h>

static char seen[4096];
static unsigned left;

static bool note(void *ctx, const char *id, const char *kind, const char *data)
{
	(void)ctx;
	size_t used = strlen(seen);
	snprintf(seen + used, sizeof seen - used, "[%s|%s|%s]", id, kind, data);
	return --left > 0;
}

static void events_come_in_pieces_of_any_size(void **state)
{
	(void)state;
	static const char stream[] = ": open\n\n"
				     "id: 1\nevent: frame\ndata: {}\n\n"
				     ":\n\n"
				     "event: lost\r\ndata: a\ndata: b\n\n"
				     "data:x\n\n"
				     "event: nothing\n\n"
				     "id: 7\nevent: half\ndata: ";
	for (size_t piece = 1; piece < sizeof stream; piece++) {
		struct cli_sse sse;
		cli_sse_init(&sse, note, NULL);
		seen[0] = '\0';
		left = 100;
		for (size_t at = 0; at < sizeof stream - 1; at += piece) {
			size_t more = sizeof stream - 1 - at;
			cli_sse_take(&sse, (const uint8_t *)stream + at, more < piece ? more : piece);
		}
		t_str("events", "[1|frame|{}][|lost|a\nb][|message|x]", seen);
		cli_sse_release(&sse);
	}
}

static void no_more_are_handed_over_than_are_wanted(void **state)
{
	(void)state;
	static const char stream[] = "data: a\n\ndata: b\n\ndata: c\n\n";
	struct cli_sse sse;
	cli_sse_init(&sse, note, NULL);
	seen[0] = '\0';
	left = 2;
	cli_sse_take(&sse, (const uint8_t *)stream, sizeof stream - 1);
	t_str("events", "[|message|a][|message|b]", seen);
	t_true("ended", sse.ended);
	cli_sse_release(&sse);
}

static void an_event_without_end_is_skipped(void **state)
{
	(void)state;
	static uint8_t much[70000];
	struct cli_sse sse;
	cli_sse_init(&sse, note, NULL);
	seen[0] = '\0';
	left = 100;
	memset(much, 'x', sizeof much);
	for (unsigned i = 0; i < 40; i++)
		cli_sse_take(&sse, much, sizeof much);
	cli_sse_take(&sse, (const uint8_t *)"\n\ndata: y\n\n", 11);
	t_str("the next one comes", "[|message|y]", seen);
	cli_sse_release(&sse);
}

static bool read_text(struct cli_frame *frame, const char *text, json_t **json)
{
	*json = json_loads(text, 0, NULL);
	assert_non_null(*json);
	return cli_frame_read(frame, *json);
}

#define RADIO                                                                                 \
	"\"txInfo\":{\"frequency\":868100000,\"modulation\":{\"lora\":{\"bandwidth\":125000," \
	"\"spreadingFactor\":7,\"codeRate\":\"CR_4_5\"}}}"
#define TIME "\"time\":\"2026-11-21T18:00:03.5+00:00\""

static void a_frame_is_read(void **state)
{
	(void)state;
	struct cli_frame frame;
	json_t *json;
	t_true("up", read_text(&frame,
			       "{\"number\":9,\"direction\":\"up\",\"phyPayload\":\"40AB\"," TIME "," RADIO
			       ",\"rxInfo\":[{\"gatewayId\":\"aa02030405060708\",\"rssi\":-101,\"snr\":-5.5,"
			       "\"channel\":3,\"nsTime\":\"1970-01-01T00:00:01Z\"},{\"gatewayId\":\"x\"}]}",
			       &json));
	t_uint("number", 9, frame.number);
	t_false("direction", frame.down);
	t_int("time", INT64_C(1795284003500000), frame.time.us);
	t_bytes("bytes", (const uint8_t[]){0x40, 0xab}, 2, frame.phy, frame.phy_length);
	t_uint("frequency", 868100000, frame.freq_hz);
	t_uint("SF", 7, frame.spreading_factor);
	t_uint("bandwidth", 125000, frame.bandwidth_hz);
	t_str("code rate", "CR_4_5", frame.code_rate);
	t_uint("receptions", 2, frame.reception_count);
	t_str("gateway", "aa02030405060708", frame.receptions[0].gateway);
	t_int("RSSI", -101, frame.receptions[0].rssi_dbm);
	t_true("SNR", frame.receptions[0].has_snr && frame.receptions[0].snr_db == -5.5);
	t_true("its time", frame.receptions[0].has_time && frame.receptions[0].time.us == US_PER_S);
	t_false("the other said neither", frame.receptions[1].has_rssi || frame.receptions[1].has_snr);
	json_decref(json);
	t_true("down",
	       read_text(&frame,
			 "{\"direction\":\"down\",\"phyPayload\":\"60\"," TIME
			 ",\"txInfo\":{\"frequency\":1,\"modulation\":{\"fsk\":{\"datarate\":50000}}},"
			 "\"tx\":{\"gatewayId\":\"aa02030405060708\",\"power\":27,\"answered\":true}}",
			 &json));
	t_true("direction", frame.down && frame.answered);
	t_uint("rate", 50000, frame.bit_rate_bps);
	t_int("power", 27, frame.power_dbm);
	t_str("gateway", "aa02030405060708", frame.tx_gateway);
	json_decref(json);
}

static void what_is_no_frame_is_not_read(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"nothing", "{}"},
		{"no object", "[]"},
		{"no bytes", "{\"phyPayload\":\"\"," TIME "," RADIO "}"},
		{"half a byte", "{\"phyPayload\":\"4\"," TIME "," RADIO "}"},
		{"no digits", "{\"phyPayload\":\"xx\"," TIME "," RADIO "}"},
		{"bytes that are a number", "{\"phyPayload\":40," TIME "," RADIO "}"},
		{"no time", "{\"phyPayload\":\"40\"," RADIO "}"},
		{"a time without an offset",
		 "{\"phyPayload\":\"40\",\"time\":\"2026-11-21T18:00:03\"," RADIO "}"},
		{"half a time", "{\"phyPayload\":\"40\",\"time\":\"2026-11-21T18\"," RADIO "}"},
		{"no radio", "{\"phyPayload\":\"40\"," TIME "}"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cli_frame frame;
		json_t *json;
		t_row(rows[i].name);
		t_false("read", read_text(&frame, rows[i].text, &json));
		json_decref(json);
	}
}

static void a_row_has_nothing_that_a_terminal_obeys(void **state)
{
	(void)state;
	struct cli_frame frame;
	struct frame_row row;
	json_t *json;
	t_true("read",
	       read_text(&frame,
			 "{\"phyPayload\":\"40\"," TIME "," RADIO
			 ",\"deviceName\":\"\\u001b[2J\\u009b\\u202e\",\"verdict\":\"a\\nb\",\"fType\":"
			 "\"\\u001b\","
			 "\"devAddr\":\"\\r\",\"sentence\":\"\\u001b]0;x\\u0007\",\"standing\":\"problem\","
			 "\"rxInfo\":[{\"gatewayId\":\"\\u001b[31m\"}]}",
			 &json));
	frame_row_fill(&row, &frame, true);
	for (int i = 0; i < CELL_COUNT; i++)
		for (const char *at = frame_row_cell(&row, (enum frame_cell)i); *at; at++)
			t_true("printable", (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f);
	t_str("name", "?[2J??", row.cells[CELL_DEVICE]);
	t_str("date", "2026-11-21", row.date);
	t_str("time", "18:00:03.500", row.cells[CELL_TIME]);
	frame_row_release(&row);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(events_come_in_pieces_of_any_size), t_test(no_more_are_handed_over_than_are_wanted),
		t_test(an_event_without_end_is_skipped),   t_test(a_frame_is_read),
		t_test(what_is_no_frame_is_not_read),      t_test(a_row_has_nothing_that_a_terminal_obeys),
	};
	return t_run(tests);
}
