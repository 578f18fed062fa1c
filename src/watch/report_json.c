/* What the page is told about the columns and the images, as JSON. Tags are UTF-8: the sink sees to that. */
#include "watch/report.h"

#include "base/json.h"

static json_t *whole(uint64_t value) { return json_integer((json_int_t)value); }

json_t *vg_keep_curves(const vg_keep *keep) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < keep->curves.count && list; i++) {
        const vg_curve *curve = keep->curves.items[i];
        list = vg_json_add(list, json_pack("{s:s, s:b, s:o, s:o, s:o}", "tag", curve->tag, "test", curve->test,
                                           "points", whole(curve->points.count), "seen", whole(curve->seen),
                                           "stride", whole(curve->stride)));
    }
    return list;
}

json_t *vg_keep_films(const vg_keep *keep) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < keep->films.count && list; i++) {
        const vg_film *film = keep->films.items[i];
        list = vg_json_add(list, json_pack("{s:s, s:o, s:o, s:o}", "tag", film->tag,
                                           "frames", whole(film->frames.count), "seen", whole(film->seen),
                                           "stride", whole(film->stride)));
    }
    return list;
}

static json_t *still_object(const vg_still *still) {
    const vg_image *image = &still->image;
    json_t *png = json_array();
    for (uint32_t k = 0; k < image->count && png; k++) {
        png = vg_json_add(png, json_string(still->png[k]));
    }
    return json_pack("{s:o, s:o, s:o, s:f, s:f, s:o}", "step", whole(still->step), "height", whole(image->height),
                     "width", whole(image->width), "min", image->min, "max", image->max, "png", png);
}

json_t *vg_album_list(const vg_album *album) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < album->list.count && list; i++) {
        const vg_sequence *sequence = &album->list.items[i];
        json_t *stills = json_array();
        for (uint32_t k = 0; k < sequence->stills.count && stills; k++) {
            stills = vg_json_add(stills, still_object(&sequence->stills.items[k]));
        }
        list = vg_json_add(list, json_pack("{s:s, s:o, s:o}", "tag", sequence->tag, "seen", whole(sequence->seen),
                                           "stills", stills));
    }
    return list;
}
