/* Key encryption keys by label and version: those of the configuration's files, and those that came over join.sock and stand sealed
 * in join.db (docs/contract.md). New envelopes are made with the newest version of a label; where files have the label, with the
 * newest of theirs. An envelope says `LABEL` for version 1 and `LABEL.n` from 2 on (common/crypto/sealed_kek.h).
 *
 * An old version is kept on record as long as an envelope of it may be asked for (AppSKeyReq): the session's time is over
 * session_key_days after its last use, known without looking through a million rows. Until then it is not removed unless somebody
 * insists. Uses are counted here, and written once a turn. */
#ifndef LAMPPOST_JOIN_SERVER_KEKS_H
#define LAMPPOST_JOIN_SERVER_KEKS_H

#include "common/lorawan/join_answer.h"
#include "join-server/store.h"

#define JS_KEK_LABELS_MAX   1024 /* that came over join.sock */
#define JS_KEK_VERSIONS_MAX 64   /* of one label */
#define JS_KEKS_ROWS_MAX    4096

struct js_kek {
	char label[LW_KEK_LABEL_MAX + 1];
	uint32_t version;
	bool from_file;    /* its key is in a file of the configuration */
	bool has_key;      /* false: a file that is not named any more */
	struct lw_kek key; /* its label is what the envelope says */
	struct wall since;
	uint64_t uses;
	struct wall last_use; /* 0: none */
	bool changed;         /* its uses are not in the store yet */
};

struct js_keks {
	struct js_kek *rows; /* owned; by label, then version */
	size_t count, capacity;
	bool changed;         /* some row is */
	size_t files_ignored; /* files whose label and version came over join.sock as well: js_keks_clash() */
};

void js_keks_init(struct js_keks *keks);
void js_keks_release(struct js_keks *keks); /* wipes */

/* Reads those that came over join.sock, and opens them. ST_REFUSED: one does not open: the file is damaged. */
enum status js_keks_load(struct js_keks *keks, const struct js_store *store,
			 const struct js_key_vault *vault) MUST_USE;

/* The key that wraps for a label; NULL: there is none. Valid until the next change. */
struct js_kek *js_keks_find(struct js_keks *keks, const char *label);
struct js_kek *js_keks_exact(struct js_keks *keks, const char *label, uint32_t version, bool from_file);
/* Whether an envelope's label is that label's, of whatever version. */
bool js_kek_is_of(const char *envelope_label, const char *label);
/* Adds a row, or takes the place of the one of the same label, version and kind. NULL: there is no room. */
struct js_kek *js_keks_add(struct js_keks *keks, const struct js_kek *kek);
void js_keks_remove(struct js_keks *keks, const char *label, uint32_t version);
/* The first of the files' KEKs whose label and version a KEK has that came over join.sock; NULL: none. An envelope could not say
 * which of the two it is of. */
const struct lw_kek *js_keks_clash(struct js_keks *keks, const struct lw_kek *files, size_t count);
/* The files' KEKs from now on; labels "NAME" and "NAME.n". One that clashes is left out and counted: a reload refuses it before
 * (edge_reload.c), and a start goes on without it. */
void js_keks_set_files(struct js_keks *keks, const struct lw_kek *files, size_t count, struct wall now);
/* It wrapped a key. */
void js_keks_use(struct js_keks *keks, struct js_kek *kek, struct wall now);
/* Writes the uses that are not in the store yet: before the turn's commit. */
enum status js_keks_flush(struct js_keks *keks, const struct js_store *store) MUST_USE;

/* How many versions a label has of those that came over join.sock, and how many such labels there are. */
size_t js_keks_versions(const struct js_keks *keks, const char *label);
size_t js_keks_labels(const struct js_keks *keks);

#endif
