#include "sync/role.h"

#include "sync/digest.h"

enum { ROW_UNKNOWN = 0 };

#define NONE REACH_NONE
#define OWN  REACH_OWN
#define AUD  REACH_AUDIENCE
#define ALL  REACH_ALL

// The columns are enum role: revoked, member, volunteer, coordinator, observer, hub.
static const enum role_reach calls[CALL_COUNT][ROLE_COUNT] = {
    [CALL_SYNC] = {OWN, ALL, ALL, ALL, NONE, NONE},
    [CALL_GET] = {NONE, ALL, ALL, ALL, AUD, NONE},
    [CALL_LIST] = {NONE, ALL, ALL, ALL, AUD, NONE},
    [CALL_SEARCH] = {NONE, ALL, ALL, ALL, AUD, NONE},
    [CALL_ME] = {NONE, ALL, ALL, ALL, ALL, NONE},
    [CALL_PROVE] = {NONE, ALL, ALL, ALL, NONE, NONE},
    [CALL_INVITE] = {NONE, NONE, NONE, ALL, NONE, NONE},
    [CALL_DELIVER] = {NONE, ALL, ALL, ALL, NONE, NONE},
};

// What a revoked device writes is set apart for that reason, whatever it is.
static const enum role_reach writes[][ROLE_COUNT] = {
    [ROW_UNKNOWN] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_NEED] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_VOICE] = {NONE, OWN, ALL, ALL, NONE, NONE},
    [KIND_CONSTRAINT] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_SOLUTION] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_COMMITMENT] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_OUTCOME] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_REMARK] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_PARTY] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_PERSON] = {NONE, OWN, ALL, ALL, NONE, NONE},
    [KIND_CONTACT] = {NONE, OWN, ALL, ALL, NONE, NONE},
    [KIND_SAME_AS] = {NONE, NONE, ALL, ALL, NONE, NONE},
    [KIND_MEMBERSHIP] = {NONE, NONE, NONE, ALL, NONE, NONE},
    [KIND_DECISION] = {NONE, NONE, NONE, NONE, NONE, ALL},
    [KIND_REQUEST] = {NONE, OWN, ALL, ALL, NONE, NONE},
};

static const enum role_reach sees[][ROLE_COUNT] = {
    [ROW_UNKNOWN] = {NONE, ALL, ALL, ALL, NONE, ALL},
    [KIND_NEED] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_VOICE] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_CONSTRAINT] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_SOLUTION] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_COMMITMENT] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_OUTCOME] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_REMARK] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_PARTY] = {NONE, ALL, ALL, ALL, AUD, ALL},
    [KIND_PERSON] = {NONE, OWN, OWN, ALL, NONE, ALL},
    [KIND_CONTACT] = {NONE, OWN, OWN, ALL, NONE, ALL},
    [KIND_SAME_AS] = {NONE, ALL, ALL, ALL, NONE, ALL},
    [KIND_MEMBERSHIP] = {NONE, ALL, ALL, ALL, NONE, ALL},
    [KIND_DECISION] = {NONE, ALL, ALL, ALL, NONE, ALL},
    [KIND_REQUEST] = {NONE, ALL, ALL, ALL, NONE, ALL},
};

#undef NONE
#undef OWN
#undef AUD
#undef ALL

static bool is_role(enum role role)
{
    return (unsigned)role < ROLE_COUNT;
}

static uint32_t row_of(uint32_t kind)
{
    return kind < sizeof writes / sizeof *writes ? kind : ROW_UNKNOWN;
}

enum role_reach role_may_call(enum role role, enum role_call call)
{
    return is_role(role) ? calls[call][role] : REACH_NONE;
}

enum role_reach role_may_write(enum role role, uint32_t kind)
{
    return is_role(role) ? writes[row_of(kind)][role] : REACH_NONE;
}

enum role_reach role_may_see(enum role role, uint32_t kind, uint32_t class)
{
    if (!is_role(role))
        return REACH_NONE;
    enum role_reach of_kind = sees[row_of(kind)][role];
    enum role_reach of_class = class == CLASS_ORDINARY ? REACH_ALL : sees[KIND_CONTACT][role];
    return of_class < of_kind ? of_class : of_kind;
}

// Whether the device itself creates, or created, the record.
static bool creates(const struct envelope *envelope, const uint8_t device[HANDLE_SIZE])
{
    return envelope->parts.n == 0 &&
           (envelope->id.n == 0 || memcmp(envelope->id.p, device, 8) == 0);
}

static bool is_own(const uint8_t community[COMMUNITY_SIZE], const struct device *device,
                   const struct envelope *envelope)
{
    uint8_t person[ID_SIZE];
    digest_member(community, device_first(device), person);
    if (envelope->kind == KIND_VOICE)
        return envelope->parts.n == 2 &&
               bytes_equal(*LIST_AT(struct bytes, envelope->parts, 1), BYTES(person));
    if (envelope->kind == KIND_PERSON)
        return bytes_equal(envelope->id, BYTES(person));
    return creates(envelope, device->handle);
}

enum reason role_judge(enum role role, const uint8_t community[COMMUNITY_SIZE],
                       const struct device *device, const struct envelope *envelope)
{
    enum role_reach reach = role_may_write(role, envelope->kind);
    bool may = reach == REACH_ALL || (reach == REACH_OWN && is_own(community, device, envelope));
    return may ? REASON_NONE : REASON_NOT_PERMITTED;
}

// --- names ---

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_NONE] = "revoked",        [ROLE_MEMBER] = "member",
    [ROLE_VOLUNTEER] = "volunteer", [ROLE_COORDINATOR] = "coordinator",
    [ROLE_OBSERVER] = "observer",   [ROLE_HUB] = "hub",
};

const char *role_name(enum role role)
{
    return is_role(role) ? role_names[role] : "unknown";
}

enum role role_by_name(const char *name)
{
    for (int role = ROLE_MEMBER; role < ROLE_COUNT; role++) {
        if (strcmp(name, role_names[role]) == 0)
            return (enum role)role;
    }
    return ROLE_NONE;
}

const char *role_call_name(enum role_call call)
{
    static const char *const names[CALL_COUNT] = {
        [CALL_SYNC] = "Sync",     [CALL_GET] = "Get",         [CALL_LIST] = "List",
        [CALL_SEARCH] = "Search", [CALL_ME] = "Me",           [CALL_PROVE] = "Prove",
        [CALL_INVITE] = "Invite", [CALL_DELIVER] = "Deliver",
    };
    return names[call];
}

const char *role_reach_name(enum role_reach reach)
{
    static const char *const names[] = {
        [REACH_NONE] = "-",
        [REACH_OWN] = "own",
        [REACH_AUDIENCE] = "audience",
        [REACH_ALL] = "yes",
    };
    return names[reach];
}
