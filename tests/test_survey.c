/* The kernel that looks at units (op survey) against sums over elements: units as columns, as channels and as the whole, NaN
 * and infinity, one element, none; and variances of what hardly varies. */
#include "tensor.h"

#include "ir/survey.h"

typedef struct layout { shape in; int64_t axis; } layout;
static const layout layouts[] = {
    { SHAPE(128, 70), 1 }, { SHAPE(3, 5), 1 }, { SHAPE(7, 64), 0 }, { SHAPE(4, 3, 9, 11), 1 }, { SHAPE(200), 0 },
    { SHAPE(1, 1), 1 }, { SHAPE(5, 130), VG_SURVEY_WHOLE }, { SHAPE(0, 4), 1 }, { SHAPE(0, 4), VG_SURVEY_WHOLE }
};

/* Which unit an element belongs to. */
static int64_t unit_of(const tensor *in, int64_t element, int64_t axis) {
    int64_t index[VG_RANK_LIMIT];
    if (axis == VG_SURVEY_WHOLE) return 0;
    tensor_index(in, element, index);
    return index[axis];
}

static void survey_one(const tensor *in, int64_t axis, int64_t unit, double low, double high, double *row) {
    double count = 0, finite = 0, sum = 0, about = 0;
    for (int r = 0; r < VG_SURVEY_ROWS; r++) row[r] = 0;
    for (int64_t i = 0; i < in->count; i++) {
        const double x = in->data[i];
        if (unit_of(in, i, axis) != unit) continue;
        count++;
        row[VG_SURVEY_active] += x > 0;
        row[VG_SURVEY_low] += x < low;
        row[VG_SURVEY_high] += x > high;
        row[VG_SURVEY_zeros] += x == 0;
        row[VG_SURVEY_tiny] += x != 0 && fabs(x) < 0x1p-25;
        row[VG_SURVEY_wrong] += !isfinite(x);
        if (!isfinite(x)) continue;
        row[VG_SURVEY_min] = finite == 0 || x < row[VG_SURVEY_min] ? x : row[VG_SURVEY_min];
        row[VG_SURVEY_max] = finite == 0 || x > row[VG_SURVEY_max] ? x : row[VG_SURVEY_max];
        finite++;
        sum += x;
    }
    for (int r = VG_SURVEY_active; r <= VG_SURVEY_wrong; r++) row[r] /= count > 0 ? count : 1;
    row[VG_SURVEY_mean] = finite > 0 ? sum / finite : 0;
    for (int64_t i = 0; i < in->count; i++) {
        const double x = in->data[i] - row[VG_SURVEY_mean];
        if (unit_of(in, i, axis) == unit && isfinite(in->data[i])) about += x * x;
    }
    row[VG_SURVEY_variance] = finite > 0 ? about / finite : 0;
}

static void check_survey(const layout *l, double from, double to, bool special, bool wide) {
    const double low = from + (to - from) / 4, high = to - (to - from) / 3;
    tensor in = tensor_new(l->in, VG_F32);
    const int64_t units = l->axis == VG_SURVEY_WHOLE ? 1 : in.dims[l->axis];
    tensor out = tensor_new((shape){ 2, { VG_SURVEY_ROWS, units } }, VG_F32);
    const uint64_t words[3] = { (uint64_t)l->axis, vg_word_real(low), vg_word_real(high) };
    vg_context context = { 0 };
    tensor_fill(&in, 5, from, to);
    static const double specials[] = { NAN, INFINITY, -INFINITY, 0, -0.0, 1e-9, -1e-12 };
    for (int64_t i = 0; special && i < in.count; i += 3) in.data[i] = specials[i / 3 % 7];
    tensor_call(VG_OP_survey, wide, &out, &in, 1, words, 3, &context);
    for (int64_t unit = 0; unit < units; unit++) {
        double row[VG_SURVEY_ROWS];
        survey_one(&in, l->axis, unit, low, high, row);
        for (int r = 0; r < VG_SURVEY_ROWS; r++)
            assert_near(out.data[r * units + unit], row[r], wide ? 1e-12 : 3e-6, "survey", r * 1000 + unit);
    }
    free(in.data);
    free(out.data);
}

static void test_survey(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++)
        for (int way = 0; way < 4; way++) check_survey(&layouts[k], -1.5, 2, way & 1, way & 2);
}

/* About a large mean float32 leaves few digits, and all of them are the variance's. */
static void test_small_variance(void **state) {
    (void)state;
    check_survey(&layouts[0], 1000, 1000.5, false, true);
    check_survey(&layouts[0], 1000, 1000, false, false);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_survey), cmocka_unit_test(test_small_variance) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
