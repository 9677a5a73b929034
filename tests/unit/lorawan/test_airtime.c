#include "tests/harness/harness.h"

#include "common/lorawan/airtime.h"

static const struct {
	const char *name;
	uint8_t sf;
	uint32_t bandwidth_hz;
	uint8_t length;
	enum lw_direction direction;
	uint32_t us;
} lora[] = {
	{"SF7 13 bytes", 7, 125000, 13, LW_UP, 46336},
	{"SF8 13 bytes", 8, 125000, 13, LW_UP, 82432},
	{"SF9 13 bytes", 9, 125000, 13, LW_UP, 164864},
	{"SF10 13 bytes", 10, 125000, 13, LW_UP, 288768},
	{"SF11 13 bytes", 11, 125000, 13, LW_UP, 577536},
	{"SF12 13 bytes", 12, 125000, 13, LW_UP, 1155072},
	{"SF7 23 bytes", 7, 125000, 23, LW_UP, 61696},
	{"SF8 23 bytes", 8, 125000, 23, LW_UP, 113152},
	{"SF9 23 bytes", 9, 125000, 23, LW_UP, 205824},
	{"SF10 23 bytes", 10, 125000, 23, LW_UP, 370688},
	{"SF11 23 bytes", 11, 125000, 23, LW_UP, 823296},
	{"SF12 23 bytes", 12, 125000, 23, LW_UP, 1482752},
	{"SF7 33 bytes", 7, 125000, 33, LW_UP, 71936},
	{"SF8 33 bytes", 8, 125000, 33, LW_UP, 133632},
	{"SF9 33 bytes", 9, 125000, 33, LW_UP, 246784},
	{"SF10 33 bytes", 10, 125000, 33, LW_UP, 452608},
	{"SF11 33 bytes", 11, 125000, 33, LW_UP, 987136},
	{"SF12 33 bytes", 12, 125000, 33, LW_UP, 1810432},
	{"SF7 51 bytes", 7, 125000, 51, LW_UP, 102656},
	{"SF8 51 bytes", 8, 125000, 51, LW_UP, 184832},
	{"SF9 51 bytes", 9, 125000, 51, LW_UP, 328704},
	{"SF10 51 bytes", 10, 125000, 51, LW_UP, 616448},
	{"SF11 51 bytes", 11, 125000, 51, LW_UP, 1314816},
	{"SF12 51 bytes", 12, 125000, 51, LW_UP, 2465792},
	{"SF7 242 bytes", 7, 125000, 242, LW_UP, 379136},
	{"SF7 at 250 kHz", 7, 250000, 23, LW_UP, 30848},
	{"SF8 at 500 kHz", 8, 500000, 23, LW_UP, 28288},
	{"SF12 at 500 kHz", 12, 500000, 23, LW_UP, 329728},
	{"SF7 downlink", 7, 125000, 12, LW_DOWN, 41216},
	{"SF8 downlink", 8, 125000, 12, LW_DOWN, 72192},
	{"SF9 downlink", 9, 125000, 12, LW_DOWN, 144384},
	{"SF10 downlink", 10, 125000, 12, LW_DOWN, 288768},
	{"SF11 downlink", 11, 125000, 12, LW_DOWN, 577536},
	{"SF12 downlink", 12, 125000, 12, LW_DOWN, 991232},
	{"SF11 downlink of 33 bytes", 11, 125000, 33, LW_DOWN, 905216},
	{"no such spreading factor", 13, 125000, 13, LW_UP, 0},
	{"no bandwidth", 7, 0, 13, LW_UP, 0},
};

static void lora_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lora); i++) {
		t_row(lora[i].name);
		const struct lw_modulation modulation = {.kind = LW_LORA,
							 .spreading_factor = lora[i].sf,
							 .bandwidth_hz = lora[i].bandwidth_hz,
							 .code_rate = "4/5"};
		t_uint("us", lora[i].us, lw_airtime_us(&modulation, lora[i].direction, lora[i].length));
	}
}

/* Counted by hand from the formula: 45.25 symbols and 5 × 3 more at 4/8; 56.25 symbols of 256 µs at SF5. */
static const struct {
	const char *name;
	struct lw_lora_frame frame;
	uint8_t length;
	uint32_t us;
} forms[] = {
	{"a beacon: implicit header, no CRC, preamble of 10, SF9, 17 bytes",
	 {.spreading_factor = 9,
	  .bandwidth_hz = 125000,
	  .coding_rate = 1,
	  .preamble_symbols = 10,
	  .implicit_header = true},
	 17,
	 152576},
	{"4/8 takes three symbols more a block", {7, 125000, 4, 8, true, false}, 13, 61696},
	{"SF5: 6.25 symbols of sync, eight bits less", {5, 125000, 1, 12, true, false}, 13, 14400},
	{"an empty frame", {7, 125000, 1, 8, true, false}, 0, 25856},
	{"coding rate 0", {7, 125000, 0, 8, true, false}, 13, 0},
	{"coding rate 5", {7, 125000, 5, 8, true, false}, 13, 0},
};

static void other_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		t_row(forms[i].name);
		t_uint("us", forms[i].us, lw_airtime_lora_us(&forms[i].frame, forms[i].length));
	}
}

static const struct {
	const char *name;
	struct lw_modulation modulation;
	uint8_t length;
	uint32_t us;
} others[] = {
	{"FSK 13", {.kind = LW_FSK, .bit_rate_bps = 50000}, 13, 3840},
	{"FSK 23", {.kind = LW_FSK, .bit_rate_bps = 50000}, 23, 5440},
	{"FSK 51", {.kind = LW_FSK, .bit_rate_bps = 50000}, 51, 9920},
	{"FSK 242", {.kind = LW_FSK, .bit_rate_bps = 50000}, 242, 40480},
	{"FSK without a rate", {.kind = LW_FSK}, 13, 0},
	{"LR-FHSS 1/3 13", {.kind = LW_LR_FHSS, .code_rate = "1/3"}, 13, 1507328},
	{"LR-FHSS 1/3 23", {.kind = LW_LR_FHSS, .code_rate = "1/3"}, 23, 2019328},
	{"LR-FHSS 1/3 51", {.kind = LW_LR_FHSS, .code_rate = "1/3"}, 51, 3452928},
	{"LR-FHSS 2/3 13", {.kind = LW_LR_FHSS, .code_rate = "2/3"}, 13, 870400},
	{"LR-FHSS 2/3 23", {.kind = LW_LR_FHSS, .code_rate = "2/3"}, 23, 1128448},
	{"LR-FHSS 2/3 51", {.kind = LW_LR_FHSS, .code_rate = "2/3"}, 51, 1845248},
	{"LR-FHSS 4/6 is 2/3", {.kind = LW_LR_FHSS, .code_rate = "4/6"}, 13, 870400},
};

static void fsk_and_lr_fhss(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		t_row(others[i].name);
		t_uint("us", others[i].us, lw_airtime_us(&others[i].modulation, LW_UP, others[i].length));
	}
	/* The simple form of the literature counts whole blocks: N × 233.472 ms + ceil((PL + 3) / (2 or 4)) × 102.4 ms. */
	for (size_t length = 1; length <= 60; length++) {
		t_row("the exact form is below the simple one, by less than a block");
		uint32_t simple[2] = {(uint32_t)(3 * 233472 + (length + 4) / 2 * 102400),
				      (uint32_t)(2 * 233472 + (length + 6) / 4 * 102400)};
		for (int two_thirds = 0; two_thirds < 2; two_thirds++) {
			uint32_t exact = lw_airtime_lr_fhss_us(two_thirds, length);
			t_true("below", exact <= simple[two_thirds] && exact + 102400 > simple[two_thirds]);
		}
	}
}

static void coding_rates(void **state)
{
	(void)state;
	uint8_t rate = 9;
	t_true("4/5", lw_coding_rate_parse("4/5", &rate) && rate == 1);
	t_true("4/8LI", lw_coding_rate_parse("4/8LI", &rate) && rate == 4);
	t_true("not stated", lw_coding_rate_parse("", &rate) && rate == 1);
	t_false("4/9", lw_coding_rate_parse("4/9", &rate));
	t_false("4/55", lw_coding_rate_parse("4/55", &rate));
	t_uint("symbol", 1024, lw_symbol_us(7, 125000));
	t_uint("symbol rounded up", 158, lw_symbol_us(7, 812000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(lora_frames),
		t_test(other_forms),
		t_test(fsk_and_lr_fhss),
		t_test(coding_rates),
	};
	return t_run(tests);
}
