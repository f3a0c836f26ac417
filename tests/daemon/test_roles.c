// Who may call what, over the line: every role, every call, every state of a token, each cell of
// the table below with its own request.

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/schema.h"
#include "sync/letter.h"
#include "sync/role.h"
#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"

enum state {
    VALID,
    ELSEWHERE,  // of another community of the same hub
    REVOKED,    // of before the device was revoked
    DELIVERING, // of a revoked device that logged in anew
    UNKNOWN,    // well-formed, and nobody's
    GARBAGE,
    NONE,
    STATES,
};

enum { ROLES = ROLE_OBSERVER - ROLE_MEMBER + 1, CELLS = STATES * ROLES * CALL_COUNT };

static const char *const state_names[STATES] = {
    "valid", "of another community", "revoked", "delivering", "unknown", "garbage", "none"};

// The columns are Sync, Get, List, Search, Me, Prove, Invite, Deliver.
static const struct row {
    enum state state;
    enum role role;
    short status[CALL_COUNT];
} rows[] = {
    {VALID, ROLE_MEMBER, {200, 200, 200, 200, 200, 200, 403, 200}},
    {VALID, ROLE_VOLUNTEER, {200, 200, 200, 200, 200, 200, 403, 200}},
    {VALID, ROLE_COORDINATOR, {200, 200, 200, 200, 200, 200, 200, 200}},
    {VALID, ROLE_OBSERVER, {403, 200, 200, 200, 200, 403, 403, 403}},
    // What they name of this community is not of theirs, in which they may what their role may.
    {ELSEWHERE, ROLE_MEMBER, {403, 404, 200, 200, 200, 404, 403, 403}},
    {ELSEWHERE, ROLE_VOLUNTEER, {403, 404, 200, 200, 200, 404, 403, 403}},
    {ELSEWHERE, ROLE_COORDINATOR, {403, 404, 200, 200, 200, 404, 200, 403}},
    {ELSEWHERE, ROLE_OBSERVER, {403, 404, 200, 200, 200, 403, 403, 403}},
    {REVOKED, ROLE_MEMBER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {REVOKED, ROLE_VOLUNTEER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {REVOKED, ROLE_COORDINATOR, {401, 401, 401, 401, 401, 401, 401, 401}},
    {REVOKED, ROLE_OBSERVER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {DELIVERING, ROLE_MEMBER, {200, 403, 403, 403, 403, 403, 403, 403}},
    {DELIVERING, ROLE_VOLUNTEER, {200, 403, 403, 403, 403, 403, 403, 403}},
    {DELIVERING, ROLE_COORDINATOR, {200, 403, 403, 403, 403, 403, 403, 403}},
    {DELIVERING, ROLE_OBSERVER, {200, 403, 403, 403, 403, 403, 403, 403}},
    {UNKNOWN, ROLE_MEMBER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {UNKNOWN, ROLE_VOLUNTEER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {UNKNOWN, ROLE_COORDINATOR, {401, 401, 401, 401, 401, 401, 401, 401}},
    {UNKNOWN, ROLE_OBSERVER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {GARBAGE, ROLE_MEMBER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {GARBAGE, ROLE_VOLUNTEER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {GARBAGE, ROLE_COORDINATOR, {401, 401, 401, 401, 401, 401, 401, 401}},
    {GARBAGE, ROLE_OBSERVER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {NONE, ROLE_MEMBER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {NONE, ROLE_VOLUNTEER, {401, 401, 401, 401, 401, 401, 401, 401}},
    {NONE, ROLE_COORDINATOR, {401, 401, 401, 401, 401, 401, 401, 401}},
    {NONE, ROLE_OBSERVER, {401, 401, 401, 401, 401, 401, 401, 401}},
};

// --- the callers ---

static const char words[] = "a bench by the weir";
static const char garbage[] = "not-a-token";

static struct scene {
    struct hall hall;
    struct peer peers[ROLES][STATES];
    uint8_t need[ID_SIZE]; // which observers may see, too
    uint8_t masked[ID_SIZE];
} scene;

static void enrol_in(const char *community, enum role role, struct peer *peer)
{
    cJSON *told = hall_ctl(&scene.hall,
                           (const char *[]){"invite", community, "--role", role_name(role), NULL});
    peer_enrol(peer, scene.hall.hub.port, hall_text(told, "link"));
    cJSON_Delete(told);
}

static void enrol_each(enum role role)
{
    struct peer *of = scene.peers[role - ROLE_MEMBER];
    enrol_in("COMMUNITY", role, &of[VALID]);
    enrol_in("Elsewhere", role, &of[ELSEWHERE]);
    enrol_in("COMMUNITY", role, &of[REVOKED]);
    enrol_in("COMMUNITY", role, &of[DELIVERING]);
    hall_do(&scene.hall, (const char *[]){"revoke", "COMMUNITY", hall_hex(&of[REVOKED]), NULL});
    hall_do(&scene.hall, (const char *[]){"revoke", "COMMUNITY", hall_hex(&of[DELIVERING]), NULL});
    peer_login(&of[DELIVERING]);
    of[UNKNOWN] = of[GARBAGE] = of[NONE] = of[VALID];
    memset(of[UNKNOWN].token, 'A', strlen(of[UNKNOWN].token));
    (void)snprintf(of[GARBAGE].token, sizeof of[GARBAGE].token, "%s", garbage);
    of[NONE].token[0] = '\0';
}

static void push_need_for_all(struct peer *peer)
{
    struct buf fields = {0};
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text(words));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_push(peer, &change, 1);
    peer_last_id(peer, scene.need);
    buf_done(&fields);
}

// --- the calls ---

// Whose request it is, and what it asks for.
static long send_call(const struct peer *peer, const char *path, const struct message *asked,
                      const void *request, struct post_answer *answer)
{
    struct buf body = {0};
    message_encode(asked, request, &body);
    CHECK(!body.err, "out of memory");
    post_send(peer->port,
              &(struct post){.path = path,
                             .token = peer->token[0] ? peer->token : NULL,
                             .body = buf_bytes(&body)},
              answer);
    buf_done(&body);
    return answer->status;
}

// What the author of the need asks of Sync, for somebody else to deliver.
static void write_letter(const struct sync_request *sync, struct buf *out)
{
    const struct peer *ann = &scene.hall.ann;
    const struct letter_author author = {.community = ann->community,
                                         .handle = ann->handle,
                                         .seed = ann->seed,
                                         .hub_key = ann->hub_key};
    struct buf request BUF_CLEANUP = {0};
    const uint8_t nonce[LETTER_NONCE_SIZE] = {1};
    message_encode(&sync_request_message, sync, &request);
    CHECK(letter_write(&author, nonce, buf_bytes(&request), (struct bytes){0}, out) == OK,
          "the letter could not be written");
}

static long call_it(const struct peer *peer, enum role role, enum role_call call,
                    struct post_answer *answer)
{
    const struct peer *author = &scene.hall.ann;
    struct sync_request sync = {.version = PROTOCOL_VERSION, .community = BYTES(author->community)};
    const uint8_t *id = role == ROLE_OBSERVER ? scene.masked : scene.need;
    struct get_request get = {KIND_NEED, bytes_of(id, ID_SIZE)};
    struct list_request list = {.kind = KIND_NEED};
    struct search_request search = {.text = bytes_of_text("water"), .kind = KIND_NEED};
    struct me_request me = {0};
    struct prove_request prove = {.device = BYTES(author->handle), .seq = 1};
    struct invite_request invite = {.role = ROLE_MEMBER};
    struct letter letter = {.version = 0};
    struct deliver deliver = {&letter};
    struct buf written BUF_CLEANUP = {0};
    write_letter(&sync, &written);
    CHECK(message_decode(&letter_message, buf_bytes(&written), NULL, &letter, NULL) == OK,
          "letter");
    const struct {
        const char *path;
        const struct message *asked;
        const void *request;
    } calls[CALL_COUNT] = {
        [CALL_SYNC] = {"/folkmoot.v1.SyncService/Sync", &sync_request_message, &sync},
        [CALL_GET] = {"/folkmoot.v1.RecordService/Get", &get_request_message, &get},
        [CALL_LIST] = {"/folkmoot.v1.RecordService/List", &list_request_message, &list},
        [CALL_SEARCH] = {"/folkmoot.v1.RecordService/Search", &search_request_message, &search},
        [CALL_ME] = {"/folkmoot.v1.RecordService/Me", &me_request_message, &me},
        [CALL_PROVE] = {"/folkmoot.v1.ProofService/Prove", &prove_request_message, &prove},
        [CALL_INVITE] = {"/folkmoot.v1.EnrolService/Invite", &invite_request_message, &invite},
        [CALL_DELIVER] = {"/folkmoot.v1.CarryService/Deliver", &deliver_request_message, &deliver},
    };
    return send_call(peer, calls[call].path, calls[call].asked, calls[call].request, answer);
}

// Observers know records by other ids: what their list tells.
static void learn_masked_id(void)
{
    const struct peer *observer = &scene.peers[ROLE_OBSERVER - ROLE_MEMBER][VALID];
    struct arena arena ARENA_CLEANUP;
    struct list_response told = {.records = {NULL, 0}};
    struct fault fault = {0};
    struct post_answer answer;
    arena_init(&arena, 1 << 20);
    CHECK(call_it(observer, ROLE_OBSERVER, CALL_LIST, &answer) == 200, "List: %s", answer.message);
    CHECK(message_decode(&list_response_message, buf_bytes(&answer.body), &arena, &told, &fault) ==
              OK,
          "%s", fault.text);
    CHECK(told.records.n == 1, "%zu needs", told.records.n);
    struct bytes id = LIST_AT(struct record_view, told.records, 0)->id;
    CHECK(id.n == ID_SIZE && memcmp(id.p, scene.need, ID_SIZE) != 0, "an id of its own");
    memcpy(scene.masked, id.p, ID_SIZE);
    post_done(&answer);
}

// --- the table ---

static void open_scene(void)
{
    hall_open(&scene.hall, "");
    hall_do(&scene.hall, (const char *[]){"community", "create", "Elsewhere", NULL});
    push_need_for_all(&scene.hall.ann);
    for (enum role role = ROLE_MEMBER; role <= ROLE_OBSERVER; role++)
        enrol_each(role);
    learn_masked_id();
}

static const char *code_of(long status)
{
    switch (status) {
    case 401:
        return "unauthenticated";
    case 403:
        return "permission_denied";
    case 404:
        return "not_found";
    default:
        return "";
    }
}

static void check_cell(const struct row *row, enum role_call call)
{
    struct post_answer answer;
    const struct peer *peer = &scene.peers[row->role - ROLE_MEMBER][row->state];
    long status = call_it(peer, row->role, call, &answer);
    CHECK(status == row->status[call], "a %s calls %s, the token %s: %ld and not %d (%s)",
          role_name(row->role), role_call_name(call), state_names[row->state], status,
          row->status[call], answer.message);
    struct bytes told = buf_bytes(&answer.body);
    CHECK(row->state == VALID || !told.n || !memmem(told.p, told.n, words, strlen(words)),
          "a %s, the token %s, is told words", role_name(row->role), state_names[row->state]);
    CHECK(strcmp(answer.code, code_of(status)) == 0, "%ld is told as %s", status, answer.code);
    post_done(&answer);
}

static void every_cell_of_the_table_is_as_it_is_written(void)
{
    unsigned cells = 0;
    bool seen[STATES][ROLES] = {{false}};
    open_scene();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool *once = &seen[rows[i].state][rows[i].role - ROLE_MEMBER];
        CHECK(!*once, "row %zu stands there twice", i);
        *once = true;
        for (int call = 0; call < CALL_COUNT; call++, cells++)
            check_cell(&rows[i], (enum role_call)call);
    }
    CHECK(cells == CELLS && CELLS == 224, "%u cells", cells);
    hall_close(&scene.hall);
}

// What the core's own table says of a caller whose token holds is what the line does.
static void the_table_is_the_one_that_roles_are_judged_by(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_own = rows[i].state == VALID;
        if (!is_own && rows[i].state != DELIVERING)
            continue;
        for (int call = 0; call < CALL_COUNT; call++) {
            enum role role = is_own ? rows[i].role : ROLE_NONE;
            bool may = role_may_call(role, (enum role_call)call) != REACH_NONE;
            CHECK(may == (rows[i].status[call] == 200), "%s: %s", role_name(role),
                  role_call_name((enum role_call)call));
        }
    }
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"the_table_is_the_one_that_roles_are_judged_by",
         the_table_is_the_one_that_roles_are_judged_by},
        {"every_cell_of_the_table_is_as_it_is_written",
         every_cell_of_the_table_is_as_it_is_written},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
