#include "simulator/station_read.h"

#include "common/base/hex.h"

#include <string.h>

void sim_read_fail(struct sim_read *of, enum sim_station_verdict verdict)
{
	if (of->verdict == SIM_STATION_OK)
		of->verdict = verdict;
}

json_t *sim_read_member(const struct sim_read *of, const char *name)
{
	json_t *value = json_object_get(of->object, name);
	return json_is_null(value) ? NULL : value;
}

bool sim_read_has(const struct sim_read *of, const char *name)
{
	return sim_read_member(of, name) != NULL;
}

int64_t sim_read_int(struct sim_read *of, const char *name, bool needed, int64_t min, int64_t max)
{
	json_t *value = sim_read_member(of, name);
	if (!value) {
		if (needed)
			sim_read_fail(of, SIM_STATION_MISSING);
		return 0;
	}
	if (!json_is_integer(value)) {
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
		return 0;
	}
	if (json_integer_value(value) < min || json_integer_value(value) > max) {
		sim_read_fail(of, SIM_STATION_OUT_OF_RANGE);
		return 0;
	}
	return (int64_t)json_integer_value(value);
}

double sim_read_number(struct sim_read *of, const char *name)
{
	json_t *value = sim_read_member(of, name);
	if (value && !json_is_number(value))
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
	return json_number_value(value);
}

bool sim_read_bool(struct sim_read *of, const char *name)
{
	json_t *value = sim_read_member(of, name);
	if (value && !json_is_boolean(value))
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
	return json_is_true(value);
}

const char *sim_read_text(struct sim_read *of, const char *name)
{
	json_t *value = sim_read_member(of, name);
	if (!value)
		sim_read_fail(of, SIM_STATION_MISSING);
	else if (!json_is_string(value))
		sim_read_fail(of, SIM_STATION_WRONG_TYPE);
	return json_is_string(value) ? json_string_value(value) : "";
}

void sim_read_eui(struct sim_read *of, const char *name, struct lw_eui64 *eui)
{
	const char *text = sim_read_text(of, name);
	char digits[17];
	if (of->verdict != SIM_STATION_OK)
		return;
	size_t at = 0;
	for (size_t i = 0; text[i] != 0 && at < 16; i++)
		if (i % 3 != 2)
			digits[at++] = text[i];
		else if (text[i] != '-')
			break;
	digits[at] = 0;
	if (strlen(text) != 23 || !hex_decode_exact(eui->bytes, 8, digits))
		sim_read_fail(of, SIM_STATION_BAD_HEX);
}
