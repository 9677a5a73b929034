/* What people type and paste at `lamppost join` and `device watch`. */
#include "tests/harness/harness.h"

#include "cli/join.h"
#include "cli/watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void spans(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		long seconds; /* −1: refused */
	} rows[] = {
		{"90", 90},    {"90s", 90},        {"30m", 1800}, {"2h", 7200},
		{"1d", 86400}, {"366d", 31622400}, {"367d", -1},  {"0", 0},
		{"", -1},      {"h", -1},          {"2 h", -1},   {"2hh", -1},
		{"-1", -1},    {"1.5h", -1},       {"soon", -1},  {"99999999999999999999s", -1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long seconds = -1;
		t_row(rows[i].text);
		t_int("read", rows[i].seconds >= 0, cli_parse_span(rows[i].text, &seconds));
		t_int("seconds", rows[i].seconds, seconds);
	}
}

static void euis_as_labels_print_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *eui; /* NULL: refused */
	} rows[] = {
		{"70b3d57ed0000001", "70b3d57ed0000001"},
		{"70B3D57ED0000001", "70b3d57ed0000001"},
		{"70-B3-D5-7E-D0-00-00-01", "70b3d57ed0000001"},
		{"70:b3:d5:7e:d0:00:00:01", "70b3d57ed0000001"},
		{"70B3 D57E D000 0001", "70b3d57ed0000001"},
		{"70b3d57ed000000", NULL},
		{"70b3d57ed00000011", NULL},
		{"70b3d57ed000000g", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char eui[CLI_EUI_TEXT], reversed[CLI_EUI_TEXT];
		t_row(rows[i].text);
		bool read = cli_eui_read(rows[i].text, eui);
		t_int("read", rows[i].eui != NULL, read);
		if (!read || !rows[i].eui)
			continue;
		t_str("EUI", rows[i].eui, eui);
		cli_eui_reverse(eui, reversed);
		t_str("mirror image", "010000d07ed5b370", reversed);
	}
}

/* What the function prints, as text that lives until the next call. */
static const char *printed(const char *kind, const char *json)
{
	static char text[1024];
	json_t *event = json_loads(json, 0, NULL);
	assert_non_null(event);
	FILE *file = tmpfile();
	assert_non_null(file);
	fflush(stdout);
	int terminal = dup(STDOUT_FILENO);
	assert_true(terminal >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
	if (strcmp(kind, "known") == 0)
		cli_watch_print_known(event);
	else
		cli_watch_print(kind, event);
	fflush(stdout);
	assert_true(dup2(terminal, STDOUT_FILENO) >= 0);
	close(terminal);
	rewind(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	json_decref(event);
	return text;
}

static void events_in_words(void **state)
{
	(void)state;
#define TIME "\"time\":\"2026-09-21T14:13:19.512345+00:00\""
	static const struct {
		const char *name, *kind, *json, *text;
	} rows[] = {
		{"a reading that was decoded", "up",
		 "{" TIME ",\"fCnt\":7,\"fPort\":2,\"dr\":3,\"data\":\"A2cBEA==\",\"object\":{"
		 "\"temperatureSensor\":{\"3\":"
		 "27.2}},\"rxInfo\":[{\"rssi\":-48}]}",
		 "2026-09-21T14:13:19  up     FCnt 7, port 2, DR3, -48 dBm  "
		 "{\"temperatureSensor\":{\"3\":27.2}}\n"},
		{"one without a codec", "up",
		 "{" TIME
		 ",\"fCnt\":7,\"fPort\":2,\"dr\":3,\"data\":\"A2cBEA==\",\"rxInfo\":[{\"rssi\":-48}]}",
		 "2026-09-21T14:13:19  up     FCnt 7, port 2, DR3, -48 dBm  data A2cBEA==\n"},
		{"one that the codec cannot read", "up",
		 "{" TIME ",\"fCnt\":7,\"fPort\":2,\"dr\":3,\"data\":\"A2cB\",\"codecError\":\"cayenne-lpp: "
		 "truncated: the "
		 "value at byte 0 of 3\",\"rxInfo\":[{\"rssi\":-48}]}",
		 "2026-09-21T14:13:19  up     FCnt 7, port 2, DR3, -48 dBm  data A2cB\n"
		 "                            not decoded: cayenne-lpp: truncated: the value at byte 0 of "
		 "3\n"},
		{"control characters do not reach the terminal", "join",
		 "{" TIME ",\"devAddr\":\"\\u001b[2J\"}",
		 "2026-09-21T14:13:19  join   session made, address ?[2J\n"},
		{"a command that was not acknowledged", "ack",
		 "{" TIME ",\"queueItemId\":\"0123456789abcdef\",\"acknowledged\":false}",
		 "2026-09-21T14:13:19  ack    downlink 01234567 NOT acknowledged\n"},
		{"a gap", "gap", "{}", ""},
		{"an EUI that this caller may not watch", "known",
		 "{\"dev_eui\":\"020007d07ed5b370\",\"registered\":false,\"shown\":false,\"mirror\":"
		 "\"70b3d57ed0070002\"}",
		 "020007d07ed5b370: not registered, or another agency's\n"
		 "  → 70b3d57ed0070002 IS registered: this EUI with its bytes in the other order. Which one "
		 "does the "
		 "device send?\n"},
		{"nothing was heard, and a gateway was forgotten", "known",
		 "{\"dev_eui\":\"70b3d57ed0070002\",\"registered\":true,\"shown\":true,\"enabled\":true,"
		 "\"profile\":\"probe\","
		 "\"region\":\"eu868\",\"gateways_online\":1,\"unknown_gateways\":[\"aa555a0000000105\"]}",
		 "70b3d57ed0070002: registered, enabled, profile probe (eu868)\n"
		 "nothing was heard of it yet; gateways online: 1\n"
		 "  → turn it on, or press its button; it asks to join a few times, then ever more seldom\n"
		 "  → gateway aa555a0000000105 sends, and is not registered: nothing that it hears is taken. "
		 "If it "
		 "is yours: lamppost gateway add\n"
		 "watching; Ctrl-C ends\n"},
	};
#undef TIME
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_str("text", rows[i].text, printed(rows[i].kind, rows[i].json));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(spans), t_test(euis_as_labels_print_them),
					   t_test(events_in_words)};
	return t_run(tests);
}
