#include "tests/harness/harness.h"

#include "common/lorawan/dev_addr.h"

static void every_type_both_ways(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 8; type++) {
		struct lw_net_id net_id = {type << 21 | ((UINT32_C(1) << lw_nwk_id_bits(type)) - 1)};
		uint32_t most = (UINT32_C(1) << lw_nwk_addr_bits(type)) - 1, nwk_id, nwk_addr;
		unsigned got;
		struct lw_dev_addr dev_addr = {0x55};
		t_uint("bits", 32, type + 1 + lw_nwk_id_bits(type) + lw_nwk_addr_bits(type));
		t_true("build", lw_dev_addr_build(net_id, most, &dev_addr));
		t_true("split", lw_dev_addr_split(dev_addr, &got, &nwk_id, &nwk_addr));
		t_uint("type", type, got);
		t_uint("nwk_id", net_id.value & 0x1fffff, nwk_id);
		t_uint("nwk_addr", most, nwk_addr);
		t_true("in the prefix", lw_dev_addr_in(dev_addr, lw_net_id_prefix(net_id)));
		dev_addr.value = 0x55;
		t_false("one too many", lw_dev_addr_build(net_id, most + 1, &dev_addr));
		t_uint("untouched", 0x55, dev_addr.value);
		struct lw_net_id neighbour = {net_id.value - 1};
		assert_true(lw_dev_addr_build(neighbour, 0, &dev_addr));
		t_false("the neighbour's", lw_dev_addr_in(dev_addr, lw_net_id_prefix(net_id)));
	}
	unsigned type;
	uint32_t nwk_id, nwk_addr;
	t_false("eight ones belong to no type",
		lw_dev_addr_split((struct lw_dev_addr){0xff000001}, &type, &nwk_id, &nwk_addr));
}

static void prefixes_as_text(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		uint32_t value;
		uint8_t bits;
	} rows[] = {
		{"26000000/7", true, 0x26000000, 7},
		{"fc00ac00/22", true, 0xfc00ac00, 22},
		{"00000000/0", true, 0, 0},
		{"ffffffff/32", true, 0xffffffff, 32},
		{"26000001/7", false, 0, 0},
		{"80000000/33", false, 0, 0},
		{"26000000/", false, 0, 0},
		{"26000000", false, 0, 0},
		{"2600000/7", false, 0, 0},
		{"26000000/07", false, 0, 0},
		{"26000000/7 ", false, 0, 0},
		{"g6000000/7", false, 0, 0},
		{"26000000/-1", false, 0, 0},
		{"26000000/+7", false, 0, 0},
		{"", false, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].text);
		struct lw_dev_addr_prefix prefix = {0x77, 1};
		char text[LW_DEV_ADDR_PREFIX_TEXT];
		t_int("parses", rows[i].ok, lw_dev_addr_prefix_parse(rows[i].text, &prefix));
		t_uint("value", rows[i].ok ? rows[i].value : 0x77, prefix.value);
		t_uint("bits", rows[i].ok ? rows[i].bits : 1, prefix.bits);
		if (rows[i].ok) {
			lw_dev_addr_prefix_format(text, prefix);
			t_str("text", rows[i].text, text);
		}
	}
}

static void prefix_of_no_bits_holds_all(void **state)
{
	(void)state;
	t_true("any", lw_dev_addr_in((struct lw_dev_addr){0xdeadbeef}, (struct lw_dev_addr_prefix){0, 0}));
	t_true("7 bits, the last",
	       lw_dev_addr_in((struct lw_dev_addr){0x27ffffff}, (struct lw_dev_addr_prefix){0x26000000, 7}));
	t_false("7 bits, the next",
		lw_dev_addr_in((struct lw_dev_addr){0x28000000}, (struct lw_dev_addr_prefix){0x26000000, 7}));
	t_true("32 bits, itself",
	       lw_dev_addr_in((struct lw_dev_addr){0xdeadbeef}, (struct lw_dev_addr_prefix){0xdeadbeef, 32}));
	t_false("32 bits, the next", lw_dev_addr_in((struct lw_dev_addr){0xdeadbeee},
						    (struct lw_dev_addr_prefix){0xdeadbeef, 32}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_type_both_ways),
		t_test(prefixes_as_text),
		t_test(prefix_of_no_bits_holds_all),
	};
	return t_run(tests);
}
