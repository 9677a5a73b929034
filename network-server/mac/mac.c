#include "network-server/mac/mac.h"

struct row {
	uint8_t cid;
	bool on_repeat; /* the device asks: answered again when it repeats the frame */
	void (*handle)(struct ns *ns, struct now now, struct ns_uplink *uplink,
		       const struct lw_mac_command *command);
};

static const struct row rows[] = {
	{LW_CID_RESET, true, ns_mac_reset},
	{LW_CID_LINK_CHECK, true, ns_mac_link_check},
	{LW_CID_LINK_ADR, false, ns_mac_link_adr_ans},
	{LW_CID_RX_TIMING_SETUP, false, ns_mac_rx_timing_ans},
	{LW_CID_REKEY, true, ns_mac_rekey},
	{LW_CID_DEVICE_TIME, true, ns_mac_device_time},
};

static const struct row *find(uint8_t cid)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].cid == cid)
			return &rows[i];
	return NULL;
}

void ns_mac_handle(struct ns *ns, struct now now, struct ns_uplink *uplink)
{
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	uplink->session->flags = (uint8_t)(uplink->session->flags & ~NS_SESSION_STICKY);
	lw_mac_reader_init(&reader, LW_UP, uplink->commands, uplink->commands_length,
			   uplink->region->freq_step_hz);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND) {
		const struct lw_mac_row *known = lw_mac_row_find(LW_UP, command.cid);
		if (known && known->repeat == LW_MAC_UNTIL_DOWNLINK)
			uplink->session->flags |= NS_SESSION_STICKY;
		const struct row *row = find(command.cid);
		if (!row)
			ns_count(ns, NS_DROP_MAC_UNEXPECTED);
		else if (row->on_repeat || !uplink->repeat)
			row->handle(ns, now, uplink, &command);
	}
	if (reader.stopped != LW_MAC_READ_END && reader.stopped != LW_MAC_READ_COMMAND)
		ns_count(ns, NS_DROP_MAC_UNKNOWN);
}

bool ns_mac_has_requests(const struct ns *ns, const struct ns_session *session,
			 const struct ns_profile *profile)
{
	return session->mac_tries < NS_MAC_TRIES &&
	       ((session->flags & NS_SESSION_SETTLE) || ns_mac_wants_rx_timing(ns, session, profile));
}

bool ns_mac_requests(struct ns *ns, struct ns_session *session, const struct ns_profile *profile,
		     struct wr *wr)
{
	if (!ns_mac_has_requests(ns, session, profile))
		return false;
	bool sent = false;
	if (session->flags & NS_SESSION_SETTLE)
		sent |= ns_mac_link_adr_req(ns, session, wr);
	if (ns_mac_wants_rx_timing(ns, session, profile))
		sent |= ns_mac_rx_timing_req(ns, session, profile, wr);
	if (sent)
		session->mac_tries++;
	return sent;
}

void ns_mac_answer(struct ns *ns, struct ns_uplink *uplink, const struct lw_mac_command *command)
{
	(void)ns;
	struct ns_answer *answer = &uplink->answer;
	struct wr wr = wr_init(answer->answers + answer->answers_length,
			       NS_ANSWERS_MAX - answer->answers_length);
	if (lw_mac_write(&wr, command, uplink->region->freq_step_hz) == LW_MAC_WRITE_OK)
		answer->answers_length = (uint8_t)(answer->answers_length + wr_length(&wr));
}
