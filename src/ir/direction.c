/* Which way a scalar gets better, as its name says (direction.h). */
#include "ir/direction.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Whether one of the words stands in the tag, with no letter or digit beside it. */
static bool has_word(const char *tag, const char *const *words, size_t count) {
    for (const char *at = tag; *at; at++) {
        if (at > tag && (isalnum((unsigned char)at[-1]))) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            const size_t length = strlen(words[i]);
            if (strncasecmp(at, words[i], length) == 0 && !isalnum((unsigned char)at[length])) {
                return true;
            }
        }
    }
    return false;
}

int vg_tag_direction(const char *tag) {
    static const char *const up[] = { "accuracy", "acc", "precision", "recall", "f1", "auc", "bleu", "score",
                                      "reward" };
    static const char *const down[] = { "loss", "error", "err", "mse", "rmse", "mae", "nll", "perplexity", "cost",
                                        "entropy" };
    const char *slash = strrchr(tag, '/');
    tag = slash && slash[1] != ' ' ? slash + 1 : tag;   /* behind the name of its family; ' / ' divides */
    if (strpbrk(tag, "()*/^+-")) {   /* something made of a loss need not get better with it */
        return 0;
    }
    return has_word(tag, up, sizeof up / sizeof *up) ? 1 : has_word(tag, down, sizeof down / sizeof *down) ? -1 : 0;
}
