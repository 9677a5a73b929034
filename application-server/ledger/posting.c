#include "application-server/ledger/posting.h"

#define HOUR_US (3600 * US_PER_S)

uint32_t as_hour_of(struct wall at)
{
	return at.us > 0 ? (uint32_t)(at.us / HOUR_US) : 0;
}

uint32_t as_day_of(struct wall at)
{
	return as_hour_of(at) / 24;
}

void as_posting_write(const struct as_posting *posting, struct wr *wr)
{
	wr_u8(wr, (uint8_t)posting->kind);
	wr_u8(wr, (uint8_t)posting->flags);
	wr_u64le(wr, (uint64_t)posting->dev_eui);
	wr_copy(wr, posting->agency.bytes, sizeof posting->agency.bytes);
	wr_u64le(wr, (uint64_t)posting->gateway);
	wr_u64le(wr, (uint64_t)posting->at.us);
	wr_u32le(wr, posting->airtime_us);
	wr_u32le(wr, posting->deaf_us);
	wr_u32le(wr, posting->count);
	wr_u32le(wr, posting->fcnt);
	wr_u32le(wr, posting->missed);
	wr_u32le(wr, posting->repairs);
	wr_u16le(wr, posting->gateways);
	wr_u8(wr, posting->dr);
	wr_u8(wr, posting->spreading_factor);
	wr_u32le(wr, posting->bandwidth_hz);
}

bool as_posting_read(struct rd *rd, struct as_posting *posting)
{
	uint8_t kind = rd_u8(rd);
	posting->flags = rd_u8(rd);
	posting->dev_eui = (int64_t)rd_u64le(rd);
	rd_copy(rd, posting->agency.bytes, sizeof posting->agency.bytes);
	posting->gateway = (int64_t)rd_u64le(rd);
	posting->at.us = (int64_t)rd_u64le(rd);
	posting->airtime_us = rd_u32le(rd);
	posting->deaf_us = rd_u32le(rd);
	posting->count = rd_u32le(rd);
	posting->fcnt = rd_u32le(rd);
	posting->missed = rd_u32le(rd);
	posting->repairs = rd_u32le(rd);
	posting->gateways = rd_u16le(rd);
	posting->dr = rd_u8(rd);
	posting->spreading_factor = rd_u8(rd);
	posting->bandwidth_hz = rd_u32le(rd);
	posting->kind = (enum as_posting_kind)kind;
	return rd_ok(rd) && kind < AS_POST_KIND_COUNT && posting->flags <= AS_POST_FLAGS;
}
