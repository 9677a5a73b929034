#include "application-server/store_items_private.h"

#define COLUMNS                                                                                    \
	"row, item, dev_eui, agency, fport, length, confirmed, priority, expires_at, encrypted, "  \
	"fcnt_given, digest, status, ended, flush, fcnt_down, gateway, tries, cause, created_at, " \
	"changed_at, payload"
const char *const as_sql_items[] = {
	[ITEM_PUT] =
		"INSERT INTO downlinks (item, dev_eui, agency, fport, length, confirmed, priority, "
		"expires_at, encrypted, fcnt_given, digest, payload, status, ended, cause, created_at, "
		"changed_at, row, airtime_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
		"?13, ?14, '', ?15, ?15, ?16, ?17)",
	[ITEM_GET] = "SELECT " COLUMNS " FROM downlinks WHERE item = ?1",
	[ITEM_MOVE] = "UPDATE downlinks SET status = ?2, ended = ?3, fcnt_down = coalesce(?4, fcnt_down), "
		      "gateway = coalesce(?5, gateway), tries = max(tries, ?6), cause = ?7, changed_at = ?8, "
		      "payload = CASE WHEN ?3 THEN x'' ELSE payload END WHERE item = ?1",
	[ITEM_SHED] = "DELETE FROM downlinks WHERE dev_eui = ?1 AND ended = 1 AND row <= (SELECT row FROM "
		      "downlinks WHERE dev_eui = ?1 AND ended = 1 ORDER BY row DESC LIMIT 1 OFFSET ?2)",
	[CHANGE_PUT] =
		"INSERT INTO downlink_changes (item, event, time, status, cause, fcnt_down, gateway, tries) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[CHANGE_SHED] =
		"DELETE FROM downlink_changes WHERE item = ?1 AND row <= (SELECT row FROM downlink_changes "
		"WHERE item = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)",
	[CHANGE_KNOWN] = "SELECT 1 FROM downlink_changes WHERE item = ?1 AND event = ?2",
	[HISTORY] = "SELECT event, time, status, cause, fcnt_down, gateway, tries FROM downlink_changes "
		    "WHERE item = ?1 ORDER BY row",
	[WAITING] = "SELECT count(*) FROM downlinks WHERE dev_eui = ?1 AND ended = 0",
	[WAITING_OF_AGENCY] = "SELECT waiting FROM downlink_counts WHERE agency = ?1",
	[AIRTIME] = "SELECT sum(airtime_us) FROM downlinks WHERE dev_eui = ?1 AND ended = 0",
	[AIRTIME_OF_AGENCY] = "SELECT airtime_us FROM downlink_counts WHERE agency = ?1",
	[QUEUED] = "SELECT " COLUMNS
		   " FROM downlinks WHERE ended = 0 AND status <= 1 AND row > ?1 ORDER BY row LIMIT ?2",
	[FLUSHING] = "SELECT " COLUMNS
		     " FROM downlinks WHERE flush > 0 AND ended = 0 AND flush > ?1 ORDER BY flush LIMIT ?2",
	[FLUSH_LAST] = "SELECT max(flush) FROM downlinks WHERE flush > 0 AND ended = 0",
	[FLUSH_NEXT] =
		"SELECT item FROM downlinks WHERE dev_eui = ?1 AND ended = 0 AND flush = 0 AND (?2 IS NULL "
		"OR item = ?2) LIMIT 1",
	[FLUSH_ONE] = "UPDATE downlinks SET flush = ?2 WHERE item = ?1",
	[FLUSHING_COUNT] =
		"SELECT count(*) FROM downlinks WHERE dev_eui = ?1 AND ended = 0 AND flush > 0 AND (?2 IS "
		"NULL OR item = ?2)",
	[LIST] = "SELECT " COLUMNS " FROM downlinks WHERE dev_eui = ?3 AND row < ?4 AND (?5 >> status & 1) "
		 "AND " AS_SCOPE_OF_AGENCY " ORDER BY row DESC",
	[ITEMS_LAST] = "SELECT max(row) FROM downlinks",
	[ITEMS_PRUNE] =
		"DELETE FROM downlinks WHERE row > ?1 AND row <= ?2 AND (ended = 1 OR status = 2) AND "
		"changed_at < ?3",
};
const int as_sql_items_count = ITEM_STATEMENTS;

_Static_assert(NET_ITEM_QUEUED == 0 && NET_ITEM_PLANNED == 1 && NET_ITEM_SENT == 2, "the SQL above says so");
