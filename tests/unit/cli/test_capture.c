/* What a packet of a capture says of the network, and what a whole file holds. */
#include "tests/harness/harness.h"

#include "cli/capture_survey.h"

#include <string.h>

#define TAP 0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 1, 7, 82, 82, 82, 38, 0x34
#define TAP_OF(bandwidth, sf, sync) \
	0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, (bandwidth), (sf), 82, 82, 82, 38, (sync)
#define TAP1(flags)                                                                                          \
	1, 0, 0, 35, 0x33, 0xbe, 0x27, 0xa0, 1, 7, 82, 82, 82, 38, 0x34, 0xaa, 0x55, 0x5a, 0, 0, 0, 1, 1, 0, \
		0, 0, 0, (flags), 5, 0, 0, 0, 0, 0, 0
#define IP(length, from, to)                                                                          \
	0x45, 0, 0, 28 + (length), 0, 1, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, (from) >> 8, \
		(from)&255, (to) >> 8, (to)&255, 0, 8 + (length), 0, 0
#define EUI 0xaa, 0x55, 0x5a, 0, 0, 0, 1, 1

static const struct {
	const char *name;
	uint32_t link;
	size_t length;
	uint8_t bytes[64];
	enum capture_kind kind;
	enum capture_skip skip;
	int identifier; /* −1: none */
	bool has_gateway;
} rows[] = {
	{"a data frame going up", 270, 17, {TAP, 0x40, 1}, CAPTURE_FRAME_UP, 0, -1, false},
	{"a join-request", 270, 16, {TAP, 0x00}, CAPTURE_FRAME_UP, 0, -1, false},
	{"a rejoin-request", 270, 16, {TAP, 0xc0}, CAPTURE_FRAME_UP, 0, -1, false},
	{"a join-accept", 270, 16, {TAP, 0x20}, CAPTURE_FRAME_DOWN, 0, -1, false},
	{"an unconfirmed downlink", 270, 16, {TAP, 0x60}, CAPTURE_FRAME_DOWN, 0, -1, false},
	{"a confirmed downlink", 270, 16, {TAP, 0xa0}, CAPTURE_FRAME_DOWN, 0, -1, false},
	{"version 1 names the gateway", 270, 36, {TAP1(8), 0x40}, CAPTURE_FRAME_UP, 0, -1, true},
	{"a frame that came damaged", 270, 36, {TAP1(16), 0x40}, CAPTURE_SKIPPED, CAPTURE_BAD_CRC, -1, true},
	{"no frame behind the header", 270, 15, {TAP}, CAPTURE_SKIPPED, CAPTURE_BAD_LENGTH, -1, false},
	{"half a header", 270, 9, {TAP}, CAPTURE_SKIPPED, CAPTURE_MALFORMED, -1, false},
	{"another sync word",
	 270,
	 16,
	 {TAP_OF(1, 7, 0x12), 0x40},
	 CAPTURE_SKIPPED,
	 CAPTURE_NOT_LORAWAN,
	 -1,
	 false},
	{"LR-FHSS cannot be told",
	 270,
	 16,
	 {TAP_OF(1, 0, 0x34), 0x40},
	 CAPTURE_SKIPPED,
	 CAPTURE_NOT_LORAWAN,
	 -1,
	 false},
	{"FSK has no sync word of LoRa's", 270, 16, {TAP_OF(0, 0, 0), 0x40}, CAPTURE_FRAME_UP, 0, -1, false},
	{"PUSH_DATA",
	 101,
	 42,
	 {IP(14, 9999, 1700), 2, 0, 1, 0, EUI, '{', '}'},
	 CAPTURE_TO_SERVER,
	 0,
	 SEMTECH_PUSH_DATA,
	 true},
	{"PULL_DATA of version 1",
	 101,
	 40,
	 {IP(12, 9999, 1700), 1, 0, 1, 2, EUI},
	 CAPTURE_TO_SERVER,
	 0,
	 SEMTECH_PULL_DATA,
	 true},
	{"TX_ACK",
	 101,
	 40,
	 {IP(12, 9999, 1700), 2, 0, 1, 5, EUI},
	 CAPTURE_TO_SERVER,
	 0,
	 SEMTECH_TX_ACK,
	 true},
	{"PUSH_ACK",
	 101,
	 32,
	 {IP(4, 1700, 9999), 2, 0, 1, 1},
	 CAPTURE_FROM_SERVER,
	 0,
	 SEMTECH_PUSH_ACK,
	 false},
	{"PULL_RESP",
	 101,
	 34,
	 {IP(6, 1700, 9999), 2, 0, 1, 3, '{', '}'},
	 CAPTURE_FROM_SERVER,
	 0,
	 SEMTECH_PULL_RESP,
	 false},
	{"the same port on both sides, up",
	 101,
	 40,
	 {IP(12, 1700, 1700), 2, 0, 1, 2, EUI},
	 CAPTURE_TO_SERVER,
	 0,
	 SEMTECH_PULL_DATA,
	 true},
	{"the same port on both sides, down",
	 101,
	 32,
	 {IP(4, 1700, 1700), 2, 0, 1, 4},
	 CAPTURE_FROM_SERVER,
	 0,
	 SEMTECH_PULL_ACK,
	 false},
	{"an acknowledgement to the server",
	 101,
	 32,
	 {IP(4, 9999, 1700), 2, 0, 1, 1},
	 CAPTURE_SKIPPED,
	 CAPTURE_NOT_SEMTECH,
	 -1,
	 false},
	{"PUSH_DATA without an EUI",
	 101,
	 39,
	 {IP(11, 9999, 1700), 2, 0, 1, 0},
	 CAPTURE_SKIPPED,
	 CAPTURE_NOT_SEMTECH,
	 -1,
	 false},
	{"version 3",
	 101,
	 40,
	 {IP(12, 9999, 1700), 3, 0, 1, 0, EUI},
	 CAPTURE_SKIPPED,
	 CAPTURE_NOT_SEMTECH,
	 -1,
	 false},
	{"identifier 6",
	 101,
	 40,
	 {IP(12, 9999, 1700), 2, 0, 1, 6, EUI},
	 CAPTURE_SKIPPED,
	 CAPTURE_NOT_SEMTECH,
	 -1,
	 false},
	{"another port",
	 101,
	 40,
	 {IP(12, 9999, 1701), 2, 0, 1, 2, EUI},
	 CAPTURE_SKIPPED,
	 CAPTURE_OTHER_PORT,
	 -1,
	 false},
	{"a radio of another kind", 127, 40, {0}, CAPTURE_SKIPPED, CAPTURE_UNKNOWN_LINK, -1, false},
};

static void packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pcap_packet packet = {.link_type = rows[i].link,
						   .bytes = rows[i].bytes,
						   .length = (uint32_t)rows[i].length,
						   .original_length = (uint32_t)rows[i].length};
		struct capture_item item;
		t_row(rows[i].name);
		capture_item_read(&item, &packet, 1700);
		t_int("kind", rows[i].kind, item.kind);
		if (rows[i].kind == CAPTURE_SKIPPED)
			t_str("reason", capture_skip_name(rows[i].skip), capture_skip_name(item.skip));
		if (rows[i].identifier >= 0)
			t_int("identifier", rows[i].identifier, item.identifier);
		t_int("gateway", rows[i].has_gateway, item.has_gateway);
		if (item.has_gateway)
			t_uint("EUI", UINT64_C(0xaa555a0000000101), lw_eui64_number(&item.gateway));
	}
	struct capture_item item;
	const struct pcap_packet cut = {
		.link_type = 270, .bytes = rows[0].bytes, .length = 17, .original_length = 18};
	capture_item_read(&item, &cut, 1700);
	t_row("a frame that the capture cut");
	t_str("reason", "cut", item.kind == CAPTURE_SKIPPED ? capture_skip_name(item.skip) : "kept");
}

static void every_reason_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CAPTURE_SKIP_COUNT; i++)
		t_true("name", capture_skip_name((enum capture_skip)i) != NULL);
}

static void a_file_is_counted(void **state)
{
	(void)state;
	struct capture_survey survey;
	struct capture_file *file;
	t_row("the corpus' LoRaTap file");
	assert_int_equal(0, capture_file_open(&file, "tests/fuzz/corpus/pcap/loratap"));
	assert_true(capture_survey_make(&survey, file, 1700));
	uint32_t dev_addr = 0xa1b2c3d4;
	const struct survey_address *address = table_get(&survey.addresses, &dev_addr);
	t_uint("packets", 2, survey.packets);
	t_uint("unconfirmed up", 2, survey.types[2]);
	t_uint("without a gateway", 1, survey.frames_without_gateway);
	t_uint("gateways", 1, survey.gateways.count);
	t_uint("of the address", 2, address ? address->up : 0);
	t_int("seconds", US_PER_S, survey.last.us - survey.first.us);
	capture_survey_release(&survey);
	t_true("again", capture_file_rewind(file));
	assert_true(capture_survey_make(&survey, file, 1700));
	t_uint("packets the second time", 2, survey.packets);
	capture_survey_release(&survey);
	capture_file_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(packets), t_test(every_reason_has_a_name),
					   t_test(a_file_is_counted)};
	return t_run(tests);
}
