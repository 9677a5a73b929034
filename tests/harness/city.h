/* An application server without sockets: its store in memory, its keys made on the spot, its API called directly.
 *
 *	struct t_city *city = t_city_new();
 *	int status = t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies", "{\"slug\":\"parks\",\"name\":\"Parks\"}");
 *	t_int("created", 201, status);
 *	t_city_answer(city)   the body, until the next call */
#ifndef LAMPPOST_TESTS_CITY_H
#define LAMPPOST_TESTS_CITY_H

#include "application-server/api/api.h"

#define T_SEALED_TEXT 128

struct t_city {
	struct as_store *store;
	struct as_keys keys;
	struct secret_box *join_box, *network_box;
	struct as_application app;
	struct as_joins joins;
	struct as_api api;
	struct rng rng;
	struct as_answer answer;
	struct now now;
	const char *who; /* calls, for the audit; NULL at first */
};

extern const struct as_scope t_city_admin;

struct t_city *t_city_new(void);
/* In two files; keys are its own nevertheless. */
struct t_city *t_city_new_at(const char *city_path, const char *readings_path);
void t_city_free(struct t_city *city);
/* Calls a path with an optional query ("...?limit=2") and an optional body, and commits. Returns the HTTP status; 0: no
 * route. */
int t_city_call(struct t_city *city, const struct as_scope *scope, const char *method, const char *target,
		const char *body);
/* Takes the call that was answered with "later" to its end; returns the HTTP status. */
int t_city_finish(struct t_city *city);
/* Begins an import and takes it to its end; returns the HTTP status. */
int t_city_import(struct t_city *city, const struct as_scope *scope, const char *body);
/* One turn of the import that goes on, committed. True: it is over, the answer is there. */
bool t_city_turn(struct t_city *city);
const json_t *t_city_answer(const struct t_city *city);
/* A text member of the answer; "" when there is none. */
const char *t_city_text(const struct t_city *city, const char *member);
/* Registers agency `parks`, application `meters`, profile `probe` (EU868, 1.0.4, codec) and OTAA device
 * 0102030405060708, as the administrator. */
void t_city_furnish(struct t_city *city);
/* The scope of an agency's manager or reader. */
struct as_scope t_city_scope(struct t_city *city, enum as_role role, const char *agency);
/* Fills the base64 of a key sealed to a box. */
const char *t_seal(char text[T_SEALED_TEXT], const struct secret_box *box, int kind, const char *dev_eui,
		   const char *key_hex);

#endif
