/* Sources of characters: text (good files and every kind of bad one), sentences, and what they share. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/sentences.h"
#include "data_fixture.h"
#include "memory_fixture.h"


static vg_dataset book(fixture *f, double length) {
    return (vg_dataset){ .mem = &f->mem, .source = row_of("text"), .folder = f->folder, .test = -1, .arguments = {
        { .text = "book", .given = true }, { .number = length, .given = true } } };
}

static vg_dataset sentences(fixture *f, double count, double seed, double length) {
    return (vg_dataset){ .mem = &f->mem, .source = row_of("sentences"), .folder = "", .test = -1, .arguments = {
        { .number = count, .given = true }, { .number = seed, .given = true }, { .number = length, .given = true } } };
}

static void load(fixture *f, vg_dataset *set) {
    if (!vg_dataset_describe(set, &f->error) || !vg_dataset_load(set, &f->error)) {
        fail_msg("%s", f->error.text);
    }
}

/* A column of all examples behind each other, as text. */
static char *text_of(fixture *f, const vg_dataset *set, uint32_t column) {
    uint32_t length = set->columns[column].shape[0];
    int32_t *ids = vg_mem_alloc(&f->mem, length * sizeof *ids);
    vg_text all = vg_text_new(&f->mem);
    for (uint32_t i = 0; i < set->count; i++) {
        vg_dataset_gather(set, column, &i, 1, ids, false);
        for (uint32_t k = 0; k < length; k++) {
            assert_true(ids[k] >= 0 && (uint32_t)ids[k] < set->classes);
            const char *character = set->class_texts[ids[k]];
            vg_text_add(&all, character, strlen(character));
        }
    }
    return all.text;
}

/* ---- text */

static void test_text(void **state) {
    fixture *f = *state;
    static const struct { const char *text, *now, *next, *classes; double length; uint32_t count; } rows[] = {
        { "abcdefg", "abcdef", "bcdefg", "abcdefg", 3, 2 },        /* not the overlapping bcd, cde ... */
        { "abcdef", "abc", "bcd", "abcdef", 3, 1 },                /* what is left out counts among the classes */
        { "ab", "a", "b", "ab", 1, 1 },
        { "zebra\n", "zebra", "ebra\n", "\naberz", 1, 5 },
        { "gr\u00fc\u00df\u20ac\U0001f600x", "gr\u00fc\u00df\u20ac\U0001f600", "r\u00fc\u00df\u20ac\U0001f600x",
          "grx\u00df\u00fc\u20ac\U0001f600", 2, 3 },               /* a code point is one character, in their order */
        { "a\r\n\tb", "a\r\n\t", "\r\n\tb", "\t\n\rab", 4, 1 },    /* kept as they are */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file(f, "book", rows[i].text, strlen(rows[i].text));
        vg_dataset set = book(f, rows[i].length);
        load(f, &set);
        vg_text classes = vg_text_new(&f->mem);
        for (uint32_t k = 0; k < set.classes; k++) {
            vg_text_format(&classes, "%s", set.class_texts[k]);
        }
        assert_string_equal(vg_text_c(&classes), rows[i].classes);
        assert_int_equal(set.count, rows[i].count);
        assert_int_equal(set.column_count, 2);
        assert_string_equal(set.columns[0].name, "now");
        assert_string_equal(set.columns[1].name, "next");
        for (uint32_t k = 0; k < 2; k++) {
            assert_int_equal(set.columns[k].rank, 1);
            assert_int_equal(set.columns[k].shape[0], rows[i].length);
            assert_int_equal(set.columns[k].dtype, VG_I32);
            assert_int_equal(set.columns[k].classes, set.classes);
            assert_string_equal(text_of(f, &set, k), k ? rows[i].next : rows[i].now);
        }
    }
}

/* More classes than a byte can number: the letters of 300 code points, twice. */
static void test_many_classes(void **state) {
    fixture *f = *state;
    char bytes[4096];
    size_t length = 0;
    for (uint32_t k = 0; k < 600; k++) {
        length += vg_utf8_encode(0x4e00 + k * 7 % 300, bytes + length);
    }
    write_file(f, "book", bytes, length);
    vg_dataset set = book(f, 599);
    load(f, &set);
    assert_int_equal(set.classes, 300);
    assert_int_equal(set.count, 1);
    int32_t now[599], next[599];
    uint32_t first = 0;
    vg_dataset_gather(&set, 0, &first, 1, now, false);
    vg_dataset_gather(&set, 1, &first, 1, next, true);
    for (uint32_t k = 0; k < 599; k++) {
        assert_int_equal(now[k], k * 7 % 300);
        assert_int_equal(next[k], (k + 1) * 7 % 300);
    }
}

static void test_bad_texts(void **state) {
    fixture *f = *state;
#define BYTES(text) (text), sizeof(text) - 1
#define NOT_UTF8(place) "is not a text in UTF-8: byte " place ", begins no character; iconv converts texts"
    static const struct { const char *bytes; size_t length; const char *text; } rows[] = {
        { BYTES(""), "is empty: a text was expected" },
        { BYTES("abcd"), "has 4 characters, fewer than the 5 of an example: its length, and one more to come next" },
        { BYTES("\u00e4\u00f6\u00fc"), "has 3 characters, fewer than the 5 of an example: its length, and one more to "
                                       "come next" },
        { BYTES("ab\ncd\nef\xff"), NOT_UTF8("8 (line 3), ff") },
        { BYTES("caf\xe9 au lait"), NOT_UTF8("3 (line 1), e9") },
        { BYTES("\n\nabcdef\xe2\x82"), NOT_UTF8("8 (line 3), e2") },
        { BYTES("abcdef\xc0\x80"), NOT_UTF8("6 (line 1), c0") },   /* overlong */
        { BYTES("abcdef\xed\xa0\x80"), NOT_UTF8("6 (line 1), ed") },
        { BYTES("abcdef\xf4\x90\x80\x80"), NOT_UTF8("6 (line 1), f4") },
        { BYTES("ab\ncd\0ef"), "is not a text: byte 5 (line 2) is NUL" },
        { BYTES("\0abcdef"), "is not a text: byte 0 (line 1) is NUL" },
    };
#undef BYTES
#undef NOT_UTF8
    for (size_t i = 0; i < COUNT(rows); i++) {
        char wanted[256];
        write_file(f, "book", rows[i].bytes, rows[i].length);
        vg_dataset set = book(f, 4);
        assert_false(vg_dataset_describe(&set, &f->error));
        assert_false(f->error.argument);
        snprintf(wanted, sizeof wanted, "'%s/book' %s", f->folder, rows[i].text);
        assert_string_equal(f->error.text, wanted);
        assert_int_equal(set.column_count, 2);             /* what is known of it without the file */
        assert_int_equal(set.columns[1].shape[0], 4);
        assert_int_equal(set.classes, 0);
    }
}

static void assert_no_text(fixture *f, const char *name, const char *why) {
    char wanted[256];
    vg_dataset set = book(f, 4);
    set.arguments[0].text = name;
    assert_false(vg_dataset_describe(&set, &f->error));
    assert_false(f->error.argument);
    snprintf(wanted, sizeof wanted, "'%s%s%s' %s", *name == '/' ? "" : f->folder, *name == '/' ? "" : "/", name, why);
    assert_string_equal(f->error.text, wanted);
}

static void test_files_that_cannot_be_read(void **state) {
    fixture *f = *state;
    char path[128];
    assert_no_text(f, "nowhere", "cannot be read: No such file or directory");
    assert_no_text(f, ".", "is not a file but a folder");
    assert_no_text(f, "/nowhere/at all", "cannot be read: No such file or directory");
    write_file(f, "book", "abcdef", 6);
    snprintf(path, sizeof path, "%s/book", f->folder);
    assert_int_equal(truncate(path, 1000000001), 0);       /* a hole, which takes no room */
    size_t before = f->mem.peak;
    assert_no_text(f, "book", "is larger than 1 GB, which is the limit of a text");
    assert_true(f->mem.peak - before < 1000000);           /* and nothing was made ready for it */
    if (geteuid() != 0) {
        assert_int_equal(chmod(path, 0), 0);
        assert_no_text(f, "book", "cannot be read: Permission denied");
    }
}

/* The file may go, or change, once it is described. */
static void test_a_text_is_read_once(void **state) {
    fixture *f = *state;
    write_file(f, "book", "abcdefg", 7);
    vg_dataset set = book(f, 3);
    assert_true(vg_dataset_describe(&set, &f->error));
    write_file(f, "book", "zzz", 3);
    assert_true(vg_dataset_load(&set, &f->error));
    assert_string_equal(text_of(f, &set, 0), "abcdef");
}

/* ---- splits: the last part */

static void test_splits(void **state) {
    fixture *f = *state;
    static const struct { double test; uint32_t train, test_count; } rows[] = {
        { -1, 80, 20 }, { 0, 100, 0 }, { 0.05, 95, 5 }, { 0.99, 1, 99 },
    };
    char text[201];
    memset(text, 'a', sizeof text);
    write_file(f, "book", text, sizeof text);
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        vg_dataset set = i % 2 ? book(f, 2) : sentences(f, 100, 1, 8);
        set.test = rows[i / 2].test;
        load(f, &set);
        assert_int_equal(set.train_count, rows[i / 2].train);
        assert_int_equal(set.test_count, rows[i / 2].test_count);
        for (uint32_t k = 0; k < 100; k++) {
            assert_int_equal(k < set.train_count ? set.train[k] : set.test_examples[k - set.train_count], k);
        }
    }
}

/* ---- sentences */

static void test_sentences_are_the_same_everywhere(void **state) {
    fixture *f = *state;
    vg_dataset set = sentences(f, 2000, 1, 64), again = sentences(f, 10, 1, 200), other = sentences(f, 10, 2, 64);
    set.arguments[0].given = set.arguments[1].given = set.arguments[2].given = false;   /* the defaults */
    assert_true(vg_dataset_describe(&set, &f->error));
    assert_int_equal(set.count, 2000);
    assert_int_equal(set.classes, 30);
    assert_null(set.columns[0].data);                      /* nothing is drawn to say so */
    load(f, &set);
    assert_true(!set.columns[0].shares && set.columns[1].shares);
    assert_ptr_equal(set.columns[1].data, (const uint8_t *)set.columns[0].data + 1);
    load(f, &again);
    load(f, &other);
    const char *text = text_of(f, &set, 0), *shorter = text_of(f, &again, 0), *another = text_of(f, &other, 0);
    const char *next = text_of(f, &set, 1);
    assert_int_equal(strlen(text), 128000);
    assert_memory_equal(text + 1, next, 127999);           /* one character later, through all examples */
    assert_memory_equal(text, shorter, 2000);              /* whatever the count and the length */
    assert_memory_not_equal(text, another, 64);
    static const char first[] = "the happy friend sleeps. some dogs beside the painter help the children. the young "
                                "baker beside a dog knows the young kings. the mice that the clever dog likes sleep "
                                "again.\nthe mice that see every zebra help these birds. ";
    assert_memory_equal(text, first, sizeof first - 1);
    assert_true(vg_hash_bytes(text, 128000, 0) == 0xc0f5de76c0a499d1);
    uint32_t seen[128] = { 0 };
    for (const char *c = text; *c; c++) {
        seen[(uint8_t)*c]++;
    }
    for (uint32_t k = 0; k < set.classes; k++) {
        assert_int_equal(set.class_texts[k][0], VG_SENTENCE_ALPHABET[k]);
        assert_true(seen[(uint8_t)VG_SENTENCE_ALPHABET[k]] > 100);
    }
}

/* Entropy in bits, mean and greatest length of what a letter stands for, worked out from the rules. */
typedef struct weight { double bits, length; uint32_t longest; } weight;

static weight weigh(char letter, unsigned depth) {
    weight sum = { 0, 0, 0 };
    double all = 0;
    assert_true(depth < 26);                               /* no rule leads back to itself */
    assert_non_null(vg_sentence_rules[letter - 'A']);
    for (const char *at = vg_sentence_rules[letter - 'A']; at; at = strchr(at, '|')) {
        at += *at == '|';
        double share = isdigit((unsigned char)*at) ? *at++ - '0' : 1;
        weight one = { 0, 0, 0 };
        for (; *at && *at != '|'; at++) {
            weight part = isupper((unsigned char)*at) ? weigh(*at, depth + 1) : (weight){ 0, 1, 1 };
            assert_true(isupper((unsigned char)*at) || strchr(VG_SENTENCE_ALPHABET, *at));
            one.bits += part.bits;
            one.length += part.length;
            one.longest += part.longest;
        }
        all += share;
        sum.bits += share * (one.bits - log2(share));
        sum.length += share * one.length;
        sum.longest = one.longest > sum.longest ? one.longest : sum.longest;
    }
    return (weight){ sum.bits / all + log2(all), sum.length / all, sum.longest };
}

/* What sentences.c says of its entropy, from the rules; and that the text drawn follows them. */
static void test_what_there_is_to_learn(void **state) {
    fixture *f = *state;
    weight sentence = weigh('T', 0);
    assert_true(fabs(sentence.bits - 37.41) < 0.005);
    assert_true(fabs(sentence.length - 53.34) < 0.005);
    assert_true(fabs(sentence.bits / sentence.length - 0.701) < 0.0005);
    assert_true(fabs(sentence.bits / sentence.length * log(2) - 0.486) < 0.0005);
    assert_int_equal(sentence.longest, 183);
    vg_dataset set = sentences(f, 20000, 3, 64);
    load(f, &set);
    const uint8_t *ids = set.columns[0].data;
    size_t count = 20000 * 64, ends = 0;
    double one[30] = { 0 }, two[30][30] = { { 0 } }, alone = 0, with_one_before = 0;
    for (size_t k = 0; k < count; k++) {
        one[ids[k]]++;
        two[ids[k]][ids[k + 1]]++;
        ends += VG_SENTENCE_ALPHABET[ids[k]] == '.';
    }
    for (int a = 0; a < 30; a++) {
        alone -= one[a] / (double)count * log2(one[a] / (double)count);
        for (int b = 0; b < 30; b++) {
            with_one_before -= two[a][b] > 0 ? two[a][b] / (double)count * log2(two[a][b] / one[a]) : 0;
        }
    }
    assert_true(fabs(alone - 4.24) < 0.01 && fabs(with_one_before - 2.79) < 0.01);
    assert_true(fabs((double)count / (double)ends - sentence.length) < 0.5);
}

static bool is_among(const char *word, size_t length, const char *list) {
    for (const char *at = list; (at = strstr(at, word)); at++) {
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length])) {
            return true;
        }
    }
    return false;
}

typedef struct clause { bool plural[4], last_plural; uint32_t open, judged, misled; } clause;

/* A noun that begins a clause waits for its verb; one behind a preposition or a verb has none. Behind 'that' a verb
 * goes with the noun before it, and a noun waits, too. */
static void judge_word(clause *c, const char *word, const char *before, bool *subject) {
    static const char verbs[] = "see like follow help know watch find remember "
                                "sleep sing jump wait laugh run dance swim";
    static const char others[] = "the a every this some many these two not now here well today again slowly "
                                 "big small quick lazy happy brave quiet young clever tired";
    size_t length = strlen(word), stem = length;
    if (length > 2 && word[length - 1] == 's') {
        stem = length - (strcmp(word, "watches") ? 1 : 2);
    }
    char base[32];
    snprintf(base, sizeof base, "%.*s", (int)stem, word);
    bool to_be = is_among(word, length, "is are does do");
    if (is_among(word, length, "near behind with beside under")) {
        *subject = false;
    } else if (is_among(word, length, "and but when that")) {
        *subject = true;
    } else if (to_be || is_among(base, stem, verbs)) {
        bool plural = to_be ? is_among(word, length, "are do") : stem == length;
        *subject = false;
        if (!strcmp(before, "not")) {
            return;
        }
        assert_true(c->open > 0);
        assert_int_equal(plural, c->plural[c->open - 1]);
        c->judged++;
        c->misled += plural != c->last_plural;
        c->open -= strcmp(before, "that") != 0;
    } else if (!is_among(word, length, others)) {
        c->last_plural = stem < length || is_among(word, length, "children mice");
        if (*subject) {
            assert_true(c->open < 4);
            c->plural[c->open++] = c->last_plural;
        }
    }
}

/* Every verb of a long text agrees with its subject, and often not with the noun before it. */
static void test_verbs_agree(void **state) {
    fixture *f = *state;
    vg_dataset set = sentences(f, 5000, 1, 64);
    load(f, &set);
    char *text = text_of(f, &set, 0), word[32] = "", before[32] = "";
    clause c = { .open = 0 };
    bool subject = true;
    *strrchr(text, '.') = '\0';                            /* the last sentence is cut */
    for (const char *at = text; *at; at += strspn(at, " \n")) {
        size_t length = strcspn(at, " ,.\n");
        memcpy(before, word, sizeof before);
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        judge_word(&c, word, before, &subject);
        at += length;
        if (*at == '.' || *at == ',') {
            assert_int_equal(c.open, 0);
            subject = true;
            at++;
        }
    }
    assert_true(c.judged > 10000);
    assert_true(c.misled > 2000);
}

static void test_arguments(void **state) {
    fixture *f = *state;
    static const struct { double count, seed, length; const char *text; } rows[] = {
        { 0, 1, 64, "count must be a whole number from 1 to 10000000, not 0" },
        { 10, 0.5, 64, "seed must be a whole number from 0 to 9007199254740992, not 0.5" },
        { 10, 1, 0, "length must be a whole number from 1 to 1000000, not 0" },
        { 10, 1, 1e7, "length must be a whole number from 1 to 1000000, not 10000000" },
        { 1e7, 1, 11, "count * length, the characters to draw, is 110000000, and the limit 100000000" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vg_dataset set = sentences(f, rows[i].count, rows[i].seed, rows[i].length), text = book(f, rows[i].length);
        assert_false(vg_dataset_describe(&set, &f->error));
        assert_true(f->error.argument);
        assert_string_equal(f->error.text, rows[i].text);
        assert_false(vg_dataset_describe(&text, &f->error));
        assert_int_equal(f->error.argument, rows[i].text[0] == 'l');       /* of text the length, else the file */
    }
}

/* ---- without memory */

static void load_book(vg_mem *mem, void *user) {
    vg_dataset set = book(user, 2);
    set.mem = mem;
    load(user, &set);
}
static void load_sentences(vg_mem *mem, void *user) {
    vg_dataset set = sentences(user, 10, 1, 8);
    set.mem = mem;
    load(user, &set);
}

static void test_memory_fails_at_every_call(void **state) {
    fixture *f = *state;
    write_file(f, "book", "abcdefg", 7);
    assert_true(survive_every_call(load_book, f) > 4);
    assert_true(survive_every_call(load_sentences, f) > 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_text), TEST(test_many_classes), TEST(test_bad_texts), TEST(test_files_that_cannot_be_read),
        TEST(test_a_text_is_read_once), TEST(test_splits), TEST(test_sentences_are_the_same_everywhere),
        TEST(test_what_there_is_to_learn), TEST(test_verbs_agree), TEST(test_arguments),
        TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
