#include "application-server/api/import_euis.h"

#include "application-server/api/import_body.h"
#include "common/base/check.h"
#include "common/lorawan/types.h"

#define DIGITS 16 /* of the shortest spelling */

void as_import_euis_init(struct as_import_euis *euis, size_t length, struct rng *rng)
{
	size_t most = length / DIGITS + 1;
	table_init(&euis->table, most < AS_IMPORT_ROWS_MAX ? most : AS_IMPORT_ROWS_MAX,
		   sizeof(struct lw_eui64), sizeof(struct lw_eui64), rng);
}

void as_import_euis_release(struct as_import_euis *euis)
{
	table_release(&euis->table);
}

bool as_import_euis_again(struct as_import_euis *euis, const char *text)
{
	struct lw_eui64 eui;
	bool made;
	if (!text || !lw_eui64_parse(text, &eui))
		return false;
	const void *entry = table_put(&euis->table, &eui, &made);
	ASSERT(entry != NULL); /* no more rows than the room was made for */
	return !made;
}
