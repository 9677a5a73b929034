/* Creating and changing one record, as the single calls and the import do it: first everything is checked and prepared,
 * then it is written, and what was prepared cannot be refused any more but by a race that one thread does not have. */
#ifndef LAMPPOST_AS_RECORDS_H
#define LAMPPOST_AS_RECORDS_H

#include "application-server/api/resolve.h"

struct as_prepared {
	enum record_kind kind;
	bool create;
	json_t *record; /* owned: whole and resolved */
	json_t *keys;   /* owned: secrets to be set, by field; NULL: none */
};
void as_prepared_release(struct as_prepared *prepared);

enum as_prepare_verdict {
	AS_PREPARED,
	AS_PROBLEMS,  /* in `problems` */
	AS_FORBIDDEN, /* seen, but not the caller's to change */
	AS_TAKEN,     /* EUI or slug, `problems` says which field */
	AS_STORE_FAILED
};

/* `stored` NULL: a new record from all that the client sent; else the changes of that record. */
enum as_prepare_verdict as_prepare(struct as_api *api, struct as_resolver *resolver, enum record_kind kind,
				   const json_t *sent, const json_t *stored, struct as_prepared *prepared,
				   struct record_problems *problems);
/* Gives what a row of an import says of a device that is there: what may not change must be as it is, the rest are changes. */
json_t *as_device_changes(const json_t *sent, const json_t *stored, struct record_problems *problems);
/* Whether its AppSKey, if it has one, is sealed to this process and for this device; else a problem. */
bool as_prepared_opens(struct as_api *api, const struct as_prepared *prepared,
		       struct record_problems *problems);
/* Writes it. AS_PROBLEMS: the AppSKey does not open; AS_TAKEN: a slug. Nothing else was written then. */
enum as_prepare_verdict as_write_prepared(struct as_api *api, struct now now,
					  const struct as_prepared *prepared,
					  struct record_problems *problems);
/* The answer of a verdict other than AS_PREPARED. */
void as_answer_verdict(struct as_answer *answer, enum as_prepare_verdict verdict,
		       const struct record_problems *problems);

/* Says in `note` when a change of who holds the keys takes effect; `stored` as it was before, or NULL. */
void as_add_custody_note(enum record_kind kind, const json_t *stored, json_t *record);

#endif
