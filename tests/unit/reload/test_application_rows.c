/* Every row of application-server: what a reload of it does in the running core. The broker is one that only listens, and
 * notes what each client says. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/reload_rows.h"
#include "tests/harness/temp.h"

#include "application-server/edge_reload.h"
#include "application-server/store_health.h"
#include "application-server/edge_server_files.h"
#include "application-server/retention.h"
#include "application-server/store_events.h"
#include "application-server/store_readings.h"
#include "common/base/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLIENTS  8
#define SOMEBODY 4242u
#define EVENTS   10

/* --- the broker ------------------------------------------------------------------------------------------------ */

static struct broker {
	int listener;
	uint16_t port;
	struct {
		int fd; /* −1: none */
		size_t used;
		uint8_t bytes[8192]; /* all that it said */
		struct in_addr at;   /* the address that it called */
	} clients[CLIENTS];
	unsigned connects, hellos; /* CONNECT packets, and beginnings of TLS */
} brokers[2];

static void open_broker(struct broker *broker)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	memset(broker, 0, sizeof *broker);
	for (int i = 0; i < CLIENTS; i++)
		broker->clients[i].fd = -1;
	broker->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ASSERT_CMP(bind(broker->listener, (struct sockaddr *)&address, sizeof address), ==, 0);
	ASSERT_CMP(listen(broker->listener, CLIENTS), ==, 0);
	ASSERT_CMP(getsockname(broker->listener, (struct sockaddr *)&address, &size), ==, 0);
	broker->port = ntohs(address.sin_port);
}

/* Forgets its clients, and what they said. */
static void forget(struct broker *broker)
{
	for (int i = 0; i < CLIENTS; i++) {
		if (broker->clients[i].fd >= 0)
			close(broker->clients[i].fd);
		broker->clients[i].fd = -1;
		broker->clients[i].used = 0;
	}
	broker->connects = broker->hellos = 0;
}

static void hear(struct broker *broker, int i)
{
	uint8_t *bytes = broker->clients[i].bytes;
	size_t before = broker->clients[i].used;
	ssize_t got = recv(broker->clients[i].fd, bytes + before, sizeof broker->clients[i].bytes - before,
			   MSG_DONTWAIT);
	if (got <= 0)
		return;
	broker->clients[i].used += (size_t)got;
	if (before > 0)
		return;
	broker->connects += bytes[0] == 0x10;
	broker->hellos += bytes[0] == 0x16;
	if (bytes[0] == 0x10)
		(void)!send(broker->clients[i].fd, (const uint8_t[]){0x20, 2, 0, 0}, 4, MSG_NOSIGNAL);
}

static void play(struct broker *broker)
{
	struct sockaddr_in own;
	socklen_t size = sizeof own;
	int fd = accept4(broker->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), place = 0;
	while (place < CLIENTS - 1 && broker->clients[place].fd >= 0)
		place++;
	if (fd >= 0) {
		ASSERT(broker->clients[place].fd < 0);
		ASSERT_CMP(getsockname(fd, (struct sockaddr *)&own, &size), ==, 0);
		broker->clients[place].fd = fd;
		broker->clients[place].used = 0;
		broker->clients[place].at = own.sin_addr;
	}
	for (int i = 0; i < CLIENTS; i++)
		if (broker->clients[i].fd >= 0)
			hear(broker, i);
}

static bool anybody_said(const char *words)
{
	for (int i = 0; i < CLIENTS; i++)
		if (memmem(brokers[0].clients[i].bytes, brokers[0].clients[i].used, words, strlen(words)))
			return true;
	return false;
}

/* --- the core -------------------------------------------------------------------------------------------------- */

static struct as_config config;
static struct t_city *city;
static struct io_loop *loop;
static struct as_edge_app_keys app_keys;
static struct io_timer *tick;
static struct as_delivery delivery;
static struct as_edge_alarms alarms;
static struct as_edge_api edge_api;
static unsigned applied;
static char passwords[2][OPTION_PATH_MAX];

static void on_tick(void *ctx, struct now now)
{
	(void)ctx, (void)now; /* so that the loop looks at the brokers often */
}

/* Both clients, or one that begins with TLS, have come since the brokers forgot. */
static bool have_come(void *ctx)
{
	(void)ctx;
	if (delivery.commands)
		as_commands_drain(delivery.commands); /* it writes nothing by itself */
	play(&brokers[0]);
	play(&brokers[1]);
	return brokers[0].connects + brokers[1].connects >= 2 || brokers[0].hellos >= 1;
}

static bool is_up(void *ctx)
{
	(void)have_come(ctx);
	return strcmp(as_mqtt_status(delivery.mqtt).state, "up") == 0 &&
	       strcmp(as_commands_state(delivery.commands), "up") == 0;
}

static bool wait_for(bool (*condition)(void *ctx))
{
	return io_loop_run_until(loop, condition, NULL, (span_us)(T_CEILING * US_PER_S));
}

static void open_application(char *base, size_t capacity)
{
	open_broker(&brokers[0]);
	open_broker(&brokers[1]);
	city = t_city_new();
	loop = io_loop_new(NULL);
	tick = io_timer_new(loop, on_tick, NULL);
	io_timer_start(tick, 2 * US_PER_MS, 2 * US_PER_MS);
	delivery = (struct as_delivery){.loop = loop, .app = &city->app};
	assert_int_equal(ST_OK, as_edge_app_keys_open(&app_keys, loop, &city->app, "/run"));
	applied = 0;
	options_set_defaults(as_config_rows, as_config_row_count, &config);
	ASSERT_CMP(as_edge_alarms_open(&alarms, loop, &city->api, &(struct config_common){.run_dir = "/run"},
				       &config, &city->rng),
		   ==, ST_OK);
	for (int i = 0; i < 2; i++) {
		snprintf(passwords[i], sizeof passwords[i], "%s", t_temp(i ? "second" : "first"));
		t_write_file(passwords[i], i ? "second-word\n" : "first-word\n");
	}
	snprintf(base, capacity,
		 "  mqtt.host: 127.0.0.1\n  mqtt.port: %u\n  mqtt.username: someone\n  mqtt.password_file: "
		 "%s\n"
		 "  alarms.channels: {duty: \"webhook http://127.0.0.1:9/\"}",
		 brokers[0].port, passwords[0]);
}

/* Threads that connect are not waited for by who abandons them; here they are, for they use OpenSSL. */
static bool is_alone(void *ctx)
{
	struct stat tasks;
	(void)ctx;
	return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3; /* ".", ".." and this thread */
}

static void close_application(void)
{
	as_edge_alarms_close(&alarms);
	as_delivery_close(&delivery);
	t_true("threads have ended", t_wait_until(is_alone, NULL, T_CEILING));
	io_timer_free(tick);
	as_edge_app_keys_close(&app_keys);
	io_loop_free(loop);
	t_city_free(city);
	for (int i = 0; i < 2; i++) {
		forget(&brokers[i]);
		close(brokers[i].listener);
	}
}

static struct as_health health;

/* The first reading is the one that begins; the clients are there when it returns. */
static bool the_maker_is_asked(void)
{
	return app_keys.count == 1 && strcmp(app_keys.lanes[0]->server.name, "maker") == 0;
}

static bool apply(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	(void)ctx;
	if (applied++ > 0)
		for (int i = 0; i < 2; i++)
			forget(&brokers[i]);
	if (!as_reconfigure(&delivery, &edge_api, &alarms, &health, &app_keys, wanted, problem))
		return false;
	if (applied == 1)
		t_true("clients at the beginning", wait_for(have_come) && wait_for(is_up));
	return true;
}

/* --- how each shows -------------------------------------------------------------------------------------------- */

static bool somebody_may_call(void)
{
	return as_callers_find(&edge_api.callers, SOMEBODY, SOMEBODY) != NULL;
}

static bool the_other_address_is_called(void)
{
	return wait_for(have_come) && brokers[0].clients[0].at.s_addr == inet_addr("127.0.0.2");
}

static bool the_other_port_is_called(void)
{
	return wait_for(have_come) && brokers[1].connects == 2;
}

static bool the_other_user_comes(void)
{
	return wait_for(have_come) && anybody_said("somebody-else");
}

static bool the_other_password_is_given(void)
{
	return wait_for(have_come) && anybody_said("second-word");
}

static bool tls_is_spoken(void)
{
	return wait_for(have_come) && brokers[0].hellos > 0;
}

static void put_events(struct as_store *store, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct as_event event = {.kind = AS_EVENT_UP, .has_owner = true, .body = "{}"};
		memcpy(event.id.bytes, &i, sizeof i);
		event.id.bytes[15] = 1;
		ASSERT_CMP(as_store_event_put(store, &event, NULL), ==, ST_OK);
	}
	ASSERT_CMP(as_store_commit(store), ==, ST_OK);
}

static bool three_are_in_flight(void)
{
	put_events(city->store, EVENTS);
	t_true("up", wait_for(is_up));
	as_mqtt_drain(delivery.mqtt);
	as_store_release(city->store);
	return as_mqtt_status(delivery.mqtt).in_flight == 3;
}

/* At QoS 0 nobody's acknowledgement is waited for. */
static bool nothing_waits_for_an_acknowledgement(void)
{
	put_events(city->store, EVENTS);
	t_true("up", wait_for(is_up));
	as_mqtt_drain(delivery.mqtt);
	as_store_release(city->store);
	return as_mqtt_status(delivery.mqtt).acknowledged > 0;
}

/* A store that no broker was configured for, and one that is from now on. */
static bool a_first_broker_gets_what_is_kept(void)
{
	struct t_city *other = t_city_new();
	struct as_delivery first = {.loop = loop, .app = &other->app};
	struct as_delivery_files files = {.password = ""};
	put_events(other->store, EVENTS);
	ASSERT_CMP(as_delivery_set(&first, &config, &files), ==, ST_OK);
	uint64_t waiting = as_mqtt_status(first.mqtt).backlog;
	ASSERT_CMP(as_store_commit(other->store), ==, ST_OK);
	as_delivery_close(&first);
	t_city_free(other);
	return waiting == EVENTS;
}

static void remove_what_is_too_old(struct now now)
{
	struct as_retention retention = {.store = city->store, .config = &config};
	for (bool more = true; more;) {
		more = as_retention_step(&retention, now);
		ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
	}
}

static bool a_thousand_events_are_left(void)
{
	put_events(city->store, 2500);
	remove_what_is_too_old(city->now);
	return as_store_events_count(city->store) == 1000;
}

static bool a_reading_of_two_days_ago_is_gone(void)
{
	struct as_event event = {.kind = AS_EVENT_UP, .has_owner = true, .body = "{}"};
	const struct lw_eui64 dev_eui = lw_eui64_from_number(1);
	const struct now now = {{INT64_C(900) * 86400 * US_PER_S}, {INT64_C(20000) * 86400 * US_PER_S}, true};
	const struct as_reading reading = {.dev_eui = dev_eui,
					   .time = {now.wall.us - 2 * 86400 * US_PER_S},
					   .payload = (const uint8_t *)""};
	json_t *items = NULL;
	uint64_t next;
	ASSERT_CMP(as_store_event_put(city->store, &event, &reading), ==, ST_OK);
	ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
	remove_what_is_too_old(now);
	ASSERT_CMP(as_store_readings(city->store, &t_city_admin, &dev_eui, 0, 10, &items, &next), ==, ST_OK);
	size_t left = json_array_size(items);
	json_decref(items);
	as_store_release(city->store);
	return left == 0;
}

static void count_point(void *ctx, const struct as_health_point *point)
{
	unsigned *count = ctx;
	(void)point;
	(*count)++;
}

/* Of one minute so many days ago, summed up: what is left at that level. */
static bool is_gone(enum as_health_level level, int64_t days)
{
	const struct lw_eui64 eui = lw_eui64_from_number(1);
	const struct now now = {{INT64_C(900) * 86400 * US_PER_S}, {INT64_C(20000) * 86400 * US_PER_S}, true};
	const struct as_health_minute minute = {.eui = eui, .at = {now.wall.us - days * 86400 * US_PER_S}};
	unsigned left = 0;
	ASSERT_CMP(as_store_minute_put(city->store, &minute), ==, ST_OK);
	ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
	remove_what_is_too_old(now);
	ASSERT_CMP(as_store_series(city->store, &eui, level, (struct wall){0},
				   (struct wall){minute.at.us + 2 * 86400 * US_PER_S}, 10, count_point,
				   &left),
		   ==, ST_OK);
	return left == 0;
}

static bool a_minute_of_yesterday_is_gone(void)
{
	return is_gone(AS_HEALTH_MINUTES, 1);
}

static bool an_hour_of_last_week_is_gone(void)
{
	return is_gone(AS_HEALTH_HOURS, 7);
}

static bool a_day_of_last_winter_is_gone(void)
{
	return is_gone(AS_HEALTH_DAYS, 100);
}

/* --- alarms */

static char password_value[OPTION_PATH_MAX];

static const struct as_channel_rules *duty(void)
{
	return &alarms.notify.channels[0].rules;
}

static bool another_is_told(void)
{
	return strcmp(duty()->name, "other") == 0 && strcmp(duty()->target, "http://127.0.0.1:8/") == 0;
}

static bool the_critical_alone_are_told(void)
{
	return duty()->least == AS_CRITICAL;
}

static bool the_night_is_quiet(void)
{
	return as_quiet_holds(&duty()->quiet, (struct as_local){.minute = 23 * 60});
}

static bool the_critical_wait(void)
{
	return !duty()->breaks_quiet;
}

static bool messages_are_signed(void)
{
	return strcmp(alarms.sending[0].secret, "second-word") == 0;
}

static bool local_time_is_ahead(void)
{
	return as_zone_offset(&alarms.notify.zone, city->now.wall) == 7 * 3600;
}

static bool messages_are_an_hour_apart(void)
{
	return alarms.notify.interval == 3600 * US_PER_S;
}

static bool reminders_come_each_hour(void)
{
	return alarms.notify.repeat == 3600 * US_PER_S;
}

static bool groups_wait_an_hour(void)
{
	return alarms.notify.delay_limit == 3600 * US_PER_S;
}

/* What a message is sent with is read when it leaves, from what is in force. */
static bool the_authority_is_another(void)
{
	return strcmp(alarms.config->alarm_ca_file, password_value) == 0;
}

static bool the_mail_server_is_another(void)
{
	return strcmp(alarms.config->smtp_host, "mail.example") == 0;
}

static bool its_port_is_another(void)
{
	return alarms.config->smtp_port == 465;
}

static bool mail_goes_in_tls(void)
{
	return alarms.config->smtp_security == IO_MAIL_TLS;
}

static bool the_mail_user_is_another(void)
{
	return strcmp(alarms.config->smtp_username, "somebody") == 0;
}

static bool the_mail_password_is_another(void)
{
	return strcmp(alarms.smtp_password, "second-word") == 0;
}

static bool mail_comes_from_another(void)
{
	return strcmp(alarms.config->smtp_from, "alarms@city.example") == 0;
}

static char port_value[16], secret_value[OPTION_PATH_MAX + 16], ca_value[OPTION_PATH_MAX];

static bool a_gateway_s_certificate_is_shorter(void)
{
	return as_identity_config_of(&config).gateway_us == 10 * 86400 * US_PER_S;
}

static bool a_server_s_certificate_is_shorter(void)
{
	return as_identity_config_of(&config).server_us == 20 * 86400 * US_PER_S;
}

static bool the_server_has_another_name(void)
{
	return config.server_hosts.count == 1 &&
	       strcmp(config.server_hosts.items[0], "lamppost.example.city") == 0;
}

static bool gateways_are_silent_sooner(void)
{
	return health.silent == 45 * US_PER_S && alarms.alarms.silent == 45 * US_PER_S;
}

static bool gateways_are_offline_later(void)
{
	return health.offline == 3600 * US_PER_S && alarms.alarms.offline == 3600 * US_PER_S;
}

static bool stations_are_sent_elsewhere(void)
{
	const struct as_identity_config said = as_identity_config_of(&config);
	return strcmp(said.tc_uri, "wss://lamppost.example.city:3001") == 0;
}

static bool stations_ask_elsewhere(void)
{
	const struct as_identity_config said = as_identity_config_of(&config);
	return strcmp(said.cups_uri, "https://lamppost.example.city:3002") == 0;
}

static bool a_shell_is_closed_sooner(void)
{
	return config.gateway_shell_idle_us == 60 * US_PER_S;
}

static const struct t_reload_case cases[] = {
	{"callers", "{\"uid 4242\": \"reader parks\"}", somebody_may_call, false},
	{"mqtt.host", "127.0.0.2", the_other_address_is_called, false},
	{"mqtt.port", port_value, the_other_port_is_called, false},
	{"mqtt.username", "somebody-else", the_other_user_comes, false},
	{"mqtt.password_file", password_value, the_other_password_is_given, false},
	{"mqtt.ca_file", ca_value, tls_is_spoken, false},
	{"mqtt.in_flight", "3", three_are_in_flight, false},
	{"mqtt.qos", "0", nothing_waits_for_an_acknowledgement, false},
	{"mqtt.replay", "true", a_first_broker_gets_what_is_kept, false},
	{"alarms.channels", "{\"other\": \"webhook http://127.0.0.1:8/\"}", another_is_told, false},
	{"alarms.least", "{\"duty\": \"critical\"}", the_critical_alone_are_told, false},
	{"alarms.quiet", "{\"duty\": \"22:00-07:00\"}", the_night_is_quiet, false},
	{"alarms.quiet_all", "[\"duty\"]", the_critical_wait, false},
	{"alarms.secret_files", secret_value, messages_are_signed, false},
	{"alarms.time_zone", "XYZ-7", local_time_is_ahead, false},
	{"alarms.interval", "1h", messages_are_an_hour_apart, false},
	{"alarms.repeat", "1h", reminders_come_each_hour, false},
	{"alarms.delay", "1h", groups_wait_an_hour, false},
	{"alarms.ca_file", password_value, the_authority_is_another, false},
	{"alarms.smtp.host", "mail.example", the_mail_server_is_another, false},
	{"alarms.smtp.port", "465", its_port_is_another, false},
	{"alarms.smtp.security", "tls", mail_goes_in_tls, false},
	{"alarms.smtp.username", "somebody", the_mail_user_is_another, false},
	{"alarms.smtp.password_file", password_value, the_mail_password_is_another, false},
	{"alarms.smtp.from", "alarms@city.example", mail_comes_from_another, false},
	{"events_kept", "1000", a_thousand_events_are_left, false},
	{"readings_kept", "1d", a_reading_of_two_days_ago_is_gone, false},
	{"common.gateway_silent", "45s", gateways_are_silent_sooner, false},
	{"gateway_health.offline", "1h", gateways_are_offline_later, false},
	{"gateway_health.minutes_kept", "3h", a_minute_of_yesterday_is_gone, false},
	{"gateway_health.hours_kept", "2d", an_hour_of_last_week_is_gone, false},
	{"gateway_health.days_kept", "31d", a_day_of_last_winter_is_gone, false},
	{"certificates.gateway_valid", "10d", a_gateway_s_certificate_is_shorter, false},
	{"certificates.server_valid", "20d", a_server_s_certificate_is_shorter, false},
	{"certificates.server_hosts", "[\"lamppost.example.city\"]", the_server_has_another_name, false},
	{"gateway_shell_idle", "60s", a_shell_is_closed_sooner, false},
	{"cups.tc_uri", "wss://lamppost.example.city:3001", stations_are_sent_elsewhere, false},
	{"join_servers", "{maker: {join_euis: 70b3d57ed0000000/36, url: \"https://js.example/\"}}",
	 the_maker_is_asked, false},
	{"cups.cups_uri", "https://lamppost.example.city:3002", stations_ask_elsewhere, false},
};

static const struct t_reload_process process = {
	.program = {"application-server", "Tested.", as_config_rows, 36, &config, sizeof config},
	.cases = cases,
	.case_count = ARRAY_SIZE(cases),
	.open = open_application,
	.close = close_application,
	.apply = apply};

/* The second broker's port is known once it listens, which is before the value is written. */
static void open_and_tell(char *base, size_t capacity)
{
	open_application(base, capacity);
	snprintf(port_value, sizeof port_value, "%u", brokers[1].port);
	snprintf(password_value, sizeof password_value, "%s", passwords[1]);
	snprintf(secret_value, sizeof secret_value, "{\"duty\": \"%s\"}", passwords[1]);
}

static void make_certificate(void)
{
	char command[2 * OPTION_PATH_MAX + 200], key[OPTION_PATH_MAX];
	snprintf(ca_value, sizeof ca_value, "%s", t_temp("ca.pem"));
	snprintf(key, sizeof key, "%s", t_temp("ca.key"));
	snprintf(command, sizeof command,
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s -out %s "
		 "-days 2 -subj /CN=ca "
		 "2>/dev/null",
		 key, ca_value);
	assert_int_equal(0, system(command)); /* NOLINT(cert-env33-c) */
}

static void every_row(void **state)
{
	(void)state;
	make_certificate();
	struct t_reload_process walked = process;
	walked.program.row_count = as_config_row_count;
	walked.open = open_and_tell;
	t_reload_walk(&walked);
}

static bool reconfigure(const struct as_config *wanted_config, char problem[CONFIG_ERROR_MAX])
{
	struct config_common common = {.log_level = LOG_LEVEL_INFO};
	const struct reload_wanted wanted = {&common, wanted_config, &common, wanted_config};
	return apply(NULL, &wanted, problem);
}

static struct as_config configured(void)
{
	struct as_config made = {.mqtt_port = brokers[0].port, .mqtt_in_flight = 10, .mqtt_qos = 1};
	snprintf(made.mqtt_host, sizeof made.mqtt_host, "127.0.0.1");
	snprintf(made.mqtt_username, sizeof made.mqtt_username, "someone");
	snprintf(made.mqtt_password_file, sizeof made.mqtt_password_file, "%s", passwords[0]);
	return made;
}

static void name_maker(struct as_config *wanted, const char *more)
{
	struct option_map *map = &wanted->join_servers;
	map->count = 1;
	snprintf(map->entries[0].label, sizeof map->entries[0].label, "maker");
	snprintf(map->entries[0].value, sizeof map->entries[0].value,
		 "join_euis=70b3d57ed0000000/36 url=https://js.example/%s", more);
}

static void join_servers_of_others_come_and_go(void **state)
{
	(void)state;
	char base[1024], problem[CONFIG_ERROR_MAX], kek[OPTION_PATH_MAX], words[2 * OPTION_PATH_MAX];
	snprintf(kek, sizeof kek, "%s", t_temp("maker.kek"));
	snprintf(words, sizeof words, " kek=maker kek_file=%s", kek);
	open_application(base, sizeof base);
	struct as_config wanted = configured();
	name_maker(&wanted, words);
	t_row("one with a KEK comes");
	t_write_file(kek, "0123456789abcdef");
	assert_int_equal(0, chmod(kek, 0600));
	t_true("taken", reconfigure(&wanted, problem) && app_keys.count == 1);
	const struct as_app_key_lane *lane = app_keys.lanes[0];
	app_keys.lanes[0]->calls = 77;
	t_true("its KEK opens", city->app.foreign_kek_count == 1 &&
					memcmp(city->app.foreign_keks[0].key, "0123456789abcdef", 16) == 0);
	t_row("the same again notices nothing");
	t_true("taken", reconfigure(&wanted, problem));
	t_true("stays", app_keys.lanes[0] == lane && lane->calls == 77);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = {"a KEK too short", "no KEK", "an authority that is none"};
		t_row(names[i]);
		if (i == 0)
			t_write_file(kek, "short");
		else if (i == 1)
			assert_int_equal(0, unlink(kek));
		else
			name_maker(&wanted, " ca=/dev/null");
		t_true("refused", !reconfigure(&wanted, problem));
		t_true("by its name", strstr(problem, "application-server.join_servers.maker: ") != NULL);
		t_true("stays", app_keys.count == 1 && app_keys.lanes[0] == lane && lane->calls == 77);
		t_true("its KEK opens",
		       city->app.foreign_kek_count == 1 &&
			       memcmp(city->app.foreign_keks[0].key, "0123456789abcdef", 16) == 0);
	}
	t_row("another KEK in the file makes it anew");
	name_maker(&wanted, words);
	t_write_file(kek, "fedcba9876543210");
	assert_int_equal(0, chmod(kek, 0600));
	t_true("taken", reconfigure(&wanted, problem));
	t_uint("anew", 0, app_keys.lanes[0]->calls);
	t_true("which opens", memcmp(city->app.foreign_keks[0].key, "fedcba9876543210", 16) == 0);
	t_row("it leaves");
	wanted.join_servers.count = 0;
	t_true("taken", reconfigure(&wanted, problem));
	t_uint("nobody is asked", 0, app_keys.count);
	t_uint("nothing opens", 0, city->app.foreign_kek_count);
	close_application();
}

static void files_and_brokers_come_and_go(void **state)
{
	(void)state;
	char base[1024], problem[CONFIG_ERROR_MAX];
	open_application(base, sizeof base);
	struct as_config wanted = configured();
	t_row("a password file with new contents connects anew");
	t_true("taken", reconfigure(&wanted, problem));
	t_write_file(passwords[0], "changed-word\n");
	t_true("taken again", reconfigure(&wanted, problem));
	t_true("comes", wait_for(have_come));
	t_true("with it", anybody_said("changed-word"));
	t_row("a password file that is gone changes nothing");
	assert_int_equal(0, unlink(passwords[0]));
	t_true("up", wait_for(is_up));
	uint64_t connections = as_mqtt_status(delivery.mqtt).connections;
	t_false("taken", reconfigure(&wanted, problem));
	t_uint("connections", connections, as_mqtt_status(delivery.mqtt).connections);
	t_row("no broker any more");
	wanted.mqtt_host[0] = '\0';
	t_true("taken", reconfigure(&wanted, problem));
	t_str("state", "off", as_mqtt_status(delivery.mqtt).state);
	ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
	t_row("a broker again");
	wanted = configured();
	t_write_file(passwords[0], "first-word\n");
	t_true("taken", reconfigure(&wanted, problem));
	t_true("up", wait_for(is_up));
	t_row("a caller without a role changes nothing");
	wanted.callers.count = 1;
	snprintf(wanted.callers.entries[0].label, OPTION_LABEL_MAX, "uid 4242");
	snprintf(wanted.callers.entries[0].value, OPTION_PATH_MAX, "king");
	t_false("taken", reconfigure(&wanted, problem));
	t_true("says why", strstr(problem, "application-server.callers: uid 4242") == problem);
	t_row("a broker's authority that cannot be read changes nothing: callers, channels and spans "
	      "neither");
	wanted = configured();
	connections = as_mqtt_status(delivery.mqtt).connections;
	size_t channels = alarms.notify.count;
	span_us silent = alarms.alarms.silent;
	snprintf(wanted.mqtt_ca_file, sizeof wanted.mqtt_ca_file, "%s", t_temp("no-such.pem"));
	wanted.callers.count = wanted.alarm_channels.count = 1;
	snprintf(wanted.callers.entries[0].label, OPTION_LABEL_MAX, "uid 4242");
	snprintf(wanted.callers.entries[0].value, OPTION_PATH_MAX, "city");
	snprintf(wanted.alarm_channels.entries[0].label, OPTION_LABEL_MAX, "night");
	snprintf(wanted.alarm_channels.entries[0].value, OPTION_PATH_MAX, "webhook http://127.0.0.1:1/");
	t_false("taken", reconfigure(&wanted, problem));
	t_true("says why", strstr(problem, "application-server.mqtt") == problem);
	t_uint("channels", channels, alarms.notify.count);
	t_true("spans", alarms.alarms.silent == silent);
	t_true("no such caller", as_callers_find(&edge_api.callers, 4242, 4242) == NULL);
	t_uint("connections", connections, as_mqtt_status(delivery.mqtt).connections);
	t_true("up", wait_for(is_up));
	t_row("the same with one that can be read");
	snprintf(wanted.mqtt_ca_file, sizeof wanted.mqtt_ca_file, "%s", ca_value);
	t_true("taken", reconfigure(&wanted, problem));
	t_uint("channels", 1, alarms.notify.count);
	t_true("the caller", as_callers_find(&edge_api.callers, 4242, 4242) != NULL);
	close_application();
}

int main(void)
{
	/* Two threads that are its first users at once make OpenSSL lose 123 bytes. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	const struct CMUnitTest tests[] = {
		t_test(every_row),
		t_test(join_servers_of_others_come_and_go),
		t_test(files_and_brokers_come_and_go),
	};
	return t_run(tests);
}
