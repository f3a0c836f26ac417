#include "daemon/shown.h"

#include <stdio.h>
#include <time.h>

#include "daemon/certificate.h"
#include "daemon/place.h"
#include "daemon/report.h"

static int64_t now_seconds(void)
{
    return (int64_t)time(NULL);
}

// Names its files; of the hub's own also where it is not there yet.
static enum err choose(struct shown *shown, struct fault *fault)
{
    const struct config *config = shown->config;
    if (config->certificate[0]) {
        (void)snprintf(shown->certificate, PATH_MAX, "%s", config->certificate);
        (void)snprintf(shown->key, PATH_MAX, "%s", config->key);
        return OK;
    }
    enum err err = place_in_state(config, "tls.pem", shown->certificate, fault);
    if (err)
        return err;
    memcpy(shown->key, shown->certificate, PATH_MAX);
    return OK;
}

static enum err open_tickets(struct shown *shown, struct fault *fault)
{
    char path[PATH_MAX];
    enum err err = place_in_state(shown->config, "tickets.key", path, fault);
    if (!err) {
        shown->tickets = tickets_new(path, now_seconds());
        err = shown->tickets ? OK : fault_set(fault, ERR_NOMEM, "out of memory");
    }
    return err;
}

static enum err read_anew(struct shown *shown, struct fault *fault)
{
    struct tls_context *anew = NULL;
    enum err err = tls_context_new(shown->certificate, shown->key, shown->tickets, &anew, fault);
    if (err)
        return err;
    tickets_bind(shown->tickets, tls_context_key_hash(anew), now_seconds());
    tls_context_free(&shown->tls);
    shown->tls = anew;
    return OK;
}

enum err shown_open(const struct config *config, struct shown *shown, struct fault *fault)
{
    *shown = (struct shown){.config = config};
    enum err err = choose(shown, fault);
    if (!err && !config->certificate[0])
        err = certificate_ensure(shown->certificate, fault);
    if (!err)
        err = open_tickets(shown, fault);
    return err ? err : read_anew(shown, fault);
}

void shown_close(struct shown *shown)
{
    tls_context_free(&shown->tls);
    tickets_free(&shown->tickets);
}

enum err shown_rotate(struct shown *shown, struct fault *fault)
{
    if (!shown->tls || shown->config->certificate[0])
        return fault_set(fault, ERR_WRONG_STATE,
                         "the certificate is not the hub's own: renew its file, then reload");
    enum err err = certificate_renew(shown->certificate, fault);
    if (!err)
        err = read_anew(shown, fault);
    if (!err)
        report_event(REPORT_INFO, &(struct report_about){.event = "tls_rotated"},
                     "the TLS key was made anew");
    return err;
}

void shown_reload(struct shown *shown)
{
    struct fault fault = {0};
    if (choose(shown, &fault) || read_anew(shown, &fault))
        report_event(REPORT_ERROR, &(struct report_about){.event = "certificate_refused"},
                     "the old certificate stays in use: %s", fault.text);
    else
        report_event(REPORT_INFO, &(struct report_about){.event = "certificate_read"},
                     "certificate and key were read anew");
}

void shown_turn(struct shown *shown)
{
    if (shown->tickets)
        tickets_turn(shown->tickets, now_seconds());
}
