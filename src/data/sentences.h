/* The grammar of the drawn sentences. */
#ifndef VG_DATA_SENTENCES_H
#define VG_DATA_SENTENCES_H

/* The characters in order: a character's class is its place. */
#define VG_SENTENCE_ALPHABET "\n ,.abcdefghijklmnopqrstuvwxyz"

/* By letter: what 'A'..'Z' stands for, as alternatives with '|' between them. A digit before one is how many times as
 * likely as one without it is. A capital in it is replaced in turn, all else is written as it is. NULL: not used. */
extern const char *const vg_sentence_rules[26];

#endif
