/* Dimensions as polynomials. One has its terms in one order (graded lexicographic: higher degree first, then by
 * symbols), no two terms with the same symbols and no coefficient 0, so that equal polynomials have equal bytes and
 * are interned to equal ids. The number 0 has no terms. */
#include "ir/dim.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

_Static_assert(sizeof(vg_term) == 40, "terms are hashed as bytes: no padding");

typedef struct polynomial { vg_term terms[VG_DIM_TERMS]; uint32_t count; } polynomial;

static uint32_t degree(const vg_term *term) {
    uint32_t d = 0;
    while (d < VG_DIM_DEGREE && term->symbols[d]) d++;
    return d;
}

/* < 0: a stands before b; 0: the same symbols. */
static int compare(const vg_term *a, const vg_term *b) {
    const uint32_t da = degree(a), db = degree(b);
    if (da != db) return da > db ? -1 : 1;
    for (uint32_t k = 0; k < da; k++)
        if (a->symbols[k] != b->symbols[k]) return a->symbols[k] < b->symbols[k] ? -1 : 1;
    return 0;
}

/* Adds one term in its place. False when the coefficient or the number of terms does not fit. */
static bool add_term(polynomial *p, const vg_term *term) {
    uint32_t at = 0;
    int order = 1;
    if (!term->coefficient) return true;
    while (at < p->count && (order = compare(&p->terms[at], term)) < 0) at++;
    if (at < p->count && order == 0) {
        int64_t *sum = &p->terms[at].coefficient;
        if (__builtin_add_overflow(*sum, term->coefficient, sum)) return false;
        if (*sum) return true;
        p->count--;
        memmove(&p->terms[at], &p->terms[at + 1], (p->count - at) * sizeof(vg_term));
        return true;
    }
    if (p->count == VG_DIM_TERMS) return false;
    memmove(&p->terms[at + 1], &p->terms[at], (p->count - at) * sizeof(vg_term));
    p->terms[at] = *term;
    p->count++;
    return true;
}

/* Symbols of both, merged in rising order. False when the degree or the coefficient does not fit. */
static bool multiply_terms(const vg_term *a, const vg_term *b, vg_term *out) {
    const uint32_t da = degree(a), db = degree(b);
    uint32_t i = 0, j = 0;
    if (da + db > VG_DIM_DEGREE) return false;
    *out = (vg_term){ 0 };
    for (uint32_t k = 0; k < da + db; k++) {
        const bool first = j == db || (i < da && a->symbols[i] <= b->symbols[j]);
        out->symbols[k] = first ? a->symbols[i++] : b->symbols[j++];
    }
    return !__builtin_mul_overflow(a->coefficient, b->coefficient, &out->coefficient);
}

/* False unless b's symbols are among a's and its coefficient divides a's. */
static bool divide_terms(const vg_term *a, const vg_term *b, vg_term *out) {
    const uint32_t da = degree(a), db = degree(b);
    uint32_t j = 0, count = 0;
    if (db > da || (a->coefficient == INT64_MIN && b->coefficient == -1)) return false;
    if (a->coefficient % b->coefficient) return false;
    *out = (vg_term){ .coefficient = a->coefficient / b->coefficient };
    for (uint32_t i = 0; i < da; i++) {
        if (j < db && a->symbols[i] == b->symbols[j]) j++;
        else out->symbols[count++] = a->symbols[i];
    }
    return j == db;
}

static const vg_term *terms_of(const vg_dims *dims, vg_dim dim, uint32_t *count) {
    *count = dims->rows.items[dim].term_count;
    return dims->terms.items + dims->rows.items[dim].first_term;
}

static void load(const vg_dims *dims, vg_dim dim, polynomial *p) {
    const vg_term *terms = terms_of(dims, dim, &p->count);
    memcpy(p->terms, terms, p->count * sizeof *terms);
}

static vg_dim intern(vg_dims *dims, const vg_term *terms, uint32_t count) {
    const uint64_t key = vg_hash_words(terms, count * sizeof *terms, 0);
    const vg_dim newest = vg_map_get(&dims->dim_map, key);
    for (vg_dim d = newest; d; d = dims->rows.items[d].chain) {
        uint32_t have;
        const vg_term *old = terms_of(dims, d, &have);
        if (have == count && !memcmp(old, terms, count * sizeof *terms)) return d;
    }
    const vg_dim made = dims->rows.count;
    const vg_dim_row row = { dims->terms.count, count, newest };
    for (uint32_t k = 0; k < count; k++) vg_vec_push(dims->mem, &dims->terms, terms[k]);
    vg_vec_push(dims->mem, &dims->rows, row);
    vg_map_put(dims->mem, &dims->dim_map, key, made);
    return made;
}

void vg_dims_init(vg_dims *dims, vg_mem *mem) {
    memset(dims, 0, sizeof *dims);
    dims->mem = mem;
    vg_vec_push(mem, &dims->symbols, (vg_symbol_row){ 0 });
    vg_vec_reserve(mem, &dims->terms, 64);          /* never NULL: the number 0 points at no terms */
    vg_vec_reserve(mem, &dims->lists, 64);
    vg_vec_push(mem, &dims->rows, (vg_dim_row){ 0 });
    vg_vec_push(mem, &dims->shapes, (vg_shape_row){ 0 });
    dims->one = vg_dim_number(dims, 1);
    const vg_shape scalar = vg_shape_of(dims, NULL, 0);
    assert(scalar == VG_SHAPE_SCALAR);
    (void)scalar;
}

vg_symbol vg_dims_symbol(vg_dims *dims, vg_str name, vg_span span) {
    const vg_symbol made = dims->symbols.count;
    vg_vec_push(dims->mem, &dims->symbols, ((vg_symbol_row){ name, span }));
    return made;
}

vg_dim vg_dim_symbol(vg_dims *dims, vg_symbol symbol) {
    const vg_term term = { 1, { symbol } };
    return intern(dims, &term, 1);
}

vg_dim vg_dim_number(vg_dims *dims, int64_t number) {
    if (number == 1 && dims->one) return dims->one;
    const vg_term term = { .coefficient = number };
    return intern(dims, &term, number != 0);
}

bool vg_dim_is_number(const vg_dims *dims, vg_dim dim, int64_t *number) {
    uint32_t count;
    const vg_term *terms = terms_of(dims, dim, &count);
    if (!dim || count > 1 || (count == 1 && terms->symbols[0])) return false;
    *number = count ? terms->coefficient : 0;
    return true;
}

bool vg_dim_is(const vg_dims *dims, vg_dim dim, int64_t number) {
    int64_t have;
    return vg_dim_is_number(dims, dim, &have) && have == number;
}

/* a + scale * b; scale is 1 or -1 */
static vg_dim combine(vg_dims *dims, vg_dim a, vg_dim b, int64_t scale) {
    polynomial p;
    uint32_t count;
    if (!a || !b) return 0;
    load(dims, a, &p);
    const vg_term *terms = terms_of(dims, b, &count);
    for (uint32_t k = 0; k < count; k++) {
        vg_term term = terms[k];
        if (__builtin_mul_overflow(term.coefficient, scale, &term.coefficient) || !add_term(&p, &term)) return 0;
    }
    return intern(dims, p.terms, p.count);
}

vg_dim vg_dim_add(vg_dims *dims, vg_dim a, vg_dim b) { return combine(dims, a, b, 1); }

vg_dim vg_dim_subtract(vg_dims *dims, vg_dim a, vg_dim b) { return combine(dims, a, b, -1); }

vg_dim vg_dim_multiply(vg_dims *dims, vg_dim a, vg_dim b) {
    polynomial p;
    uint32_t na, nb;
    if (!a || !b) return 0;
    if (vg_dim_is(dims, a, 1)) return b;
    if (vg_dim_is(dims, b, 1)) return a;
    p.count = 0;
    const vg_term *ta = terms_of(dims, a, &na), *tb = terms_of(dims, b, &nb);
    for (uint32_t i = 0; i < na; i++)
        for (uint32_t j = 0; j < nb; j++) {
            vg_term term;
            if (!multiply_terms(&ta[i], &tb[j], &term) || !add_term(&p, &term)) return 0;
        }
    return intern(dims, p.terms, p.count);
}

/* Long division by the leading term, which the order of terms makes unique. */
vg_dim vg_dim_divide(vg_dims *dims, vg_dim a, vg_dim b) {
    polynomial rest, quotient;
    uint32_t count;
    if (!a || !b || vg_dim_is(dims, b, 0)) return 0;
    load(dims, a, &rest);
    quotient.count = 0;
    const vg_term *divisor = terms_of(dims, b, &count);
    while (rest.count) {
        vg_term part;
        if (!divide_terms(&rest.terms[0], &divisor[0], &part) || !add_term(&quotient, &part)) return 0;
        for (uint32_t k = 0; k < count; k++) {
            vg_term term;
            if (!multiply_terms(&divisor[k], &part, &term)) return 0;
            if (__builtin_mul_overflow(term.coefficient, (int64_t)-1, &term.coefficient)) return 0;
            if (!add_term(&rest, &term)) return 0;
        }
    }
    return intern(dims, quotient.terms, quotient.count);
}

/* With every symbol at least 1, b - a is at least its value at 1 when no symbol has a negative coefficient, and at
 * most that when none has a positive one. */
vg_answer vg_dim_at_most(vg_dims *dims, vg_dim a, vg_dim b) {
    uint32_t count;
    int64_t value = 0;
    bool rises = true, falls = true;
    const vg_dim difference = vg_dim_subtract(dims, b, a);
    if (!difference) return VG_SOMETIMES;
    const vg_term *terms = terms_of(dims, difference, &count);
    for (uint32_t k = 0; k < count; k++) {
        if (terms[k].symbols[0] && terms[k].coefficient < 0) rises = false;
        if (terms[k].symbols[0] && terms[k].coefficient > 0) falls = false;
        if (__builtin_add_overflow(value, terms[k].coefficient, &value)) return VG_SOMETIMES;
    }
    if (rises && value >= 0) return VG_ALWAYS;
    if (falls && value < 0) return VG_NEVER;
    return VG_SOMETIMES;
}

int64_t vg_dim_value(const vg_dims *dims, vg_dim dim, const int64_t *values) {
    uint32_t count;
    int64_t sum = 0;
    const vg_term *terms = terms_of(dims, dim, &count);
    for (uint32_t k = 0; k < count; k++) {
        int64_t product = terms[k].coefficient;
        for (uint32_t d = 0; d < VG_DIM_DEGREE && terms[k].symbols[d]; d++)
            if (__builtin_mul_overflow(product, values[terms[k].symbols[d]], &product)) return INT64_MAX;
        if (__builtin_add_overflow(sum, product, &sum)) return INT64_MAX;
    }
    return sum;
}

void vg_dim_text(const vg_dims *dims, const vg_strings *strings, vg_dim dim, vg_text *out) {
    uint32_t count;
    const vg_term *terms = terms_of(dims, dim, &count);
    if (!count) vg_text_format(out, "%s", dim ? "0" : "?");
    for (uint32_t k = 0; k < count; k++) {
        const bool minus = terms[k].coefficient < 0;
        const uint64_t size = minus ? -(uint64_t)terms[k].coefficient : (uint64_t)terms[k].coefficient;
        if (k) vg_text_format(out, minus ? " - " : " + ");
        else if (minus) vg_text_format(out, "-");
        if (size != 1 || !terms[k].symbols[0]) vg_text_format(out, "%" PRIu64, size);
        for (uint32_t d = 0; d < VG_DIM_DEGREE && terms[k].symbols[d]; d++) {
            const vg_str name = dims->symbols.items[terms[k].symbols[d]].name;
            vg_text_format(out, "%s%s", d || size != 1 ? " * " : "", vg_strings_text(strings, name));
        }
    }
}
