/* Configuration files: what is accepted must read back to itself after printing; what is refused must say why. */
#include "common/base/check.h"
#include "common/text/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sample {
	int64_t ring_seconds;
	char udp_listen[64];
	bool forward_unknown;
	int64_t window_us;
	struct option_list regions;
	struct option_map keks;
};

static struct sample sample;

static const struct option rows[] = {
	{"gateway-bridge", "ring_seconds", OPTION_INT, OPTION_AT(struct sample, ring_seconds),
	 .fallback = "60", .min = 1, .max = 600, .unit = "s", .help = "Ring."},
	{"gateway-bridge", "udp_listen", OPTION_STRING, OPTION_AT(struct sample, udp_listen),
	 .fallback = "0.0.0.0:1700", .help = "Address."},
	{"gateway-bridge", "forward_unknown", OPTION_BOOL, OPTION_AT(struct sample, forward_unknown),
	 .fallback = "false", .help = "Forward."},
	{"gateway-bridge", "window", OPTION_DURATION, OPTION_AT(struct sample, window_us),
	 .fallback = "200ms", .min = 0, .max = 5000000, .help = "Window."},
	{"gateway-bridge", "regions", OPTION_LIST, OPTION_AT(struct sample, regions), .fallback = "us915",
	 .help = "Regions."},
	{"gateway-bridge", "keks", OPTION_MAP, OPTION_AT(struct sample, keks), .help = "Keys."},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config_program program = {"gateway-bridge", "Fuzzed.", rows,
					       ARRAY_SIZE(rows), &sample,   sizeof sample};
	struct config_common common = {0};
	char error[CONFIG_ERROR_MAX] = "";
	if (!config_read_text(&program, &common, "fuzz.yaml", (const char *)data, size, error)) {
		ASSERT(strncmp(error, "fuzz.yaml:", 10) == 0);
		return 0;
	}
	struct sample first = sample;
	struct config_common first_common = common;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	ASSERT(out != NULL);
	config_print(out, &program, &common);
	fclose(out);
	bool again = config_read_text(&program, &common, "printed", text, length, error);
	ASSERT(again);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ASSERT(option_equal(&rows[i], &first, &sample));
	for (size_t i = 0; i < config_common_row_count; i++)
		ASSERT(option_equal(&config_common_rows[i], &first_common, &common));
	free(text);
	return 0;
}
