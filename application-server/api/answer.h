/* Answers of the API: bodies and problems. Each function fills an empty answer. */
#ifndef LAMPPOST_AS_ANSWER_H
#define LAMPPOST_AS_ANSWER_H

#include "application-server/api/api.h"
#include "common/text/record_schema.h"

/* Takes `body`; NULL stands for no memory and answers 500. */
void as_answer_json(struct as_answer *answer, int status, json_t *body);
/* `field` NULL: about the whole call. */
void as_answer_problem(struct as_answer *answer, int status, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* 422 with every problem found. */
void as_answer_problems(struct as_answer *answer, const struct record_problems *problems);
/* The store failed: the turn will not commit. */
void as_answer_failed(struct as_answer *answer, enum status status);
void as_answer_not_found(struct as_answer *answer, const struct record_schema *schema);
void as_answer_forbidden(struct as_answer *answer);

/* 400: where the body breaks, and why in jansson's words; what it quotes of the body is left out. */
void as_answer_not_json(struct as_answer *answer, int line, int column, const char *why);
/* Gives a body's JSON; NULL with 400. The answer says where it breaks and never repeats what stands there: that may be
 * a key. */
json_t *as_body_parse(const uint8_t *bytes, size_t length, struct as_answer *answer);
/* Reads `limit` (1 to 1,000; 100 without one); false with an answer. */
bool as_call_limit(const struct as_call *call, struct as_answer *answer, unsigned *limit);
/* Reads `after`, the place in a table that a list gave (0: none); false with an answer. */
bool as_call_place(const struct as_call *call, struct as_answer *answer, uint64_t *place);
const char *as_call_query(const struct as_call *call, const char *name);
/* False with an answer unless the body is an object. */
bool as_call_has_object(const struct as_call *call, struct as_answer *answer);

#endif
