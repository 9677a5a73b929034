#include "simulator/view.h"

#include "common/base/printable.h"

#include <jansson.h>
#include <mosquitto.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME_WIDTH    24
#define READING_WIDTH 58
#define READING_LEAST 20
#define BEFORE        (8 + 2 + NAME_WIDTH + 2) /* time, sensor, and the gaps behind them */
#define COUNTER       (2 + 7)
#define RADIO         (2 + 26)

struct view {
	FILE *log; /* every message as one JSON line; NULL: none */
	bool colour;
	struct sim_view_layout layout;
	size_t joins, readings;
	const char *ready_file; /* made when the subscription stands */
	bool failed;
};

static volatile sig_atomic_t wants_end;

static void on_signal(int number)
{
	(void)number;
	wants_end = 1;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

struct sim_view_layout sim_view_layout(unsigned columns)
{
	struct sim_view_layout layout = {.reading = READING_WIDTH, .counter = true, .radio = true};
	int room = (int)columns - BEFORE;
	if (columns == 0 || room >= READING_WIDTH + COUNTER + RADIO)
		return layout;
	layout.radio = false;
	layout.counter = room >= READING_WIDTH + COUNTER;
	if (!layout.counter && room < READING_WIDTH)
		layout.reading = room > READING_LEAST ? room : READING_LEAST;
	return layout;
}

/* The width of the terminal that we write to, 0 when it is none. */
static unsigned terminal_columns(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Copies printable characters, cut to `width` of them, padded with blanks. */
static void column(char *out, size_t capacity, const char *text, size_t width)
{
	size_t used = 0, shown = 0;
	for (; *text && shown < width && used + PRINTABLE_CHARACTER_MAX < capacity; shown++)
		used += printable_take(out + used, &text);
	while (shown++ < width && used + 2 < capacity)
		out[used++] = ' ';
	out[used] = '\0';
}

/* A colour of its own for each sensor, from its EUI's last digits. */
static const char *colour_of(const struct view *view, const char *dev_eui)
{
	static const char *const colours[] = {"\033[36m", "\033[33m", "\033[35m", "\033[32m", "\033[34m"};
	size_t length = strlen(dev_eui);
	if (!view->colour || length == 0)
		return "";
	return colours[(unsigned char)dev_eui[length - 1] % (sizeof colours / sizeof colours[0])];
}

/* Writes the decoded object as `property value` pairs; the payload as base64 without one. */
static void reading_text(char *out, size_t capacity, const json_t *event)
{
	json_t *object = json_object_get(event, "object");
	size_t used = 0;
	const char *key;
	json_t *value;
	out[0] = '\0';
	if (!object) {
		snprintf(out, capacity, "%s", text_of(event, "data"));
		return;
	}
	json_object_foreach(object, key, value)
	{
		char number[40];
		if (json_is_number(value))
			snprintf(number, sizeof number, "%.6g", json_number_value(value));
		else
			snprintf(number, sizeof number, "%s",
				 json_is_true(value)    ? "yes"
				 : json_is_false(value) ? "no"
							: "?");
		int more = snprintf(out + used, capacity - used, "%s%s %s", used ? "   " : "", key, number);
		if (more < 0 || (size_t)more >= capacity - used)
			return;
		used += (size_t)more;
	}
}

/* "SF7  -87 dBm   9.5 dB" of the best reception, and how many gateways heard it. */
static void radio_text(char *out, size_t capacity, const json_t *event)
{
	const json_t *receptions = json_object_get(event, "rxInfo");
	const json_t *best = NULL, *reception;
	size_t i;
	json_array_foreach(receptions, i, reception)
	{
		if (!best || json_number_value(json_object_get(reception, "rssi")) >
				     json_number_value(json_object_get(best, "rssi")))
			best = reception;
	}
	const json_t *lora = json_object_get(json_object_get(json_object_get(event, "txInfo"), "modulation"),
					     "lora");
	snprintf(out, capacity, "SF%-2lld %4.0f dBm %5.1f dB  %zu",
		 (long long)json_integer_value(json_object_get(lora, "spreadingFactor")),
		 json_number_value(json_object_get(best, "rssi")),
		 json_number_value(json_object_get(best, "snr")), json_array_size(receptions));
}

static void print_header(const struct view *view)
{
	const char *bold = view->colour ? "\033[1m" : "", *end = view->colour ? "\033[0m" : "";
	printf("%s%-8s  %-*s  %-*s", bold, "time UTC", NAME_WIDTH, "sensor", view->layout.reading, "reading");
	printf("%s%s%s\n", view->layout.counter ? "  counter" : "",
	       view->layout.radio ? "  radio, gateways" : "", end);
}

static void print_event(struct view *view, const char *kind, const json_t *event)
{
	const json_t *info = json_object_get(event, "deviceInfo");
	const char *dev_eui = text_of(info, "devEui");
	const char *time = text_of(event, "time");
	char name[4 * NAME_WIDTH + 2], reading[512], cut[4 * READING_WIDTH + 2], radio[64];
	column(name, sizeof name, text_of(info, "deviceName"), NAME_WIDTH);
	const char *clock = strlen(time) >= 19 ? time + 11 : "        ";
	const char *end = view->colour ? "\033[0m" : "";
	if (strcmp(kind, "join") == 0) {
		printf("%.8s  %s%s%s  joined, address %s\n", clock, colour_of(view, dev_eui), name, end,
		       text_of(event, "devAddr"));
		return;
	}
	reading_text(reading, sizeof reading, event);
	column(cut, sizeof cut, reading, (size_t)view->layout.reading);
	radio_text(radio, sizeof radio, event);
	printf("%.8s  %s%s%s  %s", clock, colour_of(view, dev_eui), name, end, cut);
	if (view->layout.counter)
		printf("  %7lld", (long long)json_integer_value(json_object_get(event, "fCnt")));
	printf("%s%s\n", view->layout.radio ? "  " : "", view->layout.radio ? radio : "");
}

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct view *view = ctx;
	if (code != 0 ||
	    mosquitto_subscribe(client, NULL, "application/+/device/+/event/+", 1) != MOSQ_ERR_SUCCESS)
		view->failed = true;
}

static void on_subscribe(struct mosquitto *client, void *ctx, int id, int count, const int *granted)
{
	const struct view *view = ctx;
	(void)client;
	(void)id;
	(void)count;
	(void)granted;
	if (view->ready_file) {
		FILE *file = fopen(view->ready_file, "we");
		if (file)
			(void)fclose(file);
	}
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct view *view = ctx;
	(void)client;
	json_t *event = json_loadb(message->payload, (size_t)message->payloadlen, JSON_REJECT_DUPLICATES,
				   NULL);
	const char *slash = strrchr(message->topic, '/');
	const char *kind = slash ? slash + 1 : "";
	if (!event)
		return;
	view->joins += strcmp(kind, "join") == 0;
	view->readings += strcmp(kind, "up") == 0;
	if (strcmp(kind, "join") == 0 || strcmp(kind, "up") == 0)
		print_event(view, kind, event);
	if (view->log) {
		json_t *line = json_pack("{s:s, s:s, s:O}", "topic", message->topic, "kind", kind, "event",
					 event);
		json_dumpf(line, view->log, JSON_COMPACT);
		fputc('\n', view->log);
		fflush(view->log);
		json_decref(line);
	}
	json_decref(event);
	fflush(stdout);
}

static int usage(void)
{
	fprintf(stderr, "lamppost-sim view --broker HOST:PORT [--log FILE.jsonl] [--ready FILE]\n");
	return 2;
}

static bool read_options(struct view *view, int argc, char **argv, char host[64], int *port)
{
	const char *broker = NULL;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--broker") == 0)
			broker = argv[i + 1];
		else if (strcmp(argv[i], "--ready") == 0)
			view->ready_file = argv[i + 1];
		else if (strcmp(argv[i], "--log") == 0)
			view->log = fopen(argv[i + 1], "ae");
		else
			return false;
		if (strcmp(argv[i], "--log") == 0 && !view->log) {
			perror(argv[i + 1]);
			return false;
		}
	}
	const char *colon = broker ? strrchr(broker, ':') : NULL;
	if (argc % 2 == 0 || !colon || (size_t)(colon - broker) >= 64)
		return false;
	memcpy(host, broker, (size_t)(colon - broker));
	host[colon - broker] = '\0';
	char *end;
	long number = strtol(colon + 1, &end, 10);
	*port = (int)number;
	return *end == '\0' && number > 0 && number < 65536;
}

int sim_view(int argc, char **argv)
{
	struct view view = {.layout = sim_view_layout(terminal_columns())};
	char host[64];
	int port;
	view.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (!read_options(&view, argc, argv, host, &port))
		return usage();
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	mosquitto_lib_init();
	struct mosquitto *client = mosquitto_new(NULL, true, &view);
	int exit_code = 1;
	if (!client)
		goto out;
	mosquitto_connect_callback_set(client, on_connect);
	mosquitto_subscribe_callback_set(client, on_subscribe);
	mosquitto_message_callback_set(client, on_message);
	if (mosquitto_connect(client, host, port, 30) != MOSQ_ERR_SUCCESS) {
		fprintf(stderr, "lamppost-sim: broker %s:%d: not reached\n", host, port);
		goto out;
	}
	print_header(&view);
	fflush(stdout);
	while (!wants_end && !view.failed) {
		if (mosquitto_loop(client, 200, 1) != MOSQ_ERR_SUCCESS && !wants_end)
			(void)mosquitto_reconnect(client);
	}
	exit_code = view.failed;
out:
	if (client)
		mosquitto_destroy(client);
	mosquitto_lib_cleanup();
	if (view.log)
		(void)fclose(view.log);
	return exit_code;
}
