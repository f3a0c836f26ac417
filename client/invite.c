// A coordinator makes an invitation, from wherever there is a connection.

#include "client/session.h"
#include "sync/role.h"

enum { INVITE_ARENA_MAX = 64 << 10 };

static enum folkmoot_code check_role(const struct scope *scope, struct folkmoot_error *error)
{
    enum role role = scope->device.role;
    if (role == ROLE_NONE || role_may_call(role, CALL_INVITE) == REACH_ALL)
        return FOLKMOOT_OK;
    return state_fail(error, FOLKMOOT_REFUSED,
                      "only a coordinator invites, and this device is a %s", role_name(role));
}

static enum folkmoot_code read_invitation(const struct folkmoot_invitation *invitation,
                                          struct inviting *inviting, struct folkmoot_error *error)
{
    const char *label = invitation->label ? invitation->label : "";
    inviting->role = role_by_name(invitation->role);
    inviting->valid_ms = invitation->valid_ms;
    inviting->uses = invitation->uses;
    if (inviting->role == ROLE_NONE || inviting->role == ROLE_HUB)
        return state_fail(error, FOLKMOOT_INVALID,
                          "an invitation is for a member, volunteer, coordinator or observer");
    if (strlen(label) > LABEL_MAX)
        return state_fail(error, FOLKMOOT_INVALID, "a label has at most %d bytes", LABEL_MAX);
    memcpy(inviting->label, label, strlen(label));
    return FOLKMOOT_OK;
}

enum folkmoot_code folkmoot_invite(struct folkmoot *fm,
                                   const struct folkmoot_invitation *invitation,
                                   struct folkmoot_session **session, struct folkmoot_error *error)
{
    struct scope scope;
    struct inviting inviting = {.uses = 0};
    enum folkmoot_code code = read_invitation(invitation, &inviting, error);
    if (!code)
        code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    code = check_role(&scope, error);
    struct folkmoot_session *made = code ? NULL : session_about(fm, &scope, STAGE_INVITE);
    if (made)
        made->inviting = inviting;
    (void)state_end(fm, &scope, false, NULL);
    if (code)
        return code;
    *session = made;
    return made ? FOLKMOOT_OK : state_fail_err(error, ERR_NOMEM, NULL);
}

void session_ask_invite(struct folkmoot_session *session)
{
    struct scope scope;
    const struct inviting *inviting = &session->inviting;
    struct invite_request request = {.role = (uint32_t)inviting->role,
                                     .label = bytes_of_text(inviting->label),
                                     .valid = inviting->valid_ms,
                                     .uses = inviting->uses};
    if (state_begin(session->fm, session->number, false, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    session_put_token(session, &scope.secret);
    (void)state_end(session->fm, &scope, false, NULL);
    session_encode(session, &invite_request_message, &request);
}

static enum err make_link(struct folkmoot_session *session, const struct scope *scope,
                          struct bytes code)
{
    struct link link;
    struct buf *out = &session->inviting.link;
    memcpy(link.address, scope->secret.address, sizeof link.address);
    memcpy(link.community, scope->community.id, COMMUNITY_SIZE);
    memcpy(link.hub_key, scope->secret.hub_key, KEY_SIZE);
    memcpy(link.code, code.p, CODE_SIZE);
    memcpy(link.name, scope->community.name, sizeof link.name);
    buf_reset(out);
    link_format(&link, out);
    buf_put_u8(out, 0);
    bytes_wipe(&link, sizeof link);
    return out->err;
}

void session_end_invite(struct folkmoot_session *session)
{
    struct scope scope;
    struct invite_response response = {{0}, 0};
    struct fault fault = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, INVITE_ARENA_MAX);
    enum err err = message_decode(&invite_response_message, buf_bytes(&session->answer), &arena,
                                  &response, &fault);
    if (!err && response.code.n != CODE_SIZE)
        err = fault_set(&fault, ERR_MALFORMED, "it has no code");
    if (err) {
        session_fail_answer(session, err, &fault);
        return;
    }
    if (state_begin(session->fm, session->number, false, &scope, &session->error)) {
        session_failed(session);
        return;
    }
    err = make_link(session, &scope, response.code);
    (void)state_end(session->fm, &scope, false, NULL);
    session->inviting.expires = response.expires;
    session->stage = STAGE_DONE;
    if (err)
        session_fail(session, FOLKMOOT_INTERNAL, "the link could not be made: %s", err_text(err));
}

const char *folkmoot_session_link(const struct folkmoot_session *session, int64_t *expires)
{
    const struct inviting *inviting = &session->inviting;
    if (session->stage != STAGE_DONE || !inviting->link.n)
        return NULL;
    *expires = inviting->expires;
    return (const char *)inviting->link.p;
}
