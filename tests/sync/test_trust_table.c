// Who is answered what: every role in every state, for every call, for every kind of record, of its
// own and of others, of its own community and of another one, as the hub answers it. What is
// expected is written out here; docs/roles.md says the same.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/schema.h"
#include "tests/leaks.h"
#include "tests/sync/trust.h"

// The columns: a revoked device, a member, a volunteer, a coordinator, an observer, a hub.
static const struct {
    enum role_call call;
    const char *name;
    const char *may;
} calls[] = {
    {CALL_SYNC, "Sync", "oyyy--"},     {CALL_GET, "Get", "-yyya-"},
    {CALL_LIST, "List", "-yyya-"},     {CALL_SEARCH, "Search", "-yyya-"},
    {CALL_ME, "Me", "-yyyy-"},         {CALL_PROVE, "Prove", "-yyy--"},
    {CALL_INVITE, "Invite", "---y--"}, {CALL_DELIVER, "Deliver", "-yyy--"},
};

// Name, kind, class, whether its id comes from what it is about; who writes; who sees.
static const struct trust_row rows[TRUST_ROWS] = {
    {"need", KIND_NEED, CLASS_ORDINARY, false, "--yy--", "-yyya-"},
    {"voice", KIND_VOICE, CLASS_ORDINARY, true, "-oyy--", "-yyya-"},
    {"constraint", KIND_CONSTRAINT, CLASS_ORDINARY, false, "--yy--", "-yyya-"},
    {"solution", KIND_SOLUTION, CLASS_ORDINARY, false, "--yy--", "-yyya-"},
    {"commitment", KIND_COMMITMENT, CLASS_ORDINARY, false, "--yy--", "-yyya-"},
    {"outcome", KIND_OUTCOME, CLASS_ORDINARY, false, "--yy--", "-yyya-"},
    {"remark", KIND_REMARK, CLASS_ORDINARY, false, "--yy--", "-yyya-"},
    {"party", KIND_PARTY, CLASS_ORDINARY, false, "--yy--", "-yyya-"},
    {"person spoken as", KIND_PERSON, CLASS_PERSONAL, true, "-oyy--", "-ooy--"},
    {"person made", KIND_PERSON, CLASS_PERSONAL, false, "--yy--", "-ooy--"},
    {"contact", KIND_CONTACT, CLASS_PERSONAL, false, "-oyy--", "-ooy--"},
    {"same_as", KIND_SAME_AS, CLASS_ORDINARY, true, "--yy--", "-yyy--"},
    {"membership", KIND_MEMBERSHIP, CLASS_ORDINARY, false, "---y--", "-yyy--"},
    {"decision", KIND_DECISION, CLASS_ORDINARY, false, "------", "-yyy--"},
    {"request", KIND_REQUEST, CLASS_ORDINARY, false, "-oyy--", "-yyy--"},
    {"unknown kind", 900, CLASS_ORDINARY, false, "--yy--", "-yyy--"},
    {"unknown kind, personal", 901, CLASS_PERSONAL, false, "--yy--", "-ooy--"},
    {"unknown kind, unknown class", 902, 7, false, "--yy--", "-ooy--"},
};

enum { NEED = 0, VOICE = 1 };

enum {
    SEEING_CALLS = 5, // Sync, Get, List, Search, Prove
    ROLES_TRIED = 4,  // that Invite is asked for
    SEES = TRUST_ROWS * TRUST_PLACES * TRUST_AUTHORS * SEEING_CALLS,
    WRITES = TRUST_ROWS * TRUST_WRITES,
    CELLS = 2 * (SEES + WRITES + ROLES_TRIED + 1), // of one role in one state, in two communities
    ROLES = ROLE_HUB - ROLE_MEMBER + 1,
};

static const char *const role_names[] = {"revoked",     "member",   "volunteer",
                                         "coordinator", "observer", "hub"};
static const char *const state_names[] = {"current", "expired", "voided", "revoked", "unknown"};
static const char *const place_names[] = {"its own", "another's", "another's public"};
static const char *const write_names[] = {"new", "the same again", "another's"};

static struct trust trust;
static size_t cells;

// --- one cell ---

struct cell {
    enum role_call call;
    size_t row;
    enum trust_place place;
    enum trust_author author;
    enum trust_write write;
    enum role invited;
    bool is_theirs;   // asked of the other community
    const char *what; // in words
};

// How a call is refused.
struct denial {
    enum err err;
    const char *says[2];
};

static void judge(const struct cell *cell, bool is_good, const struct trust_answer *answer)
{
    cells++;
    cr_expect(is_good, "%s (%s), %s, %s, of %s community: came %s \"%s\", %zu bytes, %zu set apart",
              role_names[trust.role], state_names[trust.state], calls[cell->call].name, cell->what,
              cell->is_theirs ? "the other" : "its own", err_text(answer->err), answer->fault.text,
              answer->bytes.n, answer->receipt.set_apart.n);
}

static bool is_refused(const struct trust_answer *answer, const struct denial *denial)
{
    return answer->err == denial->err && answer->bytes.n == 0 && answer->code.n == 0 &&
           strstr(answer->fault.text, denial->says[0]) &&
           strstr(answer->fault.text, denial->says[1]);
}

// The column of the caller: what it was before it was revoked does not matter any more.
static enum role column(void)
{
    bool is_revoked = trust.state == STATE_REVOKED || trust.state == STATE_VOIDED;
    return is_revoked && trust.role != ROLE_HUB ? ROLE_NONE : trust.role;
}

// What is refused before anything is looked at; OK when nothing is.
static struct denial at_the_door(const struct cell *cell)
{
    static const struct denial unknown = {ERR_UNAUTHENTICATED, {"not known here", "log in"}};
    static const struct denial expired = {ERR_UNAUTHENTICATED, {"has expired", "log in"}};
    static const struct denial revoked = {ERR_FORBIDDEN, {"this device was revoked", "join anew"}};
    static const struct denial elsewhere = {ERR_FORBIDDEN, {"another community", ""}};
    if (trust.state == STATE_UNKNOWN || (trust.state == STATE_VOIDED && trust.role != ROLE_HUB))
        return unknown;
    if (trust.state == STATE_EXPIRED)
        return expired;
    if (calls[cell->call].may[column()] != '-')
        return cell->is_theirs && cell->call == CALL_SYNC ? elsewhere
                                                          : (struct denial){OK, {"", ""}};
    return column() == ROLE_NONE
               ? revoked
               : (struct denial){ERR_FORBIDDEN, {role_names[trust.role], calls[cell->call].name}};
}

static const struct trust_side *side_of(const struct cell *cell)
{
    return cell->is_theirs ? &trust.theirs : &trust.ours;
}

// --- seeing ---

// What is meant for outsiders: whatever somebody gave an audience beyond the community.
static bool is_for_outsiders(const struct cell *cell)
{
    return cell->place == PLACE_PUBLIC;
}

// Own is what the caller wrote, and what others wrote on a record whose id names it.
static bool is_own(const struct cell *cell)
{
    return cell->author == BY_SELF || (cell->place == PLACE_OWN && !rows[cell->row].is_named);
}

static bool is_within(char reach, const struct cell *cell)
{
    return reach == 'y' || (reach == 'o' && is_own(cell)) ||
           (reach == 'a' && is_for_outsiders(cell));
}

// A device's decision is set apart: its words are given to those who judge about it, by Sync.
static bool is_set_apart(const struct cell *cell)
{
    return rows[cell->row].kind == KIND_DECISION &&
           !(cell->place == PLACE_OTHER && cell->author == BY_OTHER);
}

static bool is_seen(const struct cell *cell)
{
    if (cell->is_theirs || !is_within(rows[cell->row].sees[column()], cell))
        return false;
    // What is personal is not searched, and hubs' decisions have no text.
    if (cell->call == CALL_SEARCH)
        return rows[cell->row].class == CLASS_ORDINARY && rows[cell->row].kind != KIND_DECISION;
    if (!is_set_apart(cell) || cell->call == CALL_PROVE)
        return true;
    return cell->call == CALL_SYNC && trust.role == ROLE_COORDINATOR;
}

static void ask(const struct cell *cell, struct trust_answer *answer)
{
    const struct trust_side *side = side_of(cell);
    if (cell->call == CALL_SYNC)
        trust_pull(&trust, side, answer);
    else if (cell->call == CALL_GET)
        trust_get(&trust, &side->records[cell->row][cell->place].key, answer);
    else if (cell->call == CALL_LIST)
        trust_list(&trust, rows[cell->row].kind, answer);
    else if (cell->call == CALL_SEARCH)
        trust_search(&trust, &rows[cell->row], answer);
    else
        trust_prove(&trust, side, cell->row, cell->place, cell->author, answer);
}

static bool has_words(const struct cell *cell, const struct trust_answer *answer)
{
    char text[TRUST_NEEDLE_MAX];
    return trust_answer_has(
        answer, trust_needle(&trust, side_of(cell), cell->row, cell->place, cell->author, text));
}

// A record of which the caller sees one change and not the other is there, without its words.
static bool sees_the_other_change(const struct cell *cell)
{
    struct cell other = *cell;
    other.author = cell->author == BY_SELF ? BY_OTHER : BY_SELF;
    return cell->call == CALL_GET && is_seen(&other);
}

static bool is_as_seen(const struct cell *cell, const struct trust_answer *answer)
{
    static const struct denial absent = {ERR_NOT_FOUND, {"no such", ""}};
    if (is_seen(cell))
        return !answer->err && (cell->call == CALL_PROVE || has_words(cell, answer));
    bool is_named = cell->call == CALL_GET || cell->call == CALL_PROVE;
    if (is_named && !sees_the_other_change(cell))
        return is_refused(answer, &absent);
    return !answer->err && !has_words(cell, answer);
}

static bool has_anything_of_theirs(const struct trust_answer *answer)
{
    return trust_answer_has(answer, bytes_of_text("<B ")) ||
           trust_answer_has(answer, BYTES(trust.theirs.world.id)) ||
           trust_answer_has(answer, BYTES(trust.theirs.world.identity_key));
}

static void see(const struct cell *cell)
{
    struct trust_answer answer TRUST_ANSWER_CLEANUP;
    struct denial denial = at_the_door(cell);
    ask(cell, &answer);
    bool is_good = denial.err ? is_refused(&answer, &denial) : is_as_seen(cell, &answer);
    judge(cell, is_good && !has_anything_of_theirs(&answer), &answer);
}

static void see_row(struct cell cell)
{
    static const enum role_call seeing[SEEING_CALLS] = {CALL_SYNC, CALL_GET, CALL_LIST, CALL_SEARCH,
                                                        CALL_PROVE};
    char what[200];
    cell.what = what;
    for (size_t i = 0; i < (size_t)TRUST_PLACES * TRUST_AUTHORS * SEEING_CALLS; i++) {
        cell.call = seeing[i % SEEING_CALLS];
        cell.author = (enum trust_author)(i / SEEING_CALLS % TRUST_AUTHORS);
        cell.place = (enum trust_place)(i / SEEING_CALLS / TRUST_AUTHORS);
        snprintf(what, sizeof what, "a %s, %s record, what %s wrote", rows[cell.row].name,
                 place_names[cell.place], cell.author == BY_SELF ? "itself" : "another");
        see(&cell);
    }
}

// --- writing ---

static enum reason reason_of(size_t row, enum trust_write write)
{
    char reach = rows[row].writes[column()];
    if (column() == ROLE_NONE)
        return REASON_REVOKED;
    bool may = reach == 'y' || (reach == 'o' && write != WRITE_FOREIGN);
    return may ? REASON_NONE : REASON_NOT_PERMITTED;
}

// A change, between two that the role may write if it may write anything.
struct written {
    struct trust_change changes[3];
    enum reason reasons[3];
    struct sync_request request;
};

static void write_three(const struct cell *cell, struct written *w)
{
    struct handmade run;
    size_t around = column() == ROLE_MEMBER ? VOICE : NEED;
    trust_run(&trust, side_of(cell), &run);
    for (size_t i = 0; i < 3; i++) {
        size_t row = i == 1 ? cell->row : around;
        enum trust_write write = i == 1 ? cell->write : WRITE_NEW;
        w->changes[i] = trust_say(&trust, &run, row, write);
        w->reasons[i] = reason_of(row, write);
    }
    handmade_close(&run, &w->request);
    handmade_done(&run);
    w->request.community = BYTES(side_of(cell)->world.id);
}

static enum reason told_reason(const struct receipt *receipt, uint32_t seq)
{
    for (size_t i = 0; i < receipt->set_apart.n; i++) {
        const struct set_apart *apart = LIST_AT(struct set_apart, receipt->set_apart, i);
        if (apart->seq == seq)
            return (enum reason)apart->reason;
    }
    return REASON_NONE;
}

static bool is_as_written(const struct written *w, const struct trust_answer *answer)
{
    const struct receipt *receipt = &answer->receipt;
    size_t apart = 0;
    bool is_good = !answer->err && receipt->standing == STANDING_OK &&
                   receipt->seq == w->changes[2].seq && receipt->message.n == 0;
    for (size_t i = 0; i < 3; i++) {
        enum reason expected = w->reasons[i];
        is_good &= told_reason(receipt, w->changes[i].seq) == expected &&
                   trust_counts(&trust, &w->changes[i]) == (expected == REASON_NONE);
        apart += expected != REASON_NONE;
    }
    return is_good && receipt->set_apart.n == apart;
}

static bool is_unchanged(const struct trust_sizes *before)
{
    struct trust_sizes after = trust_sizes(&trust);
    return memcmp(before, &after, sizeof after) == 0;
}

// stale: the caller of a token that was looked at before its role changed; else it is looked at
// now.
static void write_one(const struct cell *cell, struct hub_caller *stale)
{
    struct written w;
    struct trust_answer answer TRUST_ANSWER_CLEANUP;
    struct denial denial = stale ? (struct denial){OK, {"", ""}} : at_the_door(cell);
    struct trust_sizes before = trust_sizes(&trust);
    write_three(cell, &w);
    if (stale)
        trust_sync_as(&trust, stale, &w.request, &answer);
    else
        trust_sync(&trust, &w.request, &answer);
    bool is_good = denial.err ? is_refused(&answer, &denial) && is_unchanged(&before)
                              : is_as_written(&w, &answer);
    judge(cell, is_good, &answer);
}

static void write_row(struct cell cell, struct hub_caller *stale)
{
    char what[100];
    cell.call = CALL_SYNC;
    cell.what = what;
    for (int write = 0; write < TRUST_WRITES; write++) {
        cell.write = (enum trust_write)write;
        snprintf(what, sizeof what, "writing a %s, %s", rows[cell.row].name, write_names[write]);
        write_one(&cell, stale);
    }
}

// --- the calls that are about no kind ---

static void ask_me(struct cell cell)
{
    struct trust_answer answer TRUST_ANSWER_CLEANUP;
    cell.call = CALL_ME;
    cell.what = "itself";
    struct denial denial = at_the_door(&cell);
    trust_me(&trust, &answer);
    bool is_good = denial.err
                       ? is_refused(&answer, &denial)
                       : !answer.err && trust_answer_has(&answer, BYTES(trust.ours.world.id));
    judge(&cell, is_good && !has_anything_of_theirs(&answer), &answer);
}

// A code admits to the community of whoever made it, in the role that it was made for.
static bool is_admitted(const struct cell *cell, const struct trust_answer *answer)
{
    enum role role;
    if (answer->err)
        return false;
    enum err err = trust_try_code(&trust, side_of(cell), answer->code, &role);
    return cell->is_theirs ? err == ERR_FORBIDDEN : !err && role == cell->invited;
}

static void invite(struct cell cell)
{
    struct trust_answer answer TRUST_ANSWER_CLEANUP;
    struct denial denial = at_the_door(&cell);
    trust_invite(&trust, cell.invited, &answer);
    judge(&cell, denial.err ? is_refused(&answer, &denial) : is_admitted(&cell, &answer), &answer);
}

static void invite_all(struct cell cell)
{
    cell.call = CALL_INVITE;
    for (int role = ROLE_MEMBER; role <= ROLE_OBSERVER; role++) {
        cell.invited = (enum role)role;
        cell.what = role_names[role];
        invite(cell);
    }
}

// --- the table ---

static void walk(enum role role, enum trust_state state)
{
    size_t before = cells;
    trust_begin(&trust, rows, role, state);
    for (int side = 0; side < 2; side++) {
        struct cell cell = {.is_theirs = side == 1};
        for (cell.row = 0; cell.row < TRUST_ROWS; cell.row++)
            see_row(cell);
        for (cell.row = 0; cell.row < TRUST_ROWS; cell.row++)
            write_row(cell, NULL);
        ask_me(cell);
        invite_all(cell);
    }
    trust_end(&trust);
    cr_expect_eq(cells - before, CELLS, "%s (%s): %zu cells", role_names[role], state_names[state],
                 cells - before);
}

static void walk_roles(enum trust_state state)
{
    for (int role = ROLE_MEMBER; role <= ROLE_HUB; role++)
        walk((enum role)role, state);
    cr_expect_eq(cells, (size_t)ROLES * CELLS);
    cr_expect_eq(cells, 5990);
    expect_no_leaks();
}

Test(trust_table, holds_for_whoever_is_enrolled)
{
    walk_roles(STATE_CURRENT);
}

Test(trust_table, holds_for_a_token_that_has_expired)
{
    walk_roles(STATE_EXPIRED);
}

Test(trust_table, holds_for_the_token_of_a_revoked_device)
{
    walk_roles(STATE_VOIDED);
}

Test(trust_table, holds_for_a_revoked_device_that_has_logged_in)
{
    walk_roles(STATE_REVOKED);
}

Test(trust_table, holds_for_whoever_is_not_enrolled)
{
    walk_roles(STATE_UNKNOWN);
}

// The role is that of the change and not that of the caller, which was looked at before.
static void walk_stale(enum role role, enum trust_state state)
{
    struct hub_caller stale;
    struct fault fault;
    trust_begin(&trust, rows, ROLE_COORDINATOR, STATE_CURRENT);
    cr_assert_eq(trust_caller(&trust, CALL_SYNC, &stale, &fault), OK);
    trust_come_to(&trust, role, state);
    for (struct cell cell = {0}; cell.row < TRUST_ROWS; cell.row++)
        write_row(cell, &stale);
    trust_end(&trust);
}

Test(trust_table, holds_for_a_push_whose_author_got_another_role_meanwhile)
{
    for (int role = ROLE_MEMBER; role <= ROLE_OBSERVER; role++)
        walk_stale((enum role)role, STATE_CURRENT);
    walk_stale(ROLE_MEMBER, STATE_VOIDED);
    cr_expect_eq(cells, (size_t)5 * WRITES);
    cr_expect_eq(cells, 270);
    expect_no_leaks();
}
