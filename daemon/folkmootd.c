// folkmootd, the hub. See --help.

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/reload.h"
#include "daemon/report.h"

static const char help[] =
    "usage: folkmootd [--config FILE] [--check-config]\n"
    "\n"
    "The Folkmoot hub: keeps communities' changes and syncs them with devices.\n"
    "\n"
    "  --config FILE   read this configuration; without it every key has its default\n"
    "  --check-config  print every key with its value, and end\n"
    "  --version       print the version\n"
    "  --help          print this\n"
    "\n"
    "Signals: TERM and INT answer what was received, commit and end (a second one ends at once);\n"
    "HUP reads the TLS certificate and key anew, and of the configuration what can change then.\n"
    "\n"
    "Exit status, as of sysexits(3): 0 it ended as asked; 64 it was called wrongly; 78 the\n"
    "configuration or a passed socket is wrong; 65 what is stored is damaged or of a newer "
    "version;\n"
    "69 another hub runs here; 71 memory or the like is short; 73 the disk is full; 74 a file or "
    "a\n"
    "socket could not be opened; 77 a file is not to be trusted. After 64, 65, 77 and 78 it is no "
    "use\n"
    "to start it again as it is.\n";

struct arguments {
    const char *config;
    bool check_only;
};

// EX_OK with `ended`: nothing more to do.
static int parse(int argc, char **argv, struct arguments *arguments, bool *ended)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check-config", no_argument, NULL, 'C'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *ended = true;
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case 'C':
            arguments->check_only = true;
            break;
        case 'V':
            (void)puts("folkmootd " FOLKMOOT_VERSION);
            return EX_OK;
        case 'h':
            (void)fputs(help, stdout);
            return EX_OK;
        default:
            (void)fputs("See folkmootd --help.\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "folkmootd: what is \"%s\"? See folkmootd --help.\n", argv[optind]);
        return EX_USAGE;
    }
    *ended = false;
    return EX_OK;
}

static enum err read_config(const struct arguments *arguments, struct config *config,
                            struct fault *fault)
{
    config_default(config);
    enum err err = arguments->config ? config_read(arguments->config, config, fault) : OK;
    return err ? err : config_check(config, fault);
}

// By which the service manager tells what may pass from what will not.
static int code_of(enum err err)
{
    switch (err) {
    case OK:
        return EX_OK;
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_NOT_FOUND:
    case ERR_WRONG_STATE:
    case ERR_QUOTA:
        return EX_CONFIG;
    case ERR_UNAUTHENTICATED:
    case ERR_FORBIDDEN:
        return EX_NOPERM;
    case ERR_VERSION:
    case ERR_CUT:
    case ERR_DAMAGED:
        return EX_DATAERR;
    case ERR_EXISTS:
    case ERR_BUSY:
        return EX_UNAVAILABLE;
    case ERR_NOMEM:
        return EX_OSERR;
    case ERR_FULL:
        return EX_CANTCREAT;
    case ERR_IO:
        break;
    }
    return EX_IOERR;
}

static int run(struct config *config, const char *file)
{
    struct fault fault = {0};
    struct daemon *daemon;
    reload_level(config);
    enum err err = daemon_start(config, file, &daemon, &fault);
    if (err) {
        report_put(REPORT_ERROR, "cannot start: %s", fault.text);
        return code_of(err);
    }
    // Its handler stands by now.
    sigset_t hangup;
    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    (void)sigprocmask(SIG_UNBLOCK, &hangup, NULL);
    daemon_run(daemon);
    daemon_free(&daemon);
    report_put(REPORT_INFO, "ended");
    return EX_OK;
}

int main(int argc, char **argv)
{
    // A reload that is asked for while the hub starts must not kill it.
    sigset_t hangup;
    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &hangup, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    struct arguments arguments = {0};
    bool ended;
    int code = parse(argc, argv, &arguments, &ended);
    if (ended)
        return code;
    static struct config config;
    struct fault fault = {0};
    if (read_config(&arguments, &config, &fault)) {
        (void)fprintf(stderr, "folkmootd: %s\n", fault.text);
        return EX_CONFIG;
    }
    if (arguments.check_only) {
        config_print(&config, stdout);
        return EX_OK;
    }
    return run(&config, arguments.config);
}
