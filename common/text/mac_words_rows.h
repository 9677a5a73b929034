/* The tables behind mac_words.h, for it and for the test that walks them. */
#ifndef LAMPPOST_TEXT_MAC_WORDS_ROWS_H
#define LAMPPOST_TEXT_MAC_WORDS_ROWS_H

#include "common/text/mac_words.h"

/* Lend all rows. */
const struct mac_command_words *mac_words_commands(size_t *count);
const struct mac_field_words *mac_words_fields(size_t *count);

#endif
