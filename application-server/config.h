/* The section `application-server` of the configuration. */
#ifndef LAMPPOST_AS_CONFIG_H
#define LAMPPOST_AS_CONFIG_H

#include "common/base/options.h"

struct as_config {
	struct option_map callers;
	char mqtt_host[256];
	int64_t mqtt_port;
	char mqtt_username[128];
	char mqtt_password_file[OPTION_PATH_MAX];
	char mqtt_ca_file[OPTION_PATH_MAX];
	int64_t mqtt_in_flight;
	int64_t mqtt_qos;
	bool mqtt_replay;
	struct option_map alarm_channels, alarm_least, alarm_quiet, alarm_secret_files;
	struct option_list alarm_quiet_all;
	char alarm_time_zone[64];
	int64_t alarm_interval_us, alarm_repeat_us, alarm_delay_us;
	char alarm_ca_file[OPTION_PATH_MAX];
	char smtp_host[256];
	int64_t smtp_port;
	int smtp_security; /* enum io_mail_security */
	char smtp_username[128];
	char smtp_password_file[OPTION_PATH_MAX];
	char smtp_from[128];
	int64_t events_kept;
	int64_t readings_kept_us;
	int64_t gateway_offline_us;
	int64_t health_minutes_us, health_hours_us, health_days_us;
	int64_t gateway_certificate_us, server_certificate_us; /* how long they are good for */
	struct option_list server_hosts;
	int64_t gateway_shell_idle_us;
	char tc_uri[128], cups_uri[128];
	struct option_map join_servers; /* name → words (common/backend/join_server.h) */
};

extern const struct option as_config_rows[];
extern const size_t as_config_row_count;

#endif
