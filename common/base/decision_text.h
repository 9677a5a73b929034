/* What a decision means: the rules (rows of tables), and a record made into a sentence or into JSON.
 *
 * A rule's sentence is a template. A placeholder is `{name:where:how}`, or one of {device} {gateway} {frame} {item}:
 *
 *	name    of the number, in JSON; it ends in its unit where it has one (freq_hz, snr_db, late_ms)
 *	where   a, b (32 bits), c (16); al ah bl bh (halves); a0 to a3, b0 to b3, c0 c1 (bytes);
 *	        a0l a0h ... (lower and upper four bits); ab (64 bits, a above b, an EUI)
 *	how     left out (or `number`): unsigned. Otherwise        in the sentence    in JSON
 *	  signed                                                 -3                 -3
 *	  hz                                                     868.1 MHz          868100000
 *	  dbm     signed                                         -117 dBm           -117
 *	  db      signed hundredths of a decibel; the least      -7.25 dB           -7.25
 *	          value of its width: unknown                    unknown            null
 *	  ms, s, days                                            120 ms, 5 s        120, 5
 *	  us      microseconds                                   61.7 ms            61696
 *	  dr                                                     DR5                5
 *	  bytes, percent                                         12 bytes, 5 %      12, 5
 *	  min     minutes                                  12 min             12
 *	  ip      an IPv4 address; 0 stands for IPv6       10.0.0.5           "10.0.0.5", null
 *	  addr    a DevAddr; is also the record's `dev_addr`     26012f4a           "26012f4a"
 *	  eui     of ab                                          0004a30b001c0530   "0004a30b001c0530"
 *	  hex     of the field's width                           0x8f               "0x8f"
 *	  word    an index of the rule's `words`                 LinkADR            "LinkADR"
 *	  rule    table × 256 + verdict, of the same book        tx too late        "tx_too_late"
 *	  count NOUN                                             3 gateways         3
 *
 *	"Counter {fcnt:a} was used before; {expected:b} or more was expected."
 *
 * A number that may be absent says so by all bits set with ` or none` after `how` (`{limit_s:a:s or none}`): "none",
 * null. */
#ifndef LAMPPOST_BASE_DECISION_TEXT_H
#define LAMPPOST_BASE_DECISION_TEXT_H

#include "common/base/decision.h"
#include "common/base/log.h"

#include <stdio.h>

#define DECISION_TEXT 640 /* of a sentence, NUL included; checked by decision_check() */

/* What a rule means to whoever asks why. A summary names problems alone, and its next step is a problem's. */
enum decision_kind {
	DECISION_GOOD,   /* as one wishes it */
	DECISION_GOING,  /* on its way, or everyday life; its `next` is for the case that it goes on and on */
	DECISION_PROBLEM /* somebody may have to do something */
};
const char *decision_kind_name(enum decision_kind kind); /* "good", "going_on", "problem" */

/* Level and kind of a rule's row in one word: what is logged as debug is everyday life, and what is logged louder is a problem,
 * unless the row says otherwise. */
#define DECISION_AS_DEBUG         LOG_LEVEL_DEBUG, DECISION_GOING
#define DECISION_AS_DEBUG_GOOD    LOG_LEVEL_DEBUG, DECISION_GOOD
#define DECISION_AS_DEBUG_PROBLEM LOG_LEVEL_DEBUG, DECISION_PROBLEM
#define DECISION_AS_INFO          LOG_LEVEL_INFO, DECISION_PROBLEM
#define DECISION_AS_INFO_GOOD     LOG_LEVEL_INFO, DECISION_GOOD
#define DECISION_AS_INFO_GOING    LOG_LEVEL_INFO, DECISION_GOING
#define DECISION_AS_WARN          LOG_LEVEL_WARN, DECISION_PROBLEM
#define DECISION_AS_WARN_GOING    LOG_LEVEL_WARN, DECISION_GOING
#define DECISION_AS_ERROR         LOG_LEVEL_ERROR, DECISION_PROBLEM

struct decision_rule {
	const char *name; /* snake case, unique in its process */
	enum log_level level;
	enum decision_kind kind;
	const char *sentence;     /* which rule decided what, with its numbers */
	const char *next;         /* what a person does next; "" where nothing is to be done */
	const char *const *words; /* for `word`; ends with NULL. May be NULL */
};

struct decision_table {
	const char *name; /* "uplink" */
	const struct decision_rule *rules;
	unsigned count;
};

/* Every table of a process; a record's `table` is the index. */
struct decision_book {
	const char *process; /* "network-server" */
	const struct decision_table *tables;
	unsigned count;
};

/* Whom a record names, as its owner knows them now; "" where unknown. */
struct decision_names {
	char device[17], gateway[17];
	char dev_addr[9]; /* "" takes it from a number that is an address */
	char item[37];    /* "" gives the eight digits that the record has */
};

/* Lends the rule; NULL for a record of no row (a bug, but one that must not end a process that explains). */
const struct decision_rule *decision_rule(const struct decision_book *book, const struct decision *decision);
/* Fills `text` with the sentence; returns its length. Unknown names are said as "a gateway", "the device"... */
size_t decision_say(char text[DECISION_TEXT], const struct decision_book *book,
		    const struct decision *decision, const struct decision_names *names);
/* Writes one JSON object: time, process, verdict, level, kind, sentence, next, numbers, and device, gateway, dev_addr, frame
 * (eight digits in the order on air) and item where there is one. */
void decision_json(FILE *out, const struct decision_book *book, const struct decision *decision,
		   const struct decision_names *names);
/* Writes {"rules":[{"process","table","verdict","level","kind","sentence","next"}]} of a book; sentences as templates. */
void decision_rules_json(FILE *out, const struct decision_book *book);

/* For tests: what is wrong with a book (a name that is no name or stands twice, a placeholder that cannot be, a sentence
 * that does not end, no words) as a sentence with the row's name in `fault`; returns whether nothing is. */
bool decision_check(const struct decision_book *book, char *fault, size_t capacity);
/* For tests: fills a record of a rule with a different, possible number in each field. */
void decision_sample(const struct decision_book *book, unsigned table, unsigned verdict,
		     struct decision *decision);

#endif
