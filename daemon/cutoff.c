#include "daemon/cutoff.h"

#include "daemon/report.h"

struct cutting {
    struct txn *txn; // NULL: nobody can be asked
    uint32_t community;
    const struct hub_effects *effects;
};

static bool is_revoked(const struct cutting *cutting, const uint8_t handle[HANDLE_SIZE])
{
    struct device device;
    return !cutting->txn || device_get(cutting->txn, cutting->community, handle, &device) != OK ||
           device.role == ROLE_NONE;
}

static bool ends(const struct call_carried *carried, bool has_unsent, void *arg)
{
    const struct cutting *cutting = arg;
    if (carried->community != cutting->community && !carried->is_mixed)
        return false;
    if (cutting->effects->erased && has_unsent)
        return true;
    return cutting->effects->revoked && (carried->is_mixed || is_revoked(cutting, carried->handle));
}

void cutoff_run(struct conns *conns, struct gate *gate, uint32_t community,
                const struct hub_effects *effects)
{
    if (!effects->revoked && !effects->erased)
        return;
    struct txn *txn = gate_begin_read(gate);
    struct cutting cutting = {txn, community, effects};
    size_t n = conns_reset(conns, ends, &cutting);
    gate_end_read(gate, &txn);
    if (n > 0)
        report_put(REPORT_INFO, "%zu connections were reset: their answers may go no further", n);
}
