#include "daemon/journal.h"

#include "base/text.h"
#include "daemon/decisions.h"
#include "daemon/report.h"

enum { LINES_MAX = 100, READ_MAX = 400 }; // decisions, for the loop waits for it

// What is many is counted.
struct telling {
    size_t lines;
    size_t erased;
    size_t released;
};

static void tell_one(const char *device, const struct decision *decision)
{
    if (decision->what == DECISION_ROLE)
        report_put(REPORT_INFO, "device %s: role %s from its change %u on", device,
                   role_name((enum role)decision->role), decision->from);
    else if (decision->what == DECISION_REVOKED && decision->withdraws)
        report_put(REPORT_INFO, "device %s: its revocation was withdrawn", device);
    else if (decision->what == DECISION_REVOKED)
        report_put(REPORT_INFO, "device %s: revoked from its change %u on", device, decision->from);
    else
        report_put(REPORT_WARNING, "device %s: a fork, another branch ends at its change %u",
                   device, decision->change);
}

static bool tell(const struct decision *decision, void *arg)
{
    struct telling *telling = arg;
    char device[2 * HANDLE_SIZE + 1];
    telling->erased += decision->what == DECISION_ERASED && !decision->withdraws;
    telling->released += decision->what == DECISION_SET_APART && decision->withdraws;
    if (decision->what != DECISION_ROLE && decision->what != DECISION_REVOKED &&
        decision->what != DECISION_FORK)
        return true;
    text_hex(BYTES(decision->device), device);
    tell_one(device, decision);
    return ++telling->lines < LINES_MAX;
}

void journal_put(struct gate *gate, uint32_t community, const struct hub_effects *effects)
{
    struct telling telling = {0};
    struct community own;
    struct txn *txn = effects->last ? gate_begin_read(gate) : NULL;
    enum err err = txn ? community_get_number(txn, community, &own) : OK;
    uint32_t seq = effects->first;
    for (; txn && !err && seq <= effects->last && seq - effects->first < READ_MAX &&
           telling.lines < LINES_MAX;
         seq++)
        err = decisions_read(txn, &own, seq, tell, &telling);
    if (txn)
        gate_end_read(gate, &txn);
    if (txn && !err && seq <= effects->last)
        report_put(REPORT_INFO, "and more: see folkmootctl audit");
    if (telling.erased > 0)
        report_put(REPORT_INFO, "the words of %zu changes were erased", telling.erased);
    if (telling.released > 0)
        report_put(REPORT_INFO, "%zu changes that were set apart take effect", telling.released);
    if (err)
        report_put(REPORT_WARNING, "what was decided could not be read: %s", err_text(err));
}
