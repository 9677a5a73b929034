/* `lamppost downlink` against the real application server: what is sent, what is refused and how, what --wait says. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include "application-server/uuid.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"

static char output[64 * 1024];

#define cli(...) t_server_cli(output, sizeof output, (const char *const[]){__VA_ARGS__, NULL})

static const struct {
	const char *name;
	const char *words[12];
	int code;
	const char *data; /* of the item that is there then; NULL: none */
} sends[] = {
	{"hex", {"--port", "7", "--hex", "01 02:ff"}, 0, "AQL/"},
	{"base64", {"--port", "7", "--base64", "AQL/"}, 0, "AQL/"},
	{"text", {"--port", "7", "--text", "on"}, 0, "b24="},
	{"all the rest",
	 {"--port=7", "--text=on", "--confirmed", "--priority=6", "--expires=2h", "--id=" ID},
	 0,
	 "b24="},
	{"encrypted", {"--port=7", "--hex=ff", "--encrypted", "--counter=9"}, 0, "/w=="},
	{"until a time", {"--port=7", "--text=on", "--expires=2099-01-01T00:00:00Z"}, 0, "b24="},
	{"no payload", {"--port=7"}, 2, NULL},
	{"two payloads", {"--port=7", "--text=on", "--hex=00"}, 2, NULL},
	{"no port", {"--hex=00"}, 2, NULL},
	{"odd hex", {"--port=7", "--hex=000"}, 2, NULL},
	{"no base64", {"--port=7", "--base64=!"}, 2, NULL},
	{"a file that is not there", {"--port=7", "--file=/nowhere"}, 1, NULL},
	{"an expiry in words", {"--port=7", "--text=on", "--expires=soon"}, 2, NULL},
	{"a port that is no number", {"--port=x", "--text=on"}, 2, NULL},
	{"an option that is none", {"--port=7", "--text=on", "--retries=3"}, 2, NULL},
	{"a port of the network's own", {"--port=224", "--text=on"}, 4, NULL},
	{"an id that is none", {"--port=7", "--text=on", "--id=valve"}, 4, NULL},
	{"an object that the codec cannot write", {"--port=7", "--object={\"valve\":\"open\"}"}, 4, NULL},
	{"a wait of no length", {"--port=7", "--text=on", "--wait=long"}, 2, NULL},
};

static json_t *listed(const char *option)
{
	t_int("list", 0, cli("downlink", "list", T_ABP_EUI, "--json", option));
	json_t *items = json_loads(output, 0, NULL);
	t_true("JSON", json_is_array(items));
	return items;
}

static void commands_and_their_exit_codes(void **state)
{
	(void)state;
	t_server_open(0, false, "", "");
	for (size_t i = 0; i < ARRAY_SIZE(sends); i++) {
		const char *words[16] = {"downlink", "send", T_ABP_EUI};
		memcpy(words + 3, sends[i].words, sizeof sends[i].words);
		t_row(sends[i].name);
		if (!t_int("exit code", sends[i].code, t_server_cli(output, sizeof output, words)))
			printf("%s\n", output);
		json_t *items = listed(NULL);
		if (!sends[i].data) {
			t_uint("nothing more", 6, json_array_size(items));
		} else {
			const json_t *newest = json_array_get(items, 0);
			t_uint("one more", i + 1, json_array_size(items));
			t_str("data", sends[i].data, json_string_value(json_object_get(newest, "data")));
		}
		json_decref(items);
	}
	t_row("a device that is not there");
	t_int("exit code", 3, cli("downlink", "send", "70b3d57ed0000009", "--port=1", "--text=x"));
	t_row("the same id");
	t_int("again", 0,
	      cli("downlink", "send", T_ABP_EUI, "--port=7", "--text=on", "--confirmed", "--priority=6",
		  "--id=" ID));
	t_int("other contents", 4, cli("downlink", "send", T_ABP_EUI, "--port=7", "--text=off", "--id=" ID));
	t_row("a refusal is told once");
	t_int("exit code", 4,
	      t_server_cli(output, sizeof output,
			   (const char *const[16]){"downlink", "send", T_ABP_EUI, "--port=0", "--text=x"}));
	const char *told = strstr(output, "lamppost: ");
	t_true("told", told != NULL);
	t_true("once", told && !strstr(told + 1, "lamppost: "));
	t_row("words");
	t_int("help", 0, cli("downlink", "--help"));
	t_int("help of a verb", 0, cli("downlink", "send", "--help"));
	t_int("no verb", 2, cli("downlink"));
	t_int("no such verb", 2, cli("downlink", "drop", T_ABP_EUI));
	t_int("no device", 2, cli("downlink", "list"));
	t_server_close();
}

/* --- waiting ---------------------------------------------------------------------------------------------------- */

static uint64_t row;

static void report(enum net_item_status status, uint8_t tries)
{
	static struct proto_message message;
	row++;
	memset(&message, 0, sizeof message);
	message.kind = PROTO_DOWNLINK_EVENT;
	message.downlink_event = (struct net_downlink_event){
		.head = {.row = row, .time = {1800000000000000}}, .status = status, .tries = tries};
	message.downlink_event.head.id.bytes[15] = (uint8_t)row;
	assert_true(lw_eui64_parse(T_ABP_EUI, &message.downlink_event.head.dev_eui));
	assert_true(as_uuid_parse(ID, &message.downlink_event.item));
	t_true("reported", t_script_send(t_server.network, &message));
}

static bool all_rows_stored(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= row;
}

static const struct {
	const char *name, *option;
	enum net_item_status status;
	int code;
} fates[] = {
	{"sent", "--priority=1", NET_ITEM_SENT, 0},
	{"acknowledged", "--confirmed", NET_ITEM_ACKNOWLEDGED, 0},
	{"sent, and to be acknowledged", "--confirmed", NET_ITEM_SENT, 6},
	{"failed", "--confirmed", NET_ITEM_FAILED, 1},
	{"expired", "--priority=1", NET_ITEM_EXPIRED, 1},
	{"refused", "--priority=1", NET_ITEM_REFUSED, 1},
	{"nothing yet", "--priority=1", NET_ITEM_QUEUED, 6},
};

static void waiting_says_how_it_ended(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fates); i++) {
		t_row(fates[i].name);
		row = 0;
		t_server_open(0, false, "", "");
		t_int("sent", 0,
		      cli("downlink", "send", T_ABP_EUI, "--port=7", "--text=on", "--id=" ID,
			  fates[i].option));
		report(fates[i].status, 1);
		t_true("stored", t_script_run(t_server.network, all_rows_stored, T_CEILING));
		t_int("exit code", fates[i].code,
		      cli("downlink", "send", T_ABP_EUI, "--port=7", "--text=on", "--id=" ID, "--wait=1s",
			  fates[i].option));
		t_server_close();
	}
}

/* --- list, flush ------------------------------------------------------------------------------------------------- */

static void what_ended_is_listed_on_request(void **state)
{
	(void)state;
	row = 0;
	t_server_open(0, false, "", "");
	t_int("sent", 0, cli("downlink", "send", T_ABP_EUI, "--port=7", "--text=on", "--id=" ID));
	t_int("another", 0, cli("downlink", "send", T_ABP_EUI, "--port=7", "--text=on"));
	report(NET_ITEM_FAILED, 1);
	t_true("stored", t_script_run(t_server.network, all_rows_stored, T_CEILING));
	json_t *items = listed(NULL);
	t_uint("waiting", 1, json_array_size(items));
	json_decref(items);
	items = listed("--all");
	t_uint("all", 2, json_array_size(items));
	json_decref(items);
	items = listed("--state=failed");
	t_uint("failed", 1, json_array_size(items));
	json_decref(items);
	t_int("a state that is none", 4, cli("downlink", "list", T_ABP_EUI, "--state=lost"));
	t_int("a table", 0, cli("downlink", "list", T_ABP_EUI, "--all"));
	t_true("has the id", strstr(output, ID) != NULL);
	t_true("and the state", strstr(output, "failed") != NULL);
	t_int("flush", 0, cli("downlink", "flush", T_ABP_EUI, "--json"));
	items = json_loads(output, 0, NULL);
	t_int("the one that waits", 1, json_integer_value(json_object_get(items, "flushing")));
	json_decref(items);
	t_int("one that has ended", 4, cli("downlink", "flush", T_ABP_EUI, "--id", ID));
	t_int("one that is not there", 3, cli("downlink", "flush", T_ABP_EUI, "--id", "x"));
	t_server_close();
}

/* --- many ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *text;
	int code;
	size_t items;
	const char *complaint;
} files[] = {
	{"CSV", "dev_eui,port,hex,confirmed,expires\n" T_ABP_EUI ",7,0a01,true,2h\n" T_ABP_EUI ",8,0b,,\n", 0,
	 2, ""},
	{"CSV with a line that the server refuses",
	 "dev_eui,port,text\n" T_ABP_EUI ",7,on\n" T_ABP_EUI ",0,on\n" T_ABP_EUI ",9,off\n", 4, 2, ":3: "},
	{"CSV with a line that is wrong", "port,dev_eui,text\n7," T_ABP_EUI "\n8," T_ABP_EUI ",on\n", 4, 1,
	 ":2: "},
	{"CSV with a column that is none", "dev_eui,port,payload\n" T_ABP_EUI ",7,00\n", 4, 0, ":1: payload"},
	{"CSV with an unknown device", "dev_eui,port,text\n70b3d57ed0000009,7,on\n", 4, 0, ":2: "},
	{"JSON lines",
	 "{\"dev_eui\":\"" T_ABP_EUI "\",\"f_port\":7,\"hex\":\"0a\"}\n\n{\"dev_eui\":\"" T_ABP_EUI
	 "\",\"f_port\":8,\"data\":\"AQ==\",\"confirmed\":true}\n",
	 0, 2, ""},
	{"JSON lines, one of them none",
	 "{\"dev_eui\":\"" T_ABP_EUI "\",\"f_port\":7,\"hex\":\"0a\"}\nseven\n", 4, 1, ":2: "},
	{"nothing", "", 4, 0, "empty"},
};

static void many_from_a_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[T_DIR_MAX + 20];
		t_row(files[i].name);
		t_server_open(0, false, "", "");
		snprintf(path, sizeof path, "%s/commands", t_server.dir);
		t_write_file(path, files[i].text);
		t_int("not with a KEK", 2, cli("downlink", "send", "--from", path, "--kek", "parks.kek"));
		t_true("a next step", strstr(output, "a line after the other") != NULL);
		if (!t_int("exit code", files[i].code, cli("downlink", "send", "--from", path)) ||
		    !t_true("complaint", strstr(output, files[i].complaint) != NULL))
			printf("%s\n", output);
		json_t *items = listed(NULL);
		t_uint("items", files[i].items, json_array_size(items));
		json_decref(items);
		t_server_close();
	}
}

/* --- battery --------------------------------------------------------------------------------------------------------- */

static void device_show_has_battery_and_margin(void **state)
{
	static struct proto_message message;
	(void)state;
	t_server_open(0, false, "", "");
	row = 1;
	message = (struct proto_message){.kind = PROTO_STATUS_EVENT};
	message.status_event = (struct net_status_event){
		.head = {.id = {{9}}, .row = row, .time = {1800000000000000}},
		.battery = 127,
		.margin_db = 11};
	assert_true(lw_eui64_parse(T_ABP_EUI, &message.status_event.head.dev_eui));
	t_true("told", t_script_send(t_server.network, &message));
	t_true("stored", t_script_run(t_server.network, all_rows_stored, T_CEILING));
	t_int("show", 0, cli("device", "show", T_ABP_EUI));
	t_true("battery", strstr(output, "battery_percent") != NULL && strstr(output, " 50") != NULL);
	t_true("margin", strstr(output, "margin_db") != NULL && strstr(output, " 11") != NULL);
	t_int("the event", 0, cli("events", "--follow", "--after", "0", "--count", "1"));
	t_true("in words", strstr(output, "battery 50 %, margin 11 dB") != NULL);
	t_server_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(commands_and_their_exit_codes),      t_test(waiting_says_how_it_ended),
		t_test(what_ended_is_listed_on_request),    t_test(many_from_a_file),
		t_test(device_show_has_battery_and_margin),
	};
	return t_run(tests);
}
