#include "application-server/config.h"

#include "common/base/check.h"
#include "common/base/units.h"

#define SECTION "application-server"
#define DAY_US  (86400 * US_PER_S)

const struct option as_config_rows[] = {
	{SECTION, "callers", OPTION_MAP, OPTION_AT(struct as_config, callers), .reload = true,
	 .help = "Who may call city.sock, by user or group: 'uid 1000: manager parks', 'gid 50: reader "
		 "water', 'uid 7: city'. "
		 "Root and the service's own user are the city's administrators."},
	{SECTION, "mqtt.host", OPTION_STRING, OPTION_AT(struct as_config, mqtt_host), .fallback = "",
	 .reload = true, .help = "Broker to deliver to; empty: none."},
	{SECTION, "mqtt.port", OPTION_INT, OPTION_AT(struct as_config, mqtt_port), .fallback = "1883",
	 .min = 1, .max = 65535, .reload = true, .help = "Its port."},
	{SECTION, "mqtt.username", OPTION_STRING, OPTION_AT(struct as_config, mqtt_username), .fallback = "",
	 .reload = true, .help = "User name at the broker; empty: none."},
	{SECTION, "mqtt.password_file", OPTION_PATH, OPTION_AT(struct as_config, mqtt_password_file),
	 .fallback = "", .min = 0, .reload = true,
	 .help = "File whose first line is the password; a reload reads it again."},
	{SECTION, "mqtt.ca_file", OPTION_PATH, OPTION_AT(struct as_config, mqtt_ca_file), .fallback = "",
	 .min = 0, .reload = true,
	 .help = "Certificates that the broker's must be signed by, read at every connection; empty: no "
		 "TLS."},
	{SECTION, "mqtt.in_flight", OPTION_INT, OPTION_AT(struct as_config, mqtt_in_flight),
	 .fallback = "500", .min = 1, .max = 10000, .unit = "messages", .reload = true,
	 .help = "How many may wait for the broker's acknowledgement."},
	{SECTION, "mqtt.qos", OPTION_INT, OPTION_AT(struct as_config, mqtt_qos), .fallback = "1", .min = 0,
	 .max = 1, .reload = true,
	 .help = "1: each event is delivered at least once. 0: cheaper, and what is under way when the "
		 "connection breaks is lost."},
	{SECTION, "mqtt.replay", OPTION_BOOL, OPTION_AT(struct as_config, mqtt_replay), .fallback = "false",
	 .reload = true,
	 .help = "Whether a broker that is configured for the first time gets the events that are kept from "
		 "before; "
		 "otherwise it gets what comes from then on. Later starts go on where delivery stopped."},
	{SECTION, "events_kept", OPTION_INT, OPTION_AT(struct as_config, events_kept), .fallback = "2000000",
	 .min = 1000, .max = INT64_C(1000000000), .unit = "events", .reload = true,
	 .help = "Events kept for consumers that are behind; one that is further behind is told of the gap."},
	{SECTION, "readings_kept", OPTION_DURATION, OPTION_AT(struct as_config, readings_kept_us),
	 .fallback = "730d", .min = DAY_US, .max = 36500 * DAY_US, .reload = true,
	 .help = "How long readings are kept."},
	{SECTION, "gateway_health.minutes_kept", OPTION_DURATION,
	 OPTION_AT(struct as_config, health_minutes_us), .fallback = "2d", .min = DAY_US / 8,
	 .max = 31 * DAY_US, .reload = true, .help = "How long what gateways did is kept by the minute."},
	{SECTION, "gateway_health.hours_kept", OPTION_DURATION, OPTION_AT(struct as_config, health_hours_us),
	 .fallback = "90d", .min = 2 * DAY_US, .max = 3650 * DAY_US, .reload = true,
	 .help = "The same by the hour."},
	{SECTION, "gateway_health.days_kept", OPTION_DURATION, OPTION_AT(struct as_config, health_days_us),
	 .fallback = "1095d", .min = 31 * DAY_US, .max = 36500 * DAY_US, .reload = true,
	 .help = "The same by the day."},
};
const size_t as_config_row_count = ARRAY_SIZE(as_config_rows);
