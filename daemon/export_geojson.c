// GeoJSON (RFC 7946): a collection of the records that have a point, with the columns of CSV as
// properties.

#include "daemon/export_columns.h"
#include "daemon/export_json.h"

static enum err begin(struct export_writing *writing)
{
    export_write(writing, bytes_of_text("{\"type\":\"FeatureCollection\",\"features\":["));
    return OK;
}

static cJSON *point(const struct place *place, enum err *err)
{
    struct buf text BUF_CLEANUP = {0};
    cJSON *geometry = cJSON_CreateObject();
    buf_put_u8(&text, '[');
    export_put_degrees(&text, place->longitude);
    buf_put_u8(&text, ',');
    export_put_degrees(&text, place->latitude);
    buf_put_u8(&text, ']');
    export_json_add_text(geometry, "type", bytes_of_text("Point"), err);
    export_json_add_number(geometry, "coordinates", buf_bytes(&text), err);
    return geometry;
}

static cJSON *properties(const struct export_writing *writing, const struct export_row *row,
                         enum err *err)
{
    struct export_column columns[EXPORT_COLUMNS_MAX];
    struct buf cell BUF_CLEANUP = {0};
    cJSON *object = cJSON_CreateObject();
    size_t n = export_columns(row->kind->kind, writing->wish->masked, columns);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&cell);
        columns[i].put(&columns[i], row, &cell);
        if (cell.err && !*err)
            *err = cell.err;
        if (cell.n == 0)
            export_json_add(object, columns[i].name, cJSON_CreateNull(), err);
        else if (columns[i].is_number)
            export_json_add_number(object, columns[i].name, buf_bytes(&cell), err);
        else
            export_json_add_text(object, columns[i].name, buf_bytes(&cell), err);
    }
    return object;
}

// What lies outside the globe would make the file unreadable for a map.
static bool is_on_globe(const struct place *place)
{
    return place->has_latitude && place->has_longitude && place->latitude >= -900000000 &&
           place->latitude <= 900000000 && place->longitude >= -1800000000 &&
           place->longitude <= 1800000000;
}

static enum err put(struct export_writing *writing, const struct export_row *row,
                    struct arena *arena)
{
    enum err err = OK;
    struct place place;
    (void)arena;
    if (!export_row_place(row, &place) || !is_on_globe(&place)) {
        writing->leave_out(writing->arg, row->kind->name, row->id, "no point");
        return OK;
    }
    cJSON *feature = cJSON_CreateObject();
    export_json_add_text(feature, "type", bytes_of_text("Feature"), &err);
    export_json_add_text(feature, "id", bytes_of_text(row->id), &err);
    export_json_add(feature, "geometry", point(&place, &err), &err);
    export_json_add(feature, "properties", properties(writing, row, &err), &err);
    export_write(writing, bytes_of_text(writing->rows++ ? ",\n" : "\n"));
    return export_json_write(writing, feature, err);
}

static enum err end(struct export_writing *writing)
{
    export_write(writing, bytes_of_text("\n]}\n"));
    return OK;
}

const struct export_format export_geojson = {
    .name = "geojson",
    .begin = begin,
    .put = put,
    .end = end,
    .done = export_nothing_done,
};
