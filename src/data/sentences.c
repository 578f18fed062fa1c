/* Text drawn by the program, to learn language on without a file. The sentences are English to look at, out of 102
 * words, and what makes them a lesson is agreement: a verb's form follows its subject's number, which may stand a
 * relative clause away, with a noun of the other number between the two ("the dogs that the farmer sees sleep"). A
 * model learns the letters' frequencies first, then words, then which word may follow, and this last.
 *
 * How much there is to learn, in bits a character: 4.907 when nothing is known (30 characters), 4.24 with their
 * frequencies, 2.79 with the character before, and 0.701 with the grammar, which no model can better over a long text
 * (0.486 nats, as cross_entropy counts; one that begins within a sentence pays for not having seen its beginning).
 * The grammar gives each sentence in one way only and a full stop ends each, so that is exact: the choices made for a
 * sentence weigh 37.41 bits on average, and its length is 53.34. No rule leads back to itself: no sentence is longer
 * than 183 characters.
 *
 * Sentence k is drawn from a Philox key of its own, so that a text is the beginning of any longer one. */
#include "data/sentences.h"

#include <string.h>

#include "base/random.h"
#include "base/str.h"
#include "data/source.h"

enum { COUNT, SEED, LENGTH };              /* the parameters, in order */
#define TEXT_LIMIT 1e8                     /* characters */

#define RULE(letter) [(letter) - 'A']
const char *const vg_sentence_rules[26] = {
    RULE('T') = "3C. |C.\n",                                          /* a sentence, and what follows it */
    RULE('C') = "6L|2L, and L|L, but L|when L, L",
    RULE('L') = "S V|P W",                                            /* singular, plural; so in pairs below */
    RULE('S') = "4D|2D Q O|D that F O|D that Z",                      /* a subject */
    RULE('P') = "4E|2E Q O|E that G O|E that Z",
    RULE('Z') = "D F|E G",                                            /* ... that the farmer sees */
    RULE('D') = "3the N|2a N|2the A N|a A N|every N|this N",
    RULE('E') = "3the M|2some M|2the A M|many A M|these M|two M",
    RULE('O') = "D|E",                                                /* an object, of any number */
    RULE('V') = "3I|2I H|4F O|does not J|is A|is Q O",                /* what it does */
    RULE('W') = "3J|2J H|4G O|do not J|are A|are Q O",
    RULE('N') = "dog|cat|bird|fox|king|queen|child|mouse|teacher|farmer|horse|zebra|judge|friend|baker|painter",
    RULE('M') = "dogs|cats|birds|foxes|kings|queens|children|mice|teachers|farmers|horses|zebras|judges|friends|bakers"
                "|painters",
    RULE('F') = "sees|likes|follows|helps|knows|watches|finds|remembers",
    RULE('G') = "see|like|follow|help|know|watch|find|remember",
    RULE('I') = "sleeps|sings|jumps|waits|laughs|runs|dances|swims",
    RULE('J') = "sleep|sing|jump|wait|laugh|run|dance|swim",
    RULE('A') = "big|small|quick|lazy|happy|brave|quiet|young|clever|tired",
    RULE('H') = "now|here|well|today|again|slowly",
    RULE('Q') = "near|behind|with|beside|under",
};
#undef RULE

bool vg_sentences_describe(vg_dataset *set, vg_data_error *error) {
    static const char alphabet[] = VG_SENTENCE_ALPHABET;
    enum { CLASSES = sizeof alphabet - 1 };
    uint32_t codes[CLASSES];
    if (!vg_argument_whole(set, COUNT, 1, VG_COUNT_LIMIT, error)
        || !vg_argument_whole(set, SEED, 0, VG_SEED_LIMIT, error)
        || !vg_argument_whole(set, LENGTH, 1, VG_LENGTH_LIMIT, error)) {
        return false;
    }
    double count = vg_argument_number(set, COUNT), length = vg_argument_number(set, LENGTH);
    if (count * length > TEXT_LIMIT) {
        char shown[32], most[32];
        return vg_data_refuse(error, "count * length, the characters to draw, is %s, and the limit %s",
                              vg_number_text(shown, count * length), vg_number_text(most, TEXT_LIMIT));
    }
    for (uint32_t k = 0; k < CLASSES; k++) {
        codes[k] = (uint32_t)alphabet[k];
    }
    vg_characters_describe(set, (uint32_t)count, (uint32_t)length, codes, CLASSES);
    return true;
}

/* Where the text is being written, and the numbers of the sentence that is. */
typedef struct writer {
    uint8_t       class_of[128];
    uint8_t      *at, *end;
    vg_random_key key;
    uint64_t      drawn;
} writer;

/* Takes the weight in front of an alternative off. */
static uint32_t weight_of(const char **alternative) {
    return **alternative >= '0' && **alternative <= '9' ? (uint32_t)(*(*alternative)++ - '0') : 1;
}

static const char *draw_alternative(writer *w, const char *rule) {
    uint32_t all = 0, weight;
    const char *at = rule;
    for (const char *next = rule; next; next = strchr(at, '|')) {
        at = next + (next > rule);
        all += weight_of(&at);
    }
    uint32_t chosen = (uint32_t)vg_random_below(w->key, w->drawn++, all);
    for (at = rule; (weight = weight_of(&at)) <= chosen; at = strchr(at, '|') + 1) {
        chosen -= weight;
    }
    return at;
}

/* As deep as the grammar is; what does not fit into the text is left out. */
static void write_rule(writer *w, char letter) {
    const char *c = draw_alternative(w, vg_sentence_rules[letter - 'A']);
    for (; *c && *c != '|' && w->at < w->end; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            write_rule(w, *c);
        } else {
            *w->at++ = w->class_of[(uint8_t)*c];
        }
    }
}

bool vg_sentences_load(vg_dataset *set, vg_data_error *error) {
    (void)error;
    static const char name[] = "sentences", alphabet[] = VG_SENTENCE_ALPHABET;
    writer w = { .at = vg_characters_alloc(set) };
    w.end = w.at + (size_t)set->count * set->columns[VG_NOW].shape[0] + 1;
    w.key.stream = vg_hash_bytes(name, sizeof name - 1, (uint64_t)vg_argument_number(set, SEED));
    for (uint8_t k = 0; alphabet[k]; k++) {
        w.class_of[(uint8_t)alphabet[k]] = k;
    }
    for (; w.at < w.end; w.key.turn++, w.drawn = 0) {
        write_rule(&w, 'T');
    }
    return true;
}
