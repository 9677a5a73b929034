#include "application-server/alarms/gateway_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_US     (86400 * US_PER_S)
#define FEW_FRAMES 200 /* in an hour: fewer say nothing of their share of CRC errors */
#define FEW_DOWN   5
#define MEBIBYTE   INT64_C(1000000) /* as carriers count */

/* What is seen of one gateway, on its way to the table. */
struct sight {
	struct as_gateway_round *round;
	const struct as_gateway_record *record;
	const struct as_gateway_health *health;
	struct now now;
	char subject[17];
};

static void see(const struct sight *sight, enum as_alarm_kind_id kind, bool known, int64_t value,
		const char *detail)
{
	const struct as_gateway_record *record = sight->record;
	as_alarms_observe(sight->round->alarms,
			  &(struct as_observation){.kind = kind,
						   .subject = sight->subject,
						   .name = record->name,
						   .detail = detail,
						   .unknown = !known,
						   .value = value,
						   .agency = record->has_agency ? &record->agency : NULL},
			  sight->now);
}

static int64_t percent(uint64_t part, uint64_t whole)
{
	return whole ? (int64_t)(part * 100 / whole) : 0;
}

/* Whole days, rounded down: 0 on the last one, negative behind it. */
static int64_t days_until(struct wall then, struct now now)
{
	int64_t left = then.us - now.wall.us;
	return left >= 0 ? left / DAY_US : -1 - (-1 - left) / DAY_US;
}

/* --- kinds --------------------------------------------------------------------------------------------------- */

/* A connection that ended is told as "offline" by the gateway's state at once; here it counts from when it was heard last. */
static bool see_silence(const struct sight *sight)
{
	const struct as_gateway_health *health = sight->health;
	bool known = health && health->state != AS_GATEWAY_UNKNOWN;
	bool silent = known && health->heard &&
		      (health->state == AS_GATEWAY_SILENT || health->state == AS_GATEWAY_OFFLINE);
	int64_t for_us = silent ? sight->now.wall.us - health->last_heard.us : 0;
	char words[AS_HEALTH_WORDS] = "", detail[AS_HEALTH_WORDS + 16] = "";
	if (silent) {
		as_health_words(words, health, sight->now.wall);
		snprintf(detail, sizeof detail, "%s.", words);
		if (detail[0] >= 'a' && detail[0] <= 'z') /* it stands behind a full stop */
			detail[0] = (char)(detail[0] - 'a' + 'A');
	}
	int64_t seconds = !silent ? 0 : for_us < US_PER_S ? 1 : for_us / US_PER_S;
	see(sight, AS_ALARM_SILENT, known, seconds, detail);
	see(sight, AS_ALARM_OFFLINE, known, for_us >= sight->round->alarms->offline ? seconds : 0, detail);
	return silent;
}

static void see_way(const struct sight *sight, bool known)
{
	const struct as_gateway_health *health = sight->health;
	char detail[AS_ALARM_DETAIL] = "";
	if (known)
		snprintf(detail, sizeof detail, "It comes from %s; %" PRIu32 " outages in the last hour.",
			 health->address[0] ? health->address : "nowhere", health->outages_hour);
	see(sight, AS_ALARM_UNSTABLE, known, known ? health->outages_day : 0, detail);
	if (known)
		snprintf(detail, sizeof detail, "Last from %s.", health->address);
	see(sight, AS_ALARM_ADDRESS_MOVES, known,
	    !known             ? 0
	    : health->flapping ? (health->hour.moves > 6 ? (int64_t)health->hour.moves : 6)
			       : (int64_t)health->hour.moves,
	    detail);
	see(sight, AS_ALARM_DUPLICATE_EUI, known, known && health->duplicate_suspected, detail);
}

static void see_radio(const struct sight *sight, bool known)
{
	const struct as_gateway_health *health = sight->health;
	char detail[AS_ALARM_DETAIL] = "";
	const struct as_gateway_counts none = {0}, *hour = known ? &health->hour : &none;
	bool many = hour->received >= FEW_FRAMES;
	snprintf(detail, sizeof detail, "%" PRIu32 " of %" PRIu32 " frames in the last hour.",
		 hour->crc_errors, hour->received);
	see(sight, AS_ALARM_CRC_ERRORS, known, many ? percent(hour->crc_errors, hour->received) : 0, detail);

	uint32_t refused = as_gateway_refused(hour), most = 0;
	int cause = 0;
	for (int i = 0; i < GW_TX_RESULT_COUNT; i++)
		if (i != GW_TX_OK && i != GW_TX_NO_ANSWER && hour->results[i] > most) {
			most = hour->results[i];
			cause = i;
		}
	if (refused)
		snprintf(detail, sizeof detail,
			 "%" PRIu32 " of %" PRIu32 ", %" PRIu32 " of them because of %s.", refused,
			 hour->sent, most, gw_tx_result_name((enum gw_tx_result)cause));
	see(sight, AS_ALARM_DOWNLINKS_REJECTED, known,
	    hour->sent >= FEW_DOWN ? percent(refused, hour->sent) : 0, detail);

	int64_t worst = 0;
	detail[0] = '\0';
	for (unsigned i = 0; known && i < health->duty_count; i++) {
		const struct as_gateway_duty *duty = &health->duty[i];
		int64_t share = percent(duty->used_ms, duty->limit_ms);
		if (share <= worst)
			continue;
		worst = share;
		snprintf(detail, sizeof detail,
			 "%.6g to %.6g MHz: %.1f s of %.1f s an hour; downlinks go by other gateways where "
			 "there are.",
			 duty->min_hz / 1e6, duty->max_hz / 1e6, duty->used_ms / 1e3, duty->limit_ms / 1e3);
	}
	see(sight, AS_ALARM_DUTY_CYCLE, known, worst, detail);
}

/* A station that came, and that its record's region or channels cannot be written for. */
static bool is_refused_for_its_plan(const struct as_gateway_health *health)
{
	return strcmp(health->turned_away, "station_region") == 0 ||
	       strcmp(health->turned_away, "station_plan") == 0;
}

static void see_station(const struct sight *sight, bool known)
{
	const struct as_gateway_health *health = sight->health;
	char detail[AS_ALARM_DETAIL] = "";
	int64_t drift = known && health->has_drift ? health->drift_tenths_ppm : 0;
	see(sight, AS_ALARM_CLOCK_DRIFT, known && health->has_drift, (drift < 0 ? -drift : drift) / 10,
	    drift < 0 ? "It is slow." : "It is fast.");
	see(sight, AS_ALARM_TEMPERATURE, known && health->has_temperature,
	    known ? health->temperature_cdeg / 100 : 0, "");
	if (known && health->off_plan) {
		size_t used = (size_t)snprintf(detail, sizeof detail, "Its plan is %s; it hears ",
					       health->plan);
		for (unsigned i = 0; i < health->off_plan_count && used + 16 < sizeof detail; i++)
			used += (size_t)snprintf(detail + used, sizeof detail - used, "%s%.6g MHz",
						 i ? ", " : "", health->off_plan_hz[i] / 1e6);
	} else if (known && health->state == AS_GATEWAY_OFFLINE &&
		   (health->reason == AS_BECAUSE_REFUSED || health->reason == AS_BECAUSE_TURNED_AWAY)) {
		snprintf(detail, sizeof detail, "The bridge refuses it: see lamppost why gateway.");
	}
	bool refused = known && is_refused_for_its_plan(health);
	if (refused)
		snprintf(detail, sizeof detail,
			 "The bridge turned it away (%s): a stock station cannot work with the region and "
			 "channels of "
			 "its record.",
			 health->turned_away);
	see(sight, AS_ALARM_PLAN_MISMATCH, known, known && (health->off_plan || refused), detail);
}

static void see_papers(const struct sight *sight, bool known)
{
	const struct as_gateway_record *record = sight->record;
	const struct as_gateway_health *health = sight->health;
	/* What it came with counts; while it is away, what was issued. */
	struct wall until = known && health->certificate_until.us > 0 ? health->certificate_until
								      : record->certificate_until;
	int64_t left = until.us > 0 ? days_until(until, sight->now) : AS_NEVER;
	see(sight, AS_ALARM_CERTIFICATE_EXPIRING, true, left, "");
	see(sight, AS_ALARM_CERTIFICATE_EXPIRED, true, left < 0 ? 0 : AS_NEVER, "");
	see(sight, AS_ALARM_PERMISSION_ENDING, true,
	    record->permission_until.us ? days_until(record->permission_until, sight->now) : AS_NEVER, "");
	char detail[AS_ALARM_DETAIL] = "";
	int64_t limit = (int64_t)record->data_plan_mb * MEBIBYTE;
	if (known && limit)
		snprintf(detail, sizeof detail, "%.1f of %" PRIu32 " MB.",
			 (double)health->month_bytes / (double)MEBIBYTE, record->data_plan_mb);
	see(sight, AS_ALARM_DATA_PLAN, known || !limit,
	    known && limit ? percent(health->month_bytes, (uint64_t)limit) : 0, detail);
}

/* --- a round ------------------------------------------------------------------------------------------------- */

void as_gateway_round_begin(struct as_gateway_round *round, struct as_alarms *alarms,
			    struct as_groups *groups, bool fresh)
{
	*round = (struct as_gateway_round){.alarms = alarms, .groups = groups, .fresh = fresh};
	as_groups_clear(groups);
	as_alarms_begin(alarms, AS_SOURCE_GATEWAYS);
}

static void add_member(const struct sight *sight, bool silent)
{
	const struct as_gateway_health *health = sight->health;
	const struct as_gateway_record *record = sight->record;
	struct as_group_member member = {.silent = silent, .named = record->backhaul[0] != '\0'};
	if (!health || !health->heard)
		return;
	member.since = health->last_heard;
	if (member.named)
		as_alarm_letters(member.group, sizeof member.group, record->backhaul);
	else
		as_group_of_address(member.group, health->address);
	snprintf(member.subject, sizeof member.subject, "%s", sight->subject);
	snprintf(member.name, sizeof member.name, "%s", record->name);
	as_groups_add(sight->round->groups, &member);
}

static void note_open(struct as_gateway_round *round, const struct as_gateway_record *record)
{
	size_t used = strlen(round->open_names);
	round->open++;
	if (used + strlen(record->name) + 8 < sizeof round->open_names)
		snprintf(round->open_names + used, sizeof round->open_names - used, "%s%s", used ? ", " : "",
			 record->name);
	else if (used + 5 < sizeof round->open_names && round->open_names[used - 1] != '.')
		snprintf(round->open_names + used, sizeof round->open_names - used, " ...");
}

void as_gateway_observe(struct as_gateway_round *round, const struct as_gateway_record *record,
			const struct as_gateway_health *health, struct now now)
{
	struct sight sight = {.round = round, .record = record, .health = health, .now = now};
	bool known = round->fresh && health && health->state != AS_GATEWAY_UNKNOWN;
	snprintf(sight.subject, sizeof sight.subject, "%016" PRIx64, lw_eui64_number(&record->eui));
	bool silent = see_silence(&sight);
	see_way(&sight, known);
	see_radio(&sight, known);
	see_station(&sight, known);
	see_papers(&sight, known);
	if (record->udp_open)
		note_open(round, record);
	if (known)
		add_member(&sight, silent);
}

void as_gateway_round_end(struct as_gateway_round *round, struct now now)
{
	as_alarms_observe(round->alarms,
			  &(struct as_observation){.kind = AS_ALARM_UDP_OPEN,
						   .subject = "",
						   .name = "city",
						   .detail = round->open_names,
						   .value = round->open},
			  now);
	as_alarms_end(round->alarms, AS_SOURCE_GATEWAYS, now);
}
