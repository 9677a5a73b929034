#include "network-server/session_tail.h"

#include "common/base/check.h"

#include <string.h>

#define GROUP_MAX 255

static void write_group(struct wr *wr, enum ns_tail_group id, const struct wr *body)
{
	ASSERT(wr_ok(body) && wr_length(body) <= GROUP_MAX);
	wr_u8(wr, (uint8_t)id);
	wr_u8(wr, (uint8_t)wr_length(body));
	wr_copy(wr, body->start, wr_length(body));
}

static void write_rare(struct wr *wr, const struct ns_rare *rare)
{
	uint8_t bytes[GROUP_MAX];
	struct wr body = wr_init(bytes, sizeof bytes);
	wr_u8(&body, rare->known);
	wr_u8(&body, rare->adr_limit_exp);
	wr_u8(&body, rare->adr_delay_exp);
	wr_u8(&body, rare->rejoin_time_exp);
	wr_u8(&body, rare->rejoin_count_exp);
	wr_u8(&body, rare->refused_time_exp);
	wr_u32le(&body, rare->beacon_freq_hz);
	wr_u16le(&body, rare->refused_beacon_freq);
	wr_u32le(&body, rare->ping_slot_freq_hz);
	wr_u8(&body, rare->ping_slot_dr);
	wr_u16le(&body, rare->refused_ping_freq);
	wr_u8(&body, rare->refused_ping_dr);
	wr_u8(&body, rare->ping_periodicity);
	wr_u8(&body, rare->device_mode);
	wr_u16le(&body, rare->order);
	wr_u8(&body, rare->order_left);
	write_group(wr, NS_TAIL_RARE, &body);
}

static void read_rare(struct rd *rd, struct ns_sessions *sessions, struct ns_session *session)
{
	struct ns_rare rare = {0};
	rare.known = rd_u8(rd);
	rare.adr_limit_exp = rd_u8(rd);
	rare.adr_delay_exp = rd_u8(rd);
	rare.rejoin_time_exp = rd_u8(rd);
	rare.rejoin_count_exp = rd_u8(rd);
	rare.refused_time_exp = rd_u8(rd);
	rare.beacon_freq_hz = rd_u32le(rd);
	rare.refused_beacon_freq = rd_u16le(rd);
	rare.ping_slot_freq_hz = rd_u32le(rd);
	rare.ping_slot_dr = rd_u8(rd);
	rare.refused_ping_freq = rd_u16le(rd);
	rare.refused_ping_dr = rd_u8(rd);
	rare.ping_periodicity = rd_u8(rd);
	rare.device_mode = rd_u8(rd);
	rare.order = rd_u16le(rd);
	rare.order_left = rd_u8(rd);
	/* Where the table is full the session is taken to have booted: all is asked again. */
	(void)ns_session_set_rare(sessions, session, &rare);
}

static uint32_t hash_of_id(const struct lw_region *region)
{
	uint32_t word = UINT32_C(0x811c9dc5);
	for (const char *at = region->id; *at; at++)
		word = (word ^ (uint8_t)*at) * UINT32_C(0x01000193);
	return word;
}

/* The place that the region has now; one that is configured no more has none. */
static void read_region(struct rd *rd, const struct ns_sessions *sessions, struct ns_session *session)
{
	uint32_t word = rd_u32le(rd);
	uint8_t of_revision = session->region - session->region % NS_REGIONS_MAX;
	if (sessions->region_count == 0)
		return;
	session->region = NS_REGION_GONE;
	for (uint8_t i = 0; i < sessions->region_count; i++)
		if (hash_of_id(&sessions->regions[i]) == word)
			session->region = (uint8_t)(of_revision + i);
}

void ns_session_tail_write(struct wr *wr, const struct ns_sessions *sessions,
			   const struct ns_session *session)
{
	if (session->rare != 0)
		write_rare(wr, ns_session_rare(sessions, session));
	if (session->rj_count0 != 0) {
		uint8_t bytes[2];
		struct wr body = wr_init(bytes, sizeof bytes);
		wr_u16le(&body, session->rj_count0);
		write_group(wr, NS_TAIL_REJOIN, &body);
	}
	if (session->region % NS_REGIONS_MAX < sessions->region_count) {
		uint8_t bytes[4];
		struct wr body = wr_init(bytes, sizeof bytes);
		wr_u32le(&body, hash_of_id(&sessions->regions[session->region % NS_REGIONS_MAX]));
		write_group(wr, NS_TAIL_REGION, &body);
	}
}

bool ns_session_tail_read(struct rd *rd, struct ns_sessions *sessions, struct ns_session *session)
{
	while (rd_left(rd) > 0) {
		uint8_t id = rd_u8(rd), length = rd_u8(rd);
		const uint8_t *bytes = length > 0 ? rd_take(rd, length) : NULL;
		if (!rd_ok(rd))
			return false;
		/* A reader past its end yields zeros: members that the group did not have yet. */
		struct rd body = rd_init(bytes, bytes ? length : 0);
		switch (id) {
		case NS_TAIL_RARE: read_rare(&body, sessions, session); break;
		case NS_TAIL_REJOIN: session->rj_count0 = rd_u16le(&body); break;
		case NS_TAIL_REGION: read_region(&body, sessions, session); break;
		default: break; /* of a later release */
		}
	}
	return rd_ok(rd);
}
