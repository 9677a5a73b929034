/* One gateway on a screen: what is wrong and what to do first, then what may have to do with it. */
#include "cli/gateway_health.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/status_screen.h"
#include "cli/wrap.h"
#include "common/base/check.h"

#include <string.h>

#define OUTAGES_SHOWN 5

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static long long number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static double real_of(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static bool is_known(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return value && !json_is_null(value);
}

/* "2027-01-15 08:00:05" of an RFC 3339 time. */
static const char *short_time(char text[24], const char *time)
{
	snprintf(text, 24, "%.10s %.8s", time, strlen(time) > 18 ? time + 11 : "");
	return text;
}

static void print_state(struct cli_screen *screen, const json_t *record)
{
	char time[24];
	const char *state = text_of(record, "state"), *since = text_of(record, "since");
	cli_screen_begin(screen, "STATE");
	cli_screen_put(screen, colour_of_word(state[0] ? state : "unknown"), "%s",
		       state[0] ? state : "unknown");
	if (since[0])
		cli_screen_put(screen, COLOUR_NONE, " since %s", short_time(time, since));
	cli_screen_put(screen, COLOUR_NONE, ": %s", text_of(record, "says"));
	cli_screen_end(screen);
	if (text_of(record, "next_step")[0]) {
		cli_screen_begin(screen, "NEXT");
		cli_screen_put(screen, COLOUR_STRONG, "%s", text_of(record, "next_step"));
		cli_screen_end(screen);
	}
}

static void print_hour(struct cli_screen *screen, const json_t *health)
{
	const json_t *hour = json_object_get(health, "hour"), *count;
	const char *name;
	long long received = number_of(hour, "received"), bad = number_of(hour, "crc_errors");
	long long refused = number_of(health, "refused_hour");
	cli_screen_begin(screen, "HOUR");
	if (number_of(hour, "seconds") == 0) {
		cli_screen_put(screen, COLOUR_DIM,
			       "nothing is counted yet: the first minute after a start comes within two");
		cli_screen_end(screen);
		return;
	}
	cli_screen_put(screen, COLOUR_NONE, "%lld heard, %lld forwarded", received,
		       number_of(hour, "forwarded"));
	if (received > 0)
		cli_screen_put(screen, 2 * bad > received ? COLOUR_WARNING : COLOUR_NONE,
			       ", checksum wrong %lld %%", 100 * bad / received);
	if (number_of(hour, "dropped") > 0)
		cli_screen_put(screen, COLOUR_WARNING, ", %lld dropped at its limits",
			       number_of(hour, "dropped"));
	cli_screen_put(screen, COLOUR_NONE, "; %lld sent", number_of(hour, "sent"));
	cli_screen_put(screen, refused > 0 ? COLOUR_WARNING : COLOUR_NONE, ", %lld refused", refused);
	json_object_foreach((json_t *)json_object_get(hour, "results"), name, count)
	{
		if (strcmp(name, "ok") != 0)
			cli_screen_put(screen, COLOUR_NONE, ", %s %lld", name, json_integer_value(count));
	}
	cli_screen_end(screen);
}

static void print_line(struct cli_screen *screen, const json_t *record, const json_t *health)
{
	const json_t *hour = json_object_get(health, "hour");
	double used = (double)number_of(health, "month_bytes") / 1e6;
	cli_screen_begin(screen, "LINE");
	cli_screen_put(screen, COLOUR_NONE, "%s",
		       is_known(health, "protocol") ? text_of(health, "protocol") : "no protocol yet");
	if (text_of(record, "address")[0])
		cli_screen_put(screen, COLOUR_NONE, " from %s", text_of(record, "address"));
	if (text_of(record, "backhaul")[0])
		cli_screen_put(screen, COLOUR_NONE, ", %s", text_of(record, "backhaul"));
	if (is_known(health, "trip_95_ms"))
		cli_screen_put(screen, COLOUR_NONE, ", round trip %lld ms (95 of 100 within %lld ms)",
			       number_of(health, "trip_ms"), number_of(health, "trip_95_ms"));
	if (is_known(health, "acks_percent"))
		cli_screen_put(screen, real_of(health, "acks_percent") < 80 ? COLOUR_WARNING : COLOUR_NONE,
			       ", %.1f %% of its messages answered", real_of(health, "acks_percent"));
	cli_screen_put(screen, COLOUR_NONE, ", %.1f MB this month", used);
	if (is_known(record, "data_plan_mb") && number_of(record, "data_plan_mb") > 0)
		cli_screen_put(screen,
			       used > 0.8 * (double)number_of(record, "data_plan_mb") ? COLOUR_WARNING
										      : COLOUR_NONE,
			       " of %lld MB", number_of(record, "data_plan_mb"));
	cli_screen_put(screen, COLOUR_NONE, ", outages: %lld in the hour, %lld in the day",
		       number_of(health, "outages_hour"), number_of(health, "outages_day"));
	if (number_of(hour, "reconnects") > 0)
		cli_screen_put(screen, COLOUR_WARNING, ", %lld new connections in the hour",
			       number_of(hour, "reconnects"));
	if (json_is_true(json_object_get(health, "duplicate_suspected")))
		cli_screen_put(screen, COLOUR_BAD, ", perhaps two gateways with this EUI");
	cli_screen_end(screen);
}

static void print_air(struct cli_screen *screen, const json_t *health)
{
	size_t i;
	const json_t *band, *channels = json_object_get(health, "channels"), *frequency;
	cli_screen_begin(screen, "AIR");
	cli_screen_put(screen, COLOUR_NONE, "%.1f s on the air in the hour",
		       (double)number_of(health, "airtime_hour_ms") / 1000);
	json_array_foreach(json_object_get(health, "duty_cycle"), i, band)
	{
		long long used = number_of(band, "used_ms"), limit = number_of(band, "limit_ms");
		if (used > 0 && limit > 0)
			cli_screen_put(screen, 10 * used > 8 * limit ? COLOUR_WARNING : COLOUR_NONE,
				       ", %.2f to %.2f MHz: %lld %% of its duty cycle",
				       (double)number_of(band, "min_hz") / 1e6,
				       (double)number_of(band, "max_hz") / 1e6, 100 * used / limit);
	}
	if (json_is_true(json_object_get(channels, "off_plan"))) {
		cli_screen_put(screen, COLOUR_WARNING,
			       ", it hears outside its plan (%s):", text_of(channels, "plan"));
		json_array_foreach(json_object_get(channels, "off_plan_hz"), i, frequency)
		{
			cli_screen_put(screen, COLOUR_WARNING, " %.1f",
				       (double)json_integer_value(frequency) / 1e6);
		}
	}
	cli_screen_end(screen);
}

static void print_itself(struct cli_screen *screen, const json_t *record, const json_t *health)
{
	static const struct {
		const char *name, *words;
	} said[] = {{"model", "model"}, {"firmware", "firmware"}, {"station", "station"}};
	char time[24];
	const char *separator = "";
	cli_screen_begin(screen, "ITSELF");
	if (text_of(record, "model")[0]) {
		cli_screen_put(screen, COLOUR_NONE, "%s by its record", text_of(record, "model"));
		separator = ", ";
	}
	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		if (text_of(health, said[i].name)[0]) {
			cli_screen_put(screen, COLOUR_NONE, "%s%s %s as it says", separator, said[i].words,
				       text_of(health, said[i].name));
			separator = ", ";
		}
	if (is_known(health, "drift_ppm")) {
		cli_screen_put(screen, COLOUR_NONE, "%sits clock runs %+.1f ppm", separator,
			       real_of(health, "drift_ppm"));
		separator = ", ";
	}
	if (is_known(health, "temperature_c")) {
		cli_screen_put(screen, COLOUR_NONE, "%s%.1f degrees C", separator,
			       real_of(health, "temperature_c"));
		separator = ", ";
	}
	if (is_known(health, "certificate_until")) {
		cli_screen_put(screen, COLOUR_NONE, "%scertificate until %s", separator,
			       short_time(time, text_of(health, "certificate_until")));
		separator = ", ";
	}
	if (!separator[0])
		cli_screen_put(screen, COLOUR_DIM, "it said nothing of itself");
	cli_screen_end(screen);
}

static void print_place(struct cli_screen *screen, const json_t *record, const json_t *health)
{
	static const struct {
		const char *name, *before;
	} fields[] = {{"site", ""},
		      {"site_owner", "owner "},
		      {"contact", "contact "},
		      {"antenna", "antenna "},
		      {"power", "power "}};
	static const struct {
		const char *name, *after;
	} measures[] = {{"antenna_gain_dbi", "dBi"},
			{"height_m", "m above the ground"},
			{"altitude_m", "m above the sea"}};
	const json_t *gps = json_object_get(health, "gps");
	const char *separator = "";
	cli_screen_begin(screen, "PLACE");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (text_of(record, fields[i].name)[0]) {
			cli_screen_put(screen, COLOUR_NONE, "%s%s%s", separator, fields[i].before,
				       text_of(record, fields[i].name));
			separator = ", ";
		}
	for (size_t i = 0; i < ARRAY_SIZE(measures); i++)
		if (is_known(record, measures[i].name)) {
			cli_screen_put(screen, COLOUR_NONE, "%s%g %s", separator,
				       real_of(record, measures[i].name), measures[i].after);
			separator = ", ";
		}
	if (is_known(record, "lat")) {
		cli_screen_put(screen, COLOUR_NONE, "%s%.5f %.5f", separator, real_of(record, "lat"),
			       real_of(record, "lon"));
		separator = ", ";
	}
	if (json_is_object(gps)) {
		cli_screen_put(screen, COLOUR_NONE, "%sits GPS says %.5f %.5f", separator,
			       real_of(gps, "lat"), real_of(gps, "lon"));
		if (is_known(gps, "apart_m"))
			cli_screen_put(screen,
				       json_is_true(json_object_get(gps, "far")) ? COLOUR_WARNING
										 : COLOUR_NONE,
				       " (%lld m from the record%s)", number_of(gps, "apart_m"),
				       json_is_true(json_object_get(gps, "far")) ? ": was it moved?" : "");
		if (strcmp(text_of(gps, "used"), "gps") == 0)
			cli_screen_put(screen, COLOUR_NONE, " (this one counts)");
		separator = ", ";
	}
	if (is_known(health, "permission_days"))
		cli_screen_put(screen,
			       number_of(health, "permission_days") < 30 ? COLOUR_WARNING : COLOUR_NONE,
			       "%smay stand there until %s (%lld days)", separator,
			       text_of(record, "permission_until"), number_of(health, "permission_days"));
	else if (!separator[0])
		cli_screen_put(screen, COLOUR_DIM,
			       "nothing is written down: lamppost gateway update EUI --site ...");
	cli_screen_end(screen);
}

static void print_outages(struct cli_screen *screen, const json_t *outages)
{
	size_t i;
	const json_t *outage;
	json_array_foreach(outages, i, outage)
	{
		char began[24];
		if (i == OUTAGES_SHOWN)
			break;
		cli_screen_begin(screen, i == 0 ? "OUTAGES" : "");
		cli_screen_put(screen, COLOUR_NONE, "%s  ", short_time(began, text_of(outage, "began")));
		if (is_known(outage, "seconds"))
			cli_screen_put(screen, COLOUR_NONE, "%lld min %lld s",
				       number_of(outage, "seconds") / 60, number_of(outage, "seconds") % 60);
		else
			cli_screen_put(screen, COLOUR_BAD, "goes on");
		cli_screen_put(screen, COLOUR_NONE, "  %s", text_of(outage, "reason"));
		cli_screen_end(screen);
	}
}

void cli_gateway_print(FILE *out, const json_t *record, const json_t *outages, size_t width)
{
	struct cli_screen screen = {.out = out, .width = width};
	const json_t *health = json_object_get(record, "health");
	cli_screen_begin(&screen, "GATEWAY");
	cli_screen_put(&screen, COLOUR_STRONG, "%s", text_of(record, "eui"));
	cli_screen_put(&screen, COLOUR_NONE, "  %s  %s %s", text_of(record, "name"),
		       text_of(record, "region"), text_of(record, "channel_plan"));
	cli_screen_end(&screen);
	print_state(&screen, record);
	if (json_is_object(health)) {
		print_hour(&screen, health);
		print_line(&screen, record, health);
		print_air(&screen, health);
		print_itself(&screen, record, health);
	}
	print_place(&screen, record, health);
	print_outages(&screen, outages);
}

int cli_gateway_show(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX] = "/api/v1/gateways/", more[CLI_TARGET_MAX + 20];
	const char *eui = arguments->operands[0];
	json_t *record = NULL;
	if (!cli_target_append(target, eui))
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, eui, IO_HTTP_GET, target, NULL, &record);
	if (exit_code == CLI_DONE) {
		snprintf(more, sizeof more, "%s/outages?limit=%d", target, OUTAGES_SHOWN);
		json_t *answer = cli_try(client, more);
		const json_t *outages = json_object_get(answer, "items");
		if (arguments->json) {
			if (outages)
				json_object_set(record, "outages", (json_t *)outages);
			json_dumpf(record, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
			putchar('\n');
		} else {
			cli_gateway_print(stdout, record, outages, terminal_width());
		}
		json_decref(answer);
	}
	json_decref(record);
	cli_client_free(client);
	return exit_code;
}
