/* An entry of a map whose value is a group of its own (struct option's `words`), as one line of words:
 *
 *	peers:
 *	  city-b: {certificate: ns.city-b.example, net_ids: [000013, 000014]}
 *
 * is kept, printed and may be written as "certificate=ns.city-b.example net_ids=000013,000014". A word is a name, '=' and a
 * value without blanks; a list's items have commas between. Pure. */
#ifndef LAMPPOST_BASE_OPTION_WORDS_H
#define LAMPPOST_BASE_OPTION_WORDS_H

#include "common/base/options.h"

#define OPTION_WORD_NAME 24 /* with NUL */

struct option_word {
	char name[OPTION_WORD_NAME];
	char value[OPTION_PATH_MAX];
};

/* Reads the word at *at and moves *at behind it. False at the end, and at what is not a word: *at then stands on it
 * (not on NUL). */
bool option_word_next(const char **at, struct option_word *word);
/* Takes the next item of a list's value into `item`; false at its end, and where an item is empty or does not fit. */
bool option_word_item(const char **at, char *item, size_t capacity);
/* Appends one word to a line. False: the line is full, or the name or value is not that of a word. */
bool option_word_append(char line[OPTION_VALUE_MAX], const char *name, const char *value);
/* Appends one more item to the line's last word. */
bool option_word_append_item(char line[OPTION_VALUE_MAX], const char *value);

#endif
