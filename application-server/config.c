#include "application-server/config.h"

#include "application-server/alarms/rules.h"
#include "common/backend/join_server.h"
#include "common/base/check.h"
#include "common/base/units.h"
#include "common/crypto/x509.h"

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
	{SECTION, "alarms.channels", OPTION_MAP, OPTION_AT(struct as_config, alarm_channels),
	 .max = AS_CHANNELS_MAX, .check_entry = as_alarm_channel_fits, .reload = true,
	 .help = "Who is told of alarms, by a name of your own: 'webhook URL', 'mail ADDRESS, ADDRESS', or "
		 "'mqtt' for the broker above."},
	{SECTION, "alarms.least", OPTION_MAP, OPTION_AT(struct as_config, alarm_least),
	 .max = AS_CHANNELS_MAX, .check_entry = as_alarm_least_fits, .reload = true,
	 .help = "The least severity that a channel is told of: notice, warning or critical. Without a line: "
		 "warning."},
	{SECTION, "alarms.quiet", OPTION_MAP, OPTION_AT(struct as_config, alarm_quiet),
	 .max = AS_CHANNELS_MAX, .check_entry = as_alarm_quiet_fits, .reload = true,
	 .help = "When a channel is not disturbed, in local time: 'Mon-Fri 22:00-07:00; Sat Sun'. Critical "
		 "alarms "
		 "get through; all else is told in one message at the end."},
	{SECTION, "alarms.quiet_all", OPTION_LIST, OPTION_AT(struct as_config, alarm_quiet_all),
	 .max = AS_CHANNELS_MAX, .reload = true,
	 .help = "Channels at which critical alarms wait for the end of the quiet time as well."},
	{SECTION, "alarms.secret_files", OPTION_MAP, OPTION_AT(struct as_config, alarm_secret_files),
	 .max = AS_CHANNELS_MAX, .reload = true,
	 .help = "For webhooks: a file whose first line is the secret that messages are signed with "
		 "(HMAC-SHA-256)."},
	{SECTION, "alarms.time_zone", OPTION_STRING, OPTION_AT(struct as_config, alarm_time_zone),
	 .fallback = "", .reload = true,
	 .help = "Of quiet times and of the times in e-mails: a name such as Europe/London, or a rule such "
		 "as "
		 "EST5EDT,M3.2.0,M11.1.0; empty: this machine's."},
	{SECTION, "alarms.interval", OPTION_DURATION, OPTION_AT(struct as_config, alarm_interval_us),
	 .fallback = "60s", .min = 0, .max = DAY_US, .reload = true,
	 .help = "The least time between two messages of a channel; what comes meanwhile is one message."},
	{SECTION, "alarms.repeat", OPTION_DURATION, OPTION_AT(struct as_config, alarm_repeat_us),
	 .fallback = "24h", .min = 0, .max = 30 * DAY_US, .reload = true,
	 .help = "How often what nobody has acknowledged is told again; 0: never."},
	{SECTION, "alarms.delay", OPTION_DURATION, OPTION_AT(struct as_config, alarm_delay_us),
	 .fallback = "75s", .min = 0, .max = DAY_US, .reload = true,
	 .help = "The longest that a new alarm waits before it is told, so that gateways of one line become "
		 "one "
		 "alarm."},
	{SECTION, "alarms.ca_file", OPTION_PATH, OPTION_AT(struct as_config, alarm_ca_file), .fallback = "",
	 .min = 0, .reload = true,
	 .help = "Certificates that webhooks' and the mail server's must be signed by; empty: the "
		 "system's."},
	{SECTION, "alarms.smtp.host", OPTION_STRING, OPTION_AT(struct as_config, smtp_host), .fallback = "",
	 .reload = true, .help = "Mail server for channels of the kind mail; empty: none."},
	{SECTION, "alarms.smtp.port", OPTION_INT, OPTION_AT(struct as_config, smtp_port), .fallback = "587",
	 .min = 1, .max = 65535, .reload = true, .help = "Its port."},
	{SECTION, "alarms.smtp.security", OPTION_CHOICE, OPTION_AT(struct as_config, smtp_security),
	 .fallback = "starttls", .choices = "starttls tls none", .reload = true,
	 .help = "starttls: nothing is sent unless the server offers it. tls: from the first byte (465). "
		 "none: in "
		 "clear, for a relay on this machine."},
	{SECTION, "alarms.smtp.username", OPTION_STRING, OPTION_AT(struct as_config, smtp_username),
	 .fallback = "", .reload = true, .help = "User name at the mail server; empty: none."},
	{SECTION, "alarms.smtp.password_file", OPTION_PATH, OPTION_AT(struct as_config, smtp_password_file),
	 .fallback = "", .min = 0, .reload = true,
	 .help = "File whose first line is the password; a reload reads it again."},
	{SECTION, "alarms.smtp.from", OPTION_STRING, OPTION_AT(struct as_config, smtp_from), .fallback = "",
	 .reload = true, .help = "Address that alarms come from; empty: lamppost@ the mail server's name."},
	{SECTION, "events_kept", OPTION_INT, OPTION_AT(struct as_config, events_kept), .fallback = "2000000",
	 .min = 1000, .max = INT64_C(1000000000), .unit = "events", .reload = true,
	 .help = "Events kept for consumers that are behind; one that is further behind is told of the gap."},
	{SECTION, "readings_kept", OPTION_DURATION, OPTION_AT(struct as_config, readings_kept_us),
	 .fallback = "730d", .min = DAY_US, .max = 36500 * DAY_US, .reload = true,
	 .help = "How long readings are kept."},
	{SECTION, "gateway_health.offline", OPTION_DURATION, OPTION_AT(struct as_config, gateway_offline_us),
	 .fallback = "10m", .min = 3 * US_PER_S, .max = DAY_US, .reload = true,
	 .help = "A gateway of which nothing came for so long is offline, a connection that ended at once; "
		 "no "
		 "less than common.gateway_silent."},
	{SECTION, "gateway_health.minutes_kept", OPTION_DURATION,
	 OPTION_AT(struct as_config, health_minutes_us), .fallback = "2d", .min = DAY_US / 8,
	 .max = 31 * DAY_US, .reload = true, .help = "How long what gateways did is kept by the minute."},
	{SECTION, "gateway_health.hours_kept", OPTION_DURATION, OPTION_AT(struct as_config, health_hours_us),
	 .fallback = "90d", .min = 2 * DAY_US, .max = 3650 * DAY_US, .reload = true,
	 .help = "The same by the hour."},
	{SECTION, "gateway_health.days_kept", OPTION_DURATION, OPTION_AT(struct as_config, health_days_us),
	 .fallback = "1095d", .min = 31 * DAY_US, .max = 36500 * DAY_US, .reload = true,
	 .help = "The same by the day."},
	{SECTION, "certificates.gateway_valid", OPTION_DURATION,
	 OPTION_AT(struct as_config, gateway_certificate_us), .fallback = "365d", .min = DAY_US,
	 .max = 7300 * DAY_US, .reload = true,
	 .help = "How long a gateway's certificate is good for; in its last third CUPS renews it."},
	{SECTION, "certificates.server_valid", OPTION_DURATION,
	 OPTION_AT(struct as_config, server_certificate_us), .fallback = "730d", .min = DAY_US,
	 .max = 7300 * DAY_US, .reload = true,
	 .help = "The same of the gateway bridge's, which is renewed in its last third."},
	{SECTION, "certificates.server_hosts", OPTION_LIST, OPTION_AT(struct as_config, server_hosts),
	 .fallback = "", .min = 0, .max = X509_HOSTS_MAX, .check = x509_host_ok, .reload = true,
	 .form = "a name or an address, as in lamppost.example.city or 192.0.2.10",
	 .help = "Names and addresses by which stations reach the gateway bridge, for its certificate; "
		 "empty: "
		 "this machine's name, localhost, 127.0.0.1 and ::1."},
	{SECTION, "gateway_shell_idle", OPTION_DURATION, OPTION_AT(struct as_config, gateway_shell_idle_us),
	 .fallback = "15m", .min = US_PER_S, .max = DAY_US, .reload = true,
	 .help = "After how long without a word, from either side, a shell on a station is closed."},
	{SECTION, "cups.tc_uri", OPTION_STRING, OPTION_AT(struct as_config, tc_uri), .fallback = "",
	 .reload = true,
	 .help = "Where CUPS sends stations for LNS, as in wss://lamppost.example.city:3001; a gateway's own "
		 "tc_uri goes before it; empty: they stay where they are."},
	{SECTION, "cups.cups_uri", OPTION_STRING, OPTION_AT(struct as_config, cups_uri), .fallback = "",
	 .reload = true, .help = "The same for CUPS itself, as in https://lamppost.example.city:3002."},
	{SECTION, "join_servers", OPTION_MAP, OPTION_AT(struct as_config, join_servers), .words = true,
	 .check_entry = bi_join_server_check_application, .reload = true,
	 .help = "Join servers of others that AppSKeys are fetched from where a join brought a SessionKeyID "
		 "alone, by name; keys of other JoinEUIs are the city's own join server's to give. Of each: "
		 "join_euis (EUI/bits), the longest that holds a JoinEUI wins; url (https); certificate and "
		 "key "
		 "that are shown, headers (a file of 'Name: value' lines), ca; protocol (1.0 or 1.1); as_id, "
		 "the "
		 "name that it knows this application server by ('application-server' if not named); kek and "
		 "kek_file, the label and the file of the key that wraps AppSKeys, with which the city opens "
		 "those that come with a join as well; timeout_ms of a call. A reload reads the files "
		 "again."},
};
const size_t as_config_row_count = ARRAY_SIZE(as_config_rows);
