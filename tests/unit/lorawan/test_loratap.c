/* LoRaTap headers: what is written byte by byte, and what is read back of it. tests/process/test_wireshark.c asks tshark the same. */
#include "tests/harness/harness.h"

#include "common/lorawan/loratap.h"

#include <string.h>

#define LORA(sf, hz)                                                                                \
	{                                                                                           \
		.kind = LW_LORA, .spreading_factor = (sf), .bandwidth_hz = (hz), .code_rate = "4/5" \
	}

static const struct {
	const char *name;
	uint32_t freq_hz;
	struct lw_modulation modulation;
	bool has_rssi;
	int rssi_dbm;
	bool has_snr;
	int snr_cdb;
	uint8_t bytes[LW_LORATAP_SIZE];
	int rssi_cdb; /* as read again */
} rows[] = {
	{"a strong uplink: whole decibels",
	 868100000,
	 LORA(7, 125000),
	 true,
	 -57,
	 true,
	 950,
	 {0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 1, 7, 82, 82, 82, 38, 0x34},
	 -5700},
	{"SNR of exactly 0: still whole decibels",
	 903900000,
	 LORA(10, 500000),
	 true,
	 -100,
	 true,
	 0,
	 {0, 0, 0, 15, 0x35, 0xe0, 0x6b, 0x60, 4, 10, 39, 39, 39, 0, 0x34},
	 -10000},
	{"a weak uplink: quarter decibels",
	 868100000,
	 LORA(12, 125000),
	 true,
	 -121,
	 true,
	 -1725,
	 {0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 1, 12, 72, 18, 18, 0xbb, 0x34},
	 -12100},
	{"negative, but nearer to 0 than to a quarter",
	 868100000,
	 LORA(9, 250000),
	 true,
	 -110,
	 true,
	 -10,
	 {0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 2, 9, 29, 29, 29, 0, 0x34},
	 -11000},
	{"weak beside a strong one: quarters end at -75.5 dBm, the current RSSI says it",
	 868100000,
	 LORA(9, 125000),
	 true,
	 -60,
	 true,
	 -500,
	 {0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 1, 9, 254, 79, 79, 0xec, 0x34},
	 -6000},
	{"below what the header can say",
	 868100000,
	 LORA(12, 125000),
	 true,
	 -145,
	 true,
	 -3300,
	 {0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 1, 12, 0, 0, 0, 0x80, 0x34},
	 -13900},
	{"a transmission has neither",
	 923300000,
	 LORA(10, 500000),
	 false,
	 0,
	 false,
	 0,
	 {0, 0, 0, 15, 0x37, 0x08, 0x70, 0xa0, 4, 10, 255, 255, 255, 0, 0x34},
	 0},
	{"FSK",
	 868800000,
	 {.kind = LW_FSK, .bit_rate_bps = 50000},
	 true,
	 -80,
	 false,
	 0,
	 {0, 0, 0, 15, 0x33, 0xc8, 0xd6, 0x00, 0, 0, 59, 59, 59, 0, 0x34},
	 -8000},
	{"2.4 GHz: the nearest steps",
	 2403000000,
	 LORA(12, 812000),
	 true,
	 -90,
	 true,
	 100,
	 {0, 0, 0, 15, 0x8f, 0x3a, 0xde, 0xc0, 6, 12, 49, 49, 49, 4, 0x34},
	 -9000},
};

static void headers_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[LW_LORATAP_SIZE];
		struct wr wr = wr_init(bytes, sizeof bytes);
		struct lw_loratap header = lw_loratap_make(rows[i].freq_hz, &rows[i].modulation,
							   rows[i].has_rssi, rows[i].rssi_dbm,
							   rows[i].has_snr, rows[i].snr_cdb);
		t_row(rows[i].name);
		lw_loratap_write(&wr, &header);
		t_bytes("bytes", rows[i].bytes, sizeof rows[i].bytes, bytes, wr_length(&wr));
		struct rd rd = rd_init(bytes, sizeof bytes);
		struct lw_loratap read;
		struct lw_modulation modulation;
		int rssi_cdb;
		t_str("verdict", "ok", lw_loratap_verdict_name(lw_loratap_read(&rd, &read)));
		t_uint("left", 0, rd_left(&rd));
		t_true("modulation", lw_loratap_modulation(&read, &modulation));
		t_int("kind", rows[i].modulation.kind, modulation.kind);
		t_uint("bandwidth", rows[i].modulation.bandwidth_hz, modulation.bandwidth_hz);
		t_uint("sf", rows[i].modulation.spreading_factor, modulation.spreading_factor);
		t_uint("bps", rows[i].modulation.bit_rate_bps, modulation.bit_rate_bps);
		if (t_int("has RSSI", rows[i].has_rssi, lw_loratap_rssi_cdb(&read, &rssi_cdb)) &&
		    rows[i].has_rssi)
			t_int("RSSI", rows[i].rssi_cdb, rssi_cdb);
	}
}

#define V0 0, 0, 0, 15, 0x33, 0xbe, 0x27, 0xa0, 1, 7, 82, 255, 82, 38, 0x34
#define V1(flags, bps)                                                                                     \
	1, 0, 0, 35, 0x33, 0xbe, 0x27, 0xa0, 1, 7, 82, 255, 82, 38, 0x34, 0xaa, 0x55, 0x5a, 0, 0, 0, 1, 1, \
		0, 0, 0x10, 0, (flags), 5, (bps) >> 8, (bps)&0xff, 3, 1, 0, 9

static const struct {
	const char *name;
	size_t length;
	uint8_t bytes[48];
	enum lw_loratap_verdict verdict;
	size_t left;
	uint64_t gateway;
	enum lw_modulation_kind kind;
} reads[] = {
	{"version 0", 17, {V0, 0x40, 1}, LW_LORATAP_OK, 2, 0, LW_LORA},
	{"version 1 names its gateway", 36, {V1(8, 0), 0x40}, LW_LORATAP_OK, 1, 0xaa555a0000000101, LW_LORA},
	{"version 1, FSK", 35, {V1(9, 50000)}, LW_LORATAP_OK, 0, 0xaa555a0000000101, LW_FSK},
	{"a later version, longer",
	 18,
	 {2, 0, 0, 17, 0x33, 0xbe, 0x27, 0xa0, 1, 7, 82, 255, 82, 38, 0x34, 9, 9, 0x40},
	 LW_LORATAP_OK,
	 1,
	 0,
	 LW_LORA},
	{"three bytes", 3, {0, 0, 0}, LW_LORATAP_TRUNCATED, 0, 0, LW_LORA},
	{"14 bytes", 14, {V0}, LW_LORATAP_TRUNCATED, 0, 0, LW_LORA},
	{"longer than the packet", 15, {0, 0, 0, 16}, LW_LORATAP_TRUNCATED, 0, 0, LW_LORA},
	{"shorter than version 0", 15, {0, 0, 0, 14}, LW_LORATAP_BAD_LENGTH, 0, 0, LW_LORA},
	{"version 1 of version 0's length", 35, {1, 0, 0, 15}, LW_LORATAP_BAD_LENGTH, 0, 0, LW_LORA},
};

static void what_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		struct rd rd = rd_init(reads[i].bytes, reads[i].length);
		struct lw_loratap header = {.freq_hz = 1};
		struct lw_modulation modulation;
		t_row(reads[i].name);
		enum lw_loratap_verdict verdict = lw_loratap_read(&rd, &header);
		t_str("verdict", lw_loratap_verdict_name(reads[i].verdict), lw_loratap_verdict_name(verdict));
		t_uint("frequency", verdict == LW_LORATAP_OK ? 868100000 : 1, header.freq_hz);
		if (verdict != LW_LORATAP_OK)
			continue;
		t_uint("left", reads[i].left, rd_left(&rd));
		t_uint("gateway", reads[i].gateway,
		       header.has_gateway ? lw_eui64_number(&header.gateway) : 0);
		t_true("modulation", lw_loratap_modulation(&header, &modulation));
		t_int("kind", reads[i].kind, modulation.kind);
		if (reads[i].gateway)
			t_uint("counter", 0x1000, header.ticks.us);
	}
}

static void what_lorawan_does_not_use(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct lw_modulation modulation;
	} refused[] = {
		{"LR-FHSS: version 0 has no word for it", {.kind = LW_LR_FHSS, .bandwidth_hz = 137000}},
		{"LR-FHSS of an unknown width", {.kind = LW_LR_FHSS}},
		{"spreading factor 4", LORA(4, 125000)},
		{"no bandwidth", LORA(7, 0)},
	};
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct lw_loratap header = lw_loratap_make(868100000, &refused[i].modulation, false, 0, false,
							   0);
		struct lw_modulation modulation;
		t_row(refused[i].name);
		t_false("modulation", lw_loratap_modulation(&header, &modulation));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(headers_both_ways),
		t_test(what_is_read),
		t_test(what_lorawan_does_not_use),
	};
	return t_run(tests);
}
