// A whole host of libfolkmoot in one file: joins by a link (once), adds a need, says what one
// person thinks of it, syncs, and lists what is here. docs/libfolkmoot.md walks through it.
//
//   example STORE                    lists the needs
//   example STORE join LINK          joins
//   example STORE add TITLE [CARD]   adds a need, and a voice for it
//   example STORE sync               syncs

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/folkmoot.h"

// The host's own HTTP/2 stack stands here: POST the body to https://ADDRESS/PATH with content-type
// application/proto and, where there is a token, "authorization: Bearer TOKEN"; compare the SHA-256
// of the certificate's SubjectPublicKeyInfo with tls_key before anything is sent; hand on each part
// of the body as it arrives.
//
// This one has no network: it says what it would send, and that no answer came.
static void send_request(const struct folkmoot_request *request, struct folkmoot_session *session)
{
    printf("POST https://%s%s: %zu bytes%s\n", request->address, request->path, request->body_n,
           request->tls_key ? ", to the proved key only" : "");
    folkmoot_session_answer(session, 0, NULL);
    folkmoot_session_finish(session, false);
}

static int complain(const struct folkmoot_error *error)
{
    fprintf(stderr, "example: %s\n", error->text);
    return 1;
}

static int run_session(struct folkmoot_session *session)
{
    struct folkmoot_request request;
    enum folkmoot_next next;
    while ((next = folkmoot_session_next(session, &request)) == FOLKMOOT_SEND)
        send_request(&request, session);
    struct folkmoot_progress progress;
    folkmoot_session_progress(session, &progress);
    printf("%" PRIu32 " requests, %" PRIu32 " pushed, %" PRIu32 " pulled, %" PRIu32 " unsent\n",
           progress.requests, progress.pushed, progress.pulled, progress.unsent);
    int status = next == FOLKMOOT_DONE ? 0 : complain(folkmoot_session_error(session));
    folkmoot_session_done(&session);
    return status;
}

static int join(struct folkmoot *fm, const char *link)
{
    struct folkmoot_session *session;
    struct folkmoot_error error;
    if (folkmoot_join(fm, link, &session, &error))
        return complain(&error);
    return run_session(session);
}

static int sync_all(struct folkmoot *fm)
{
    struct folkmoot_session *session;
    struct folkmoot_error error;
    if (folkmoot_sync(fm, &session, &error))
        return complain(&error);
    return run_session(session);
}

// The need and the voice go to the disk together, or not at all.
static int add(struct folkmoot *fm, const char *title, const char *card)
{
    struct folkmoot_error error;
    struct folkmoot_put puts[] = {{"title", title}, {"category", "safety"}};
    uint8_t need[16];
    uint8_t person[16];
    if (folkmoot_begin(fm, &error))
        return complain(&error);
    enum folkmoot_code code = folkmoot_add(fm, "need", puts, 2, 0, need, &error);
    if (!code && card)
        code = folkmoot_card(fm, card, person, &error);
    if (!code && card)
        code = folkmoot_voice(fm, "need", need, person, "for", NULL, NULL, 0, &error);
    int status = code ? complain(&error) : 0;
    if (folkmoot_end(fm, !code, &error))
        return complain(&error);
    return status;
}

static bool print_need(const struct folkmoot_record *record, void *arg)
{
    (void)arg;
    printf("%s: %" PRIu32 " for, %" PRIu32 " against\n", record->title, record->votes_for,
           record->votes_against);
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        // Several values stand side by side until somebody who saw them all writes one.
        for (size_t j = 0; field->tension && j < field->values_n; j++)
            printf("  %s, or: %s\n", field->name, field->values[j].text);
    }
    return true;
}

static int list(struct folkmoot *fm)
{
    struct folkmoot_error error;
    return folkmoot_list(fm, "need", print_need, NULL, &error) ? complain(&error) : 0;
}

static int run(struct folkmoot *fm, int argc, char **argv)
{
    const char *what = argc > 2 ? argv[2] : "list";
    if (strcmp(what, "join") == 0 && argc == 4)
        return join(fm, argv[3]);
    if (strcmp(what, "add") == 0 && (argc == 4 || argc == 5))
        return add(fm, argv[3], argc == 5 ? argv[4] : NULL);
    if (strcmp(what, "sync") == 0)
        return sync_all(fm);
    return list(fm);
}

int main(int argc, char **argv)
{
    struct folkmoot *fm;
    struct folkmoot_error error;
    if (argc < 2) {
        fprintf(stderr, "usage: example STORE [join LINK | add TITLE [CARD] | sync]\n");
        return 2;
    }
    // NULL: the system's clock and randomness.
    if (folkmoot_open(argv[1], NULL, &fm, &error))
        return complain(&error);
    int status = run(fm, argc, argv);
    folkmoot_close(&fm);
    return status;
}
