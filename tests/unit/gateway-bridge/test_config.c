/* Forms of configuration values that are the bridge's own. */
#include "tests/harness/harness.h"

#include "gateway-bridge/config.h"

static void urls_of_brokers(void **state)
{
	(void)state;
	static const struct {
		const char *name, *url, *host; /* host NULL: refused */
		unsigned port;
		bool tls;
	} rows[] = {
		{"plain", "mqtt://broker:1884", "broker", 1884, false},
		{"TLS", "mqtts://broker.city.example:8884", "broker.city.example", 8884, true},
		{"the usual port", "mqtt://127.0.0.1", "127.0.0.1", 1883, false},
		{"the usual port of TLS", "mqtts://broker", "broker", 8883, true},
		{"IPv6", "mqtt://[2001:db8::1]:1883", "2001:db8::1", 1883, false},
		{"IPv6 and the usual port", "mqtts://[2001:db8::1]", "2001:db8::1", 8883, true},
		{"another scheme", "tcp://broker:1883", NULL, 0, false},
		{"no scheme", "broker:1883", NULL, 0, false},
		{"no host", "mqtt://", NULL, 0, false},
		{"no host and a port", "mqtt://:1883", NULL, 0, false},
		{"port 0", "mqtt://broker:0", NULL, 0, false},
		{"a port that is none", "mqtt://broker:mqtt", NULL, 0, false},
		{"a port beyond all", "mqtt://broker:65536", NULL, 0, false},
		{"a path", "mqtt://broker:1883/eu868", NULL, 0, false},
		{"a password, which does not belong there", "mqtt://user:word@broker", NULL, 0, false},
		{"a blank", "mqtt://bro ker", NULL, 0, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char host[GB_HOST_MAX] = "";
		uint16_t port = 0;
		bool tls = false;
		t_row(rows[i].name);
		if (!t_int("taken", rows[i].host != NULL,
			   gb_mqtt_url_parse(rows[i].url, host, &port, &tls)) ||
		    !rows[i].host)
			continue;
		t_str("host", rows[i].host, host);
		t_uint("port", rows[i].port, port);
		t_int("tls", rows[i].tls, tls);
	}
}

static void prefixes_of_topics(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		bool taken;
	} rows[] = {
		{"a region", "eu868", true},
		{"two levels", "city/eu868", true},
		{"any one level", "+", true},
		{"any level behind one", "city/+", true},
		{"a wildcard in a word", "eu+", false},
		{"everything", "#", false},
		{"the broker's own", "$SYS", false},
		{"a slash in front", "/eu868", false},
		{"a slash behind", "eu868/", false},
		{"a blank", "eu 868", false},
		{"forty characters", "1234567890123456789012345678901234567890", false},
	};
	struct gb_config config;
	const struct option *row = options_find(gb_config_rows, gb_config_row_count, "gateway-bridge",
						"mqtt.topic_prefixes");
	assert_non_null(row);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char expect[OPTION_EXPECT_MAX];
		t_row(rows[i].name);
		option_clear(row, &config);
		t_int("taken", rows[i].taken, option_add(row, &config, NULL, rows[i].text, expect));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(urls_of_brokers), t_test(prefixes_of_topics)};
	return t_run(tests);
}
