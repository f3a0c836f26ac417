#include "daemon/reload.h"

#include "daemon/report.h"

void reload_level(const struct config *config)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (int i = 0; i < 4; i++)
        if (strcmp(config->level, names[i]) == 0)
            report_set_level((enum report_level)i);
}

static void on_waiting(const char *section, const char *name)
{
    report_put(REPORT_WARNING, "[%s] %s is different now: it holds from the next start on", section,
               name);
}

enum err reload_config(const char *file, struct config *config, struct fault *fault)
{
    static struct config fresh;
    config_default(&fresh);
    enum err err = file ? config_read(file, &fresh, fault) : OK;
    if (!err)
        err = config_check(&fresh, fault);
    if (err || !file)
        return err;
    config_take(&fresh, config, on_waiting);
    reload_level(config);
    return OK;
}
