/* The status screen from facts: what is found wrong, that it fits a terminal, that nothing unknown is passed off as a number. */
#include "tests/harness/harness.h"

#include "cli/colour.h"
#include "cli/status.h"
#include "cli/text_width.h"

#include <stdlib.h>
#include <string.h>

#define HEALTHY(name, more)                                                                                  \
	"{\"process\":\"" name "\",\"status\":\"healthy\",\"health\":{\"pid\":1234,\"uptime_s\":360000,"     \
	"\"version\":\"0.1.0\"," more "},\"counters\":{\"recent_s\":300,\"hour_s\":3600,\"counters\":["      \
	"{\"name\":\"lamppost_network_uplinks_total\",\"labels\":\"\",\"total\":90000,\"recent\":600,"       \
	"\"hour\":7200},"                                                                                    \
	"{\"name\":\"lamppost_network_drops_total\",\"labels\":\"reason=\\\"mic\\\"\",\"total\":9,"          \
	"\"recent\":1,\"hour\":5},"                                                                          \
	"{\"name\":\"lamppost_network_drops_total\",\"labels\":\"reason=\\\"copy\\\"\",\"total\":9999,"      \
	"\"recent\":1,\"hour\":5000},"                                                                       \
	"{\"name\":\"lamppost_network_drops_total\",\"labels\":\"reason=\\\"fcnt_old\\\"\",\"total\":70,"    \
	"\"recent\":2,\"hour\":61},"                                                                         \
	"{\"name\":\"lamppost_network_drops_total\",\"labels\":\"reason=\\\"join_refused\\\"\",\"total\":4," \
	"\"recent\":4,\"hour\":4}]}}"
#define DOWN(name, status) \
	"{\"process\":\"" name "\",\"status\":\"" status "\",\"health\":null,\"counters\":null}"
#define JOIN HEALTHY("join-server", "\"warnings\":[]")
#define APP  HEALTHY("application-server", "\"join_server\":true,\"warnings\":[]")
#define NETWORK                                                                                           \
	HEALTHY("network-server", "\"application_server\":true,\"journal_bytes\":1500,\"journal_limit\":" \
				  "4000000000,\"items\":3,\"warnings\":[]")
#define BRIDGE                                                                                             \
	HEALTHY("gateway-bridge", "\"network_server\":true,\"gateways\":412,\"online\":410,\"unknown\":3," \
				  "\"ring_entries\":0,\"warnings\":[]")
#define IN_STORM(warnings, more)                                                     \
	HEALTHY("network-server",                                                    \
		"\"application_server\":true,\"journal_bytes\":1,\"journal_limit\":" \
		"4000000000,\"items\":3,\"warnings\":[" warnings "],\"join_storm\":{" more "}")
#define STORM                                                                                               \
	IN_STORM("\"join_storm\"", "\"state\":\"storm\",\"lasts_s\":240,\"devices\":10000,\"joined\":6120," \
				   "\"waiting\":3880,\"offered_10s\":350,\"answered_10s\":120,"             \
				   "\"over_in_s\":{\"least\":300,\"most\":720}")
#define YOUNG_STORM                                                                                 \
	IN_STORM("\"join_storm\"", "\"state\":\"storm\",\"lasts_s\":4,\"devices\":60,\"joined\":0," \
				   "\"waiting\":60,\"offered_10s\":60,\"answered_10s\":2")
#define STALLED_STORM                                                                                 \
	IN_STORM("\"join_storm\"", "\"state\":\"storm\",\"lasts_s\":360,\"devices\":60,\"joined\":1," \
				   "\"waiting\":59,\"offered_10s\":60,\"answered_10s\":0,\"asking\":16")
#define SERVED_STORM                                                                                   \
	IN_STORM("\"join_storm\"", "\"state\":\"storm\",\"lasts_s\":360,\"devices\":60,\"joined\":60," \
				   "\"waiting\":0,\"offered_10s\":0,\"answered_10s\":0,\"asking\":0")
#define PAST_STORM \
	IN_STORM("", "\"state\":\"calm\",\"lasts_s\":900,\"devices\":60,\"joined\":60,\"waiting\":0")
#define DISK "\"disk\":{\"free_bytes\":80000000000,\"size_bytes\":270000000000}"
#define CITY                                                                                         \
	"\"city\":{\"mqtt\":{\"state\":\"up\",\"backlog\":0},\"devices\":{\"registered\":1000000,"   \
	"\"disabled\":0,"                                                                            \
	"\"heard_24h\":987654,\"silent\":12345,\"waiting_to_join\":678,\"longest_silent\":["         \
	"{\"dev_eui\":\"70b3d57ed0000001\",\"name\":\"Bed 1\",\"silent_s\":259200,\"usual_s\":900}," \
	"{\"dev_eui\":\"70b3d57ed0000002\",\"name\":"                                                \
	"\"\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe6\x96\xb0\xe5\xae\xbf"                             \
	"\xe5\x8c\xba\",\"silent_s\":5000,\"usual_s\":60},"                                          \
	"{\"dev_eui\":\"70b3d57ed0000003\",\"name\":\"c\",\"silent_s\":900,\"usual_s\":60}]}}"
#define FACTS(processes, gateways, more)                                                                   \
	"{\"state_dir\":\"/var/lib/lamppost\",\"time\":\"2026-11-21T18:00:00Z\",\"processes\":[" processes \
	"],\"gateways\":[" gateways "],\"names\":{\"0016c001ff10a235\":\"City Hall roof\"}," more "}"
#define BEHIND                                                                                     \
	"\"city\":{\"mqtt\":{\"state\":\"off\"},\"replication\":{\"network-server\":{\"up\":true," \
	"\"applied_version\":9,\"wanted_version\":14}}}"
#define REFUSING                                                                                       \
	"{\"process\":\"network-server\",\"status\":\"healthy\",\"health\":{\"uptime_s\":360000,"      \
	"\"application_server\":true,\"warnings\":[]},\"counters\":{\"recent_s\":300,\"hour_s\":3600," \
	"\"counters\":[{\"name\":\"lamppost_network_drops_total\",\"labels\":\"reason=\\\"state_"      \
	"invalid\\\"\","                                                                               \
	"\"total\":1,\"recent\":0,\"hour\":1}]}}"
#define SILENT "{\"eui\":\"0016c001ff10a235\",\"known\":true,\"silent_ms\":7380000}"
#define NEVER  "{\"eui\":\"0016c001ff10a236\",\"known\":true,\"silent_ms\":-1}"

static const struct {
	const char *name, *facts;
	size_t wrong;
	const char *seen[4], *not ;
} rows[] = {
	{"all is well",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "", DISK "," CITY),
	 0,
	 {"Lamppost: all is well", "120.0 uplinks/min", "fcnt_old 61, mic 5, join_refused 4",
	  "412 registered, 410 online"},
	 "copy"},
	{"a process was killed",
	 FACTS(JOIN "," APP "," DOWN("network-server", "not running") "," BRIDGE, "", DISK "," CITY),
	 1,
	 {"network-server     not running", "Traffic    ? the network-server does not answer", "journal ?",
	  "lamppost up starts it again by itself; if it stays so, its log"},
	 "uplinks/min"},
	{"a process hangs",
	 FACTS(JOIN "," APP "," NETWORK "," DOWN("gateway-bridge", "not answering"), "", DISK "," CITY),
	 1,
	 {"gateway-bridge     not answering", "Gateways   ? the gateway-bridge does not answer",
	  "lamppost doctor"},
	 "online"},
	{"nothing runs",
	 FACTS(DOWN("join-server", "not running") "," DOWN("application-server", "not running") "," DOWN(
		       "network-server", "not running") "," DOWN("gateway-bridge", "not running"),
	       "", DISK ",\"city\":null"),
	 4,
	 {"lamppost up, or start the service", "Devices    ? the application-server"},
	 "starts it again"},
	{"one may not ask",
	 FACTS(DOWN("join-server", "refused") "," APP "," NETWORK "," BRIDGE, "", DISK ",\"city\":null"),
	 1,
	 {"run this as root", "Devices    ? the API does not say"},
	 NULL},
	{"a gateway is silent, another was never there",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, NEVER "," SILENT, DISK "," CITY),
	 1,
	 {"1 silent, 1 not heard yet", "0016c001ff10a235  City Hall roof  silent for 2 h 3 min",
	  "not heard since the bridge started", "lamppost why gateway 0016c001ff10a235"},
	 NULL},
	{"the kernel's buffer is small",
	 FACTS(JOIN "," APP "," NETWORK
		    "," HEALTHY("gateway-bridge", "\"warnings\":[\"receive_buffer_small\"]"),
	       "", DISK "," CITY),
	 1,
	 {"smaller receive buffer", "sysctl -w net.core.rmem_max=16777216"},
	 NULL},
	{"a join storm",
	 FACTS(JOIN "," APP "," STORM "," BRIDGE, "", DISK "," CITY),
	 1,
	 {"Storm      for 4 min: 6120 of 10000 devices have joined, 3880 wait; over in 5 min to 12 min",
	  "350 requests, 120 answers in 10 s", "a join storm: more devices ask to join"},
	 "no estimate yet"},
	{"a join storm at its beginning",
	 FACTS(JOIN "," APP "," YOUNG_STORM "," BRIDGE, "", DISK "," CITY),
	 1,
	 {"0 of 60 devices have joined, 60 wait; no estimate yet"},
	 "over in"},
	{"a join storm in which nobody joins",
	 FACTS(JOIN "," APP "," STALLED_STORM "," BRIDGE, "", DISK "," CITY),
	 1,
	 {"Storm      for 6 min: 1 of 60 devices have joined, 59 wait; none in five minutes",
	  "16 with the join server)"},
	 "over in"},
	{"a join storm in which nobody waits any more",
	 FACTS(JOIN "," APP "," SERVED_STORM "," BRIDGE, "", DISK "," CITY),
	 1,
	 {"Storm      for 6 min: all 60 devices that asked have joined; over when a minute was calm",
	  "0 requests, 0 answers in 10 s)"},
	 "no estimate"},
	{"a join storm that is over",
	 FACTS(JOIN "," APP "," PAST_STORM "," BRIDGE, "", DISK "," CITY),
	 0,
	 {"Lamppost: all is well"},
	 "Storm"},
	{"records wait, and none is refused",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "", DISK "," BEHIND),
	 0,
	 {"Lamppost: all is well"},
	 "stands still"},
	{"a record is refused, and others wait behind it",
	 FACTS(JOIN "," APP "," REFUSING "," BRIDGE, "", DISK "," BEHIND),
	 1,
	 {"registration stands still", "5 wait behind it", "network-server.regions"},
	 "all is well"},
	{"a record was refused, and none waits any more",
	 FACTS(JOIN "," APP "," REFUSING "," BRIDGE, "", DISK "," CITY),
	 0,
	 {"Lamppost: all is well"},
	 "stands still"},
	{"a mistake in the configuration, and keys that wait for a restart",
	 FACTS(JOIN "," APP "," HEALTHY(
		       "network-server",
		       "\"warnings\":[\"restart_needed\"],\"restart_needed\":["
		       "\"network-server.regions\",\"common.net_id\"]") "," HEALTHY("gateway-bridge",
										    "\"warnings\":["
										    "\"configuration_"
										    "refused\"],"
										    "\"configuration_error\":"
										    "\"lamppost.yaml:4: "
										    "ring\""),
	       "", DISK "," CITY),
	 2,
	 {"only a restart takes over: network-server.regions, common.net_id",
	  "stays in force: lamppost.yaml:4: ring"},
	 NULL},
	{"the API's socket is gone",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "", DISK ",\"city\":null,\"api\":\"not running\""),
	 1,
	 {"does not answer on city.sock", "restart the application-server"},
	 "all is well"},
	{"whoever may not ask the API sees no fault in that",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "", DISK ",\"city\":null,\"api\":\"refused\""),
	 0,
	 {"all is well", "the API does not say"},
	 NULL},
	{"the journal is full",
	 FACTS(JOIN "," APP
		    "," HEALTHY("network-server", "\"journal_bytes\":90,\"journal_limit\":100,\"warnings\":["
						  "\"journal_filling\"]") "," BRIDGE,
	       "", DISK "," CITY),
	 1,
	 {"over 80 % of its limit"},
	 "disk_floor"},
	{"the journal is small, and the disk full",
	 FACTS(JOIN "," APP
		    "," HEALTHY("network-server", "\"journal_bytes\":9,\"journal_limit\":100,\"warnings\":["
						  "\"journal_filling\"]") "," BRIDGE,
	       "", DISK "," CITY),
	 1,
	 {"network-server.disk_floor", "make room"},
	 "events wait to be stored"},
	{"a warning that is not known here",
	 FACTS(JOIN "," APP "," NETWORK "," HEALTHY("gateway-bridge", "\"warnings\":[\"moon_full\"]"), "",
	       DISK "," CITY),
	 1,
	 {"gateway-bridge: moon_full"},
	 NULL},
	{"two that run and are not linked",
	 FACTS(JOIN "," APP "," NETWORK
		    "," HEALTHY("gateway-bridge", "\"network_server\":false,\"warnings\":[]"),
	       "", DISK "," CITY),
	 1,
	 {"gateway-bridge is not linked to network-server, which runs"},
	 NULL},
	{"two that have just started have a while to find each other",
	 FACTS(JOIN "," APP "," NETWORK
		    ",{\"process\":\"gateway-bridge\",\"status\":\"healthy\",\"health\":{\"uptime_s\":3,"
		    "\"network_server\":false,\"warnings\":[]}}",
	       "", DISK "," CITY),
	 0,
	 {"all is well"},
	 "is not linked"},
	{"the broker takes less than comes",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "",
	       DISK ",\"city\":{\"mqtt\":{\"state\":\"up\",\"backlog\":1001},\"devices\":null}"),
	 1,
	 {"1001 events wait for the MQTT broker", "slower than the network"},
	 NULL},
	{"a thousand events on their way are none too many",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "",
	       DISK ",\"city\":{\"mqtt\":{\"state\":\"up\",\"backlog\":1000},\"devices\":null}"),
	 0,
	 {"all is well"},
	 NULL},
	{"the broker is away",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "",
	       DISK ",\"city\":{\"mqtt\":{\"state\":\"waiting\",\"backlog\":17},\"devices\":null}"),
	 1,
	 {"the MQTT broker is not connected (waiting); 17 events wait for it", "are being counted"},
	 NULL},
	{"the disk fills",
	 FACTS(JOIN "," APP "," NETWORK "," BRIDGE, "",
	       "\"disk\":{\"free_bytes\":2000000000,\"size_bytes\":100000000000}," CITY),
	 1,
	 {"2 % of the disk of /var/lib/lamppost is free", "2.0 GB of 100 GB free"},
	 NULL},
};

static char text[16384];

/* Fills `text`; returns the lines. */
static size_t print(const char *facts_text, size_t width, size_t height, size_t *wrong)
{
	char *made = NULL;
	size_t length = 0, lines = 0;
	json_t *facts = json_loads(facts_text, 0, NULL);
	assert_non_null(facts);
	json_t *findings = cli_status_judge(facts);
	FILE *out = open_memstream(&made, &length);
	*wrong = json_array_size(findings);
	cli_status_print(out, facts, findings, width, height);
	fclose(out);
	snprintf(text, sizeof text, "%s", made);
	free(made);
	json_decref(findings);
	json_decref(facts);
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	return lines;
}

static void what_is_wrong_is_said_with_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t wrong;
		t_row(rows[i].name);
		(void)print(rows[i].facts, 0, 0, &wrong);
		t_uint("wrong", rows[i].wrong, wrong);
		for (size_t n = 0; n < 4 && rows[i].seen[n]; n++)
			if (!t_true(rows[i].seen[n], strstr(text, rows[i].seen[n]) != NULL))
				printf("%s\n", text);
		if (rows[i].not )
			t_true(rows[i].not, strstr(text, rows[i].not ) == NULL);
	}
}

static void what_stops_the_network_is_bad(void **state)
{
	(void)state;
	static const struct {
		const char *name, *facts, *level;
	} cases[] = {
		{"nine parts in a hundred of the disk are free",
		 FACTS(JOIN, "", "\"disk\":{\"free_bytes\":9,\"size_bytes\":100}"), "warning"},
		{"four are", FACTS(JOIN, "", "\"disk\":{\"free_bytes\":4,\"size_bytes\":100}"), "bad"},
		{"a gateway is silent", FACTS(JOIN, SILENT, DISK), "warning"},
		{"a process does not run", FACTS(DOWN("join-server", "not running"), "", DISK), "bad"},
		{"the broker is away",
		 FACTS(JOIN, "", DISK ",\"city\":{\"mqtt\":{\"state\":\"waiting\",\"backlog\":0}}"), "bad"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		t_row(cases[i].name);
		json_t *facts = json_loads(cases[i].facts, 0, NULL);
		assert_non_null(facts);
		json_t *findings = cli_status_judge(facts);
		t_uint("findings", 1, json_array_size(findings));
		t_str("level", cases[i].level,
		      json_string_value(json_object_get(json_array_get(findings, 0), "level")));
		json_decref(findings);
		json_decref(facts);
	}
}

static void it_fits_a_terminal(void **state)
{
	(void)state;
	static const size_t widths[] = {80, 100, 200};
	for (int coloured = 0; coloured < 2; coloured++) {
		colour_choose(coloured ? COLOUR_ALWAYS : COLOUR_NEVER);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
				size_t wrong;
				t_row(rows[i].name);
				size_t lines = print(rows[i].facts, widths[w], 24, &wrong);
				if (!t_true("lines", lines <= 23))
					printf("%s\n", text);
				for (char *line = text, *stop; (stop = strchr(line, '\n')); line = stop + 1)
					t_true("width",
					       text_width_of_bytes(line, (size_t)(stop - line)) <= widths[w]);
			}
	}
	colour_choose(COLOUR_AUTO);
}

static void a_narrow_terminal_loses_nothing(void **state)
{
	(void)state;
	size_t wrong;
	(void)print(rows[0].facts, 50, 0, &wrong);
	t_true("devices", strstr(text, "12345 unusually silent") && strstr(text, "678 wait to join"));
	t_true("queues", strstr(text, "0 events wait") != NULL);
}

static const struct {
	long long seconds;
	const char *text;
} spans[] = {{0, "0 s"},        {119, "119 s"},      {120, "2 min"},
	     {7199, "119 min"}, {7380, "2 h 3 min"}, {180000, "2 d 2 h"}};

static void spans_for_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		char got[32];
		t_row(spans[i].text);
		cli_status_span(spans[i].seconds, got);
		t_str("text", spans[i].text, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_is_wrong_is_said_with_what_to_do),
		t_test(what_stops_the_network_is_bad),
		t_test(it_fits_a_terminal),
		t_test(a_narrow_terminal_loses_nothing),
		t_test(spans_for_people),
	};
	return t_run(tests);
}
